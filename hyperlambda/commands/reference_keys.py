"""
Settings by the names that the reference has for them (spec 05 §5.3, 5.4, 6, 10.2).

Its files have numbers and truth values in quotes at times: both spellings are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

__all__ = [
    "SECRET",
    "SERVER_KEYS",
    "TOKEN_KEYS",
    "VALID_MINUTES",
    "Key",
    "Wrong",
    "effective",
    "for_programs",
]

SECRET = "magic:auth:secret"
"""What signs tokens; programs do not find it in their configuration."""

VALID_MINUTES = "magic:auth:valid-minutes"
"""How long tokens last that are made here."""


class Wrong(Exception):
    """A value is none of this setting; the text says what one would be."""


class Key(NamedTuple):
    """
    What a setting means.

    Attributes:
        parameter: Of the command; empty if no flag sets the same, and it is only checked.
        read: Makes what that takes; raises `Wrong`.
    """

    parameter: str
    read: Callable[[Any], Any]


def _text(value: Any) -> str:
    if type(value) is not str:
        raise Wrong("a text")
    return value


def _names(value: Any) -> str | list[str] | None:
    items = value if type(value) is list else [value]
    if any(type(item) is not str for item in items):
        raise Wrong("a list of texts")
    # Empty is as good as missing there (spec 05 §6).
    return value if any(item.strip() for item in items) else None


def _flag(value: Any) -> bool:
    if type(value) is bool:
        return value
    text = value.strip().lower() if type(value) is str else ""
    if text not in ("true", "false"):
        raise Wrong("true or false")
    return text == "true"


def _count(value: Any) -> int:
    if type(value) is str and value.strip().isdecimal():
        value = int(value)
    if type(value) is not int or value < 1:
        raise Wrong("an integer above 0")
    return value


def _minutes(value: Any) -> str:
    return f"{_count(value)}m"


SERVER_KEYS: Mapping[str, Key] = {
    "magic:sockets:url": Key("sockets_url", _text),
    "magic:sockets:require-auth": Key("require_auth", _flag),
    "magic:sockets:reject-invalid-token": Key("reject_invalid_token", _flag),
    "magic:sockets:close-on-expiry": Key("close_on_expiry", _flag),
    "magic:sockets:silent-errors": Key("silent_errors", _flag),
    "magic:sockets:max-message-size": Key("max_message_size", _count),
    "magic:sockets:null-audience-is-everyone": Key("", _flag),
    "magic:frontend:urls": Key("origins", _names),
    SECRET: Key("", _text),
    VALID_MINUTES: Key("", _count),
}
"""Those of `hyperlambda serve`."""

TOKEN_KEYS: Mapping[str, Key] = {
    SECRET: Key("", _text),
    VALID_MINUTES: Key("lifetime", _minutes),
}
"""Those of `hyperlambda token`."""


def for_programs(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what programs may find of a configuration file: all but the secret."""
    return {name: value for name, value in settings.items() if name != SECRET}


def effective(
    settings: Mapping[str, Any], parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """
    Return what programs find in their configuration: the file's settings, as they are in
    force.

    Args:
        settings: Of the configuration file.
        parameters: Those of `hyperlambda serve`, flags counted.
    """
    found = for_programs(settings)
    for name, key in SERVER_KEYS.items():
        value = parameters.get(key.parameter)
        if value is not None:
            found[name] = ",".join(value) if type(value) is tuple else value
    return found
