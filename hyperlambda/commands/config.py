"""Configuration files: what a flag sets can stand in TOML too, and flags win."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..errors import nearest
from .failures import CommandError

__all__ = ["config_option"]

_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "float range": ((int, float), "a number"),
    "integer range": ((int,), "an integer"),
    "names": ((str, list), "a list of texts"),
    "text": ((str,), "a text"),
}


def config_option(section: str, *, paths: tuple[str, ...] = ()) -> Callable[[Any], Any]:
    """
    Add ``--config FILE``, whose section gives the other options their defaults.

    Args:
        section: The table of the file that counts.
        paths: Names of parameters that are paths: in a file, they are relative to it.
    """

    def read(ctx: click.Context, param: click.Parameter, file: str | None) -> None:
        if file is not None:
            ctx.default_map = {**_defaults(ctx, file, section, paths)}

    return click.option(
        "--config",
        metavar="FILE",
        # Before the others, whose defaults it gives.
        is_eager=True,
        expose_value=False,
        callback=read,
        help=f"Take options from the section [{section}] of this TOML file.",
    )


def _defaults(
    ctx: click.Context, file: str, section: str, paths: tuple[str, ...]
) -> dict[str, Any]:
    # Every option but this one itself, and --help.
    options = {
        param.name.replace("_", "-"): param
        for param in ctx.command.params
        if param.name and param.expose_value
    }
    defaults: dict[str, Any] = {}
    for key, value in _section(file, section).items():
        option = options.get(key)
        if option is None or not option.name:
            near = nearest(key, options)
            hint = f"; did you mean '{near}'?" if near else ""
            raise CommandError(f"'{file}': no option is named '{section}.{key}'{hint}")
        kinds, wanted = _KINDS[option.type.name]
        items = value if isinstance(value, list) else []
        if type(value) not in kinds or any(type(item) is not str for item in items):
            raise CommandError(f"'{file}': '{section}.{key}' must be {wanted}")
        is_path = option.name in paths
        defaults[option.name] = str(Path(file).parent / value) if is_path else value
    return defaults


def _section(file: str, section: str) -> dict[str, Any]:
    # Imported here: few start-ups read one.
    import tomllib

    try:
        table = tomllib.loads(Path(file).read_text("utf-8-sig")).get(section, {})
    except tomllib.TOMLDecodeError as error:
        raise CommandError(f"'{file}' is no TOML: {error}") from None
    except UnicodeDecodeError:
        raise CommandError(f"'{file}' is no UTF-8 text") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise CommandError(f"'{file}' cannot be read: {reason}") from None
    if not isinstance(table, dict):
        raise CommandError(f"'{file}': '{section}' must be a table")
    return table
