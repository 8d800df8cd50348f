"""The fields of requests of the plain protocol: taken out one by one, and checked."""

from __future__ import annotations

import json
from json import dumps
from typing import Any, NoReturn, TypeAlias

from ...errors import nearest
from ...sockets import Audience, AudienceKind

__all__ = [
    "AUDIENCES",
    "MAX_NAME_LENGTH",
    "Fields",
    "RequestError",
    "parse_fields",
    "refuse_rest",
    "take_audience",
    "take_flag",
    "take_id",
    "take_integer",
    "take_json",
    "take_limit",
    "take_list",
    "take_names",
    "take_text",
]

MAX_NAME_LENGTH = 256
"""In characters."""

AUDIENCES = {kind.value: kind for kind in AudienceKind if kind.value != "everyone"}

Fields: TypeAlias = dict[str, Any]


class RequestError(Exception):
    """A request is refused: with a code for programs and a sentence for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def parse_fields(data: str | bytes) -> Fields:
    """Return the fields of a frame."""
    if type(data) is not str:
        raise RequestError("malformed", "a request is a text frame")
    try:
        fields = decode_json(data)
    except (ValueError, RecursionError):
        raise RequestError("malformed", "the frame does not hold JSON") from None
    if type(fields) is not dict:
        raise RequestError("malformed", "a request is a JSON object")
    return fields


def _refuse_constant(name: str) -> NoReturn:
    # NaN and Infinity, which Python reads and JSON does not know.
    raise ValueError(name)


# Made once: `json.loads` would make one for each text, which takes longer than to read it.
decode_json = json.JSONDecoder(parse_constant=_refuse_constant).decode
"""Read JSON as RFC 8259 has it, without NaN; raises ValueError, or RecursionError."""


def take_id(fields: Fields) -> str | int | None:
    """Return the id of a request, or None."""
    request_id = fields.pop("id", None)
    if request_id is None or type(request_id) is int:
        return request_id
    if type(request_id) is str and len(request_id) <= MAX_NAME_LENGTH:
        return request_id
    raise RequestError(
        "invalid", f"'id' must be an integer or a text of at most {MAX_NAME_LENGTH}"
    )


def take_text(fields: Fields, key: str, default: str | None = None) -> str:
    """Return a text, which is not empty unless there is a default."""
    value = fields.pop(key, default)
    if type(value) is not str or (not value and default is None):
        raise RequestError("invalid", f"'{key}' must be a text that is not empty")
    if not _is_unicode(value):
        raise RequestError("invalid", f"'{key}' holds half a surrogate pair")
    return value


def take_integer(fields: Fields, key: str, default: int) -> int:
    """Return an integer."""
    value = fields.pop(key, default)
    if type(value) is not int:
        raise RequestError("invalid", f"'{key}' must be an integer")
    return value


def take_json(fields: Fields, key: str) -> str | None:
    """Return the JSON text of a field, or None if it is absent."""
    if key not in fields:
        return None
    try:
        text = dumps(
            fields.pop(key), ensure_ascii=False, separators=(",", ":"), allow_nan=False
        )
    except RecursionError:
        raise RequestError("malformed", f"'{key}' is nested too deeply") from None
    except ValueError:  # 1e999, which Python reads as infinity
        raise RequestError("invalid", f"'{key}' holds a number beyond limits") from None
    if not _is_unicode(text):
        raise RequestError("invalid", f"'{key}' holds half a surrogate pair")
    return text


def take_names(fields: Fields) -> list[str]:
    """Return the names and patterns that a subscription is about."""
    names = fields.pop("names", None)
    if type(names) is not list or not names:
        raise RequestError("invalid", "'names' must be a list of texts, not empty")
    refuse_rest(fields, ("names",))
    for name in names:
        _check_name(name)
    return names


def _check_name(name: object) -> None:
    if type(name) is not str or not name:
        raise RequestError("invalid", "each of 'names' must be a text, not empty")
    if len(name) > MAX_NAME_LENGTH:
        raise RequestError(
            "invalid", f"a name has at most {MAX_NAME_LENGTH} characters"
        )
    if not _is_unicode(name):
        raise RequestError("invalid", "'names' holds half a surrogate pair")
    fixed = name.removesuffix(".*")
    if name != "*" and ("*" in fixed or not fixed):
        raise RequestError("invalid", "a pattern is '*', or a name followed by '.*'")


def take_audience(fields: Fields) -> Audience:
    """Return who gets a message."""
    given = [key for key in AUDIENCES if key in fields]
    if not given:
        return Audience()
    if len(given) > 1:
        kinds = " and ".join(f"'{key}'" for key in given)
        raise RequestError("invalid", f"a message has one audience, not {kinds}")
    key = given[0]
    return Audience(AUDIENCES[key], take_list(fields, key))


def refuse_rest(fields: Fields, known: tuple[str, ...]) -> None:
    """Refuse what has not been taken: it may be a misspelt audience."""
    for key in fields:
        near = nearest(key, known)
        hint = f"; did you mean '{near}'?" if near else ""
        shown = key if len(key) <= 40 else key[:40] + "…"
        raise RequestError("invalid", f"no field is named '{shown}' here{hint}")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def take_flag(fields: Fields, key: str) -> bool:
    """Return whether a field is true; absent, it is not."""
    value = fields.pop(key, False)
    if type(value) is not bool:
        raise RequestError("invalid", f"'{key}' must be true or false")
    return value


def take_limit(fields: Fields) -> int | None:
    """Return the limit of a page; None, if it is null, is no limit."""
    if "limit" in fields and fields["limit"] is None:
        del fields["limit"]
        return None
    return take_integer(fields, "limit", 10)


def take_list(fields: Fields, key: str) -> tuple[str, ...]:
    """Return texts: those of a list, or of one text that is split at commas."""
    value = fields.pop(key)
    if type(value) is str:
        return tuple(name.strip() for name in value.split(","))
    if type(value) is not list or any(type(name) is not str for name in value):
        raise RequestError("invalid", f"'{key}' must be a list of texts, or one text")
    return tuple(value)
