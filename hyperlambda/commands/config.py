"""
Configuration files: what a flag sets can stand in TOML too, and flags win.

A section has the names of the flags; what the reference calls by a name of its own, such
as ``magic:sockets:url``, may have that name instead. The section wins over these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from ..errors import nearest
from .failures import CommandError
from .reference_keys import Key, Wrong

__all__ = ["config_option", "settings_of"]

_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "boolean": ((bool,), "true or false"),
    "float range": ((int, float), "a number"),
    "integer range": ((int,), "an integer"),
    "names": ((str, list), "a list of texts"),
    "proxies": ((str, list), "a list of texts"),
    "several": ((list,), "a list of texts"),
    "text": ((str,), "a text"),
}

_SETTINGS = f"{__name__}.settings"


def config_option(
    section: str,
    *,
    paths: tuple[str, ...] = (),
    keys: Mapping[str, Key] | None = None,
) -> Callable[[Any], Any]:
    """
    Add ``--config FILE``, which gives the other options their defaults.

    Args:
        section: The table of the file that has the names of the options.
        paths: Names of parameters that are paths: in a file, they are relative to it.
        keys: What the reference's own names in the rest of the file mean.
    """

    def read(ctx: click.Context, param: click.Parameter, file: str | None) -> None:
        if file is None:
            return
        tables = _tables(file)
        own = tables.pop(section, {})
        if not isinstance(own, dict):
            raise CommandError(f"'{file}': '{section}' must be a table")
        settings = ctx.meta[_SETTINGS] = _flat(tables)
        ctx.default_map = {
            **_reference_defaults(file, settings, keys or {}),
            **_defaults(ctx, file, section, own, paths),
        }

    return click.option(
        "--config",
        metavar="FILE",
        # Before the others, whose defaults it gives.
        is_eager=True,
        expose_value=False,
        callback=read,
        help=f"Take options from the section [{section}] of this TOML file.",
    )


def settings_of(ctx: click.Context) -> dict[str, Any]:
    """
    Return the configuration file besides its section, by names like 'a:b:c'.

    The names are in lower case, as they do not tell cases apart; what stands in an array
    stays there. Empty without a file.
    """
    return dict(ctx.meta.get(_SETTINGS, {}))


def _defaults(
    ctx: click.Context,
    file: str,
    section: str,
    table: Mapping[str, Any],
    paths: tuple[str, ...],
) -> dict[str, Any]:
    # Every option but this one itself, and --help.
    options = {
        max(param.opts, key=len).removeprefix("--"): param
        for param in ctx.command.params
        if isinstance(param, click.Option) and param.expose_value
    }
    defaults: dict[str, Any] = {}
    for key, value in table.items():
        option = options.get(key)
        if option is None or not option.name:
            near = nearest(key, options)
            hint = f"; did you mean '{near}'?" if near else ""
            raise CommandError(f"'{file}': no option is named '{section}.{key}'{hint}")
        # What an option makes of its text by a function of its own, it is to check.
        kind = "several" if option.multiple else option.type.name
        kinds, wanted = _KINDS.get(kind, _KINDS["text"])
        items = value if isinstance(value, list) else []
        if type(value) not in kinds or any(type(item) is not str for item in items):
            raise CommandError(f"'{file}': '{section}.{key}' must be {wanted}")
        is_path = option.name in paths
        defaults[option.name] = str(Path(file).parent / value) if is_path else value
    return defaults


def _reference_defaults(
    file: str, settings: Mapping[str, Any], keys: Mapping[str, Key]
) -> dict[str, Any]:
    defaults: dict[str, Any] = {}
    for name, key in keys.items():
        if name not in settings:
            continue
        try:
            value = key.read(settings[name])
        except Wrong as wrong:
            raise CommandError(f"'{file}': '{name}' must be {wrong}") from None
        if key.parameter:
            defaults[key.parameter] = value
    return defaults


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{prefix}{key.lower()}"
        if isinstance(value, dict):
            found.update(_flat(value, f"{name}:"))
        else:
            found[name] = value
    return found


def _tables(file: str) -> dict[str, Any]:
    # Imported here: few start-ups read one.
    import tomllib

    try:
        return tomllib.loads(Path(file).read_text("utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise CommandError(f"'{file}' is no TOML: {error}") from None
    except UnicodeDecodeError:
        raise CommandError(f"'{file}' is no UTF-8 text") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise CommandError(f"'{file}' cannot be read: {reason}") from None
