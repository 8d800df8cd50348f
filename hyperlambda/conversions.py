"""
Giving a value another type.

Three sets of rules exist side by side. Reading a value as a slot wants it is `to_text`,
`to_bool`, `to_number` … of `hyperlambda.reading`, offered here too. Giving a value a
type, as the parser gives one to a text, is `coerce` (01 §3.5). The slot ``convert`` has
rules of its own, `convert` (02 §5.4). They differ visibly: a bool is the text ``True``
for the first and the last, and ``true`` for the second.

Types added with `hyperlambda.values.add_converter` are read and written by the
functions given there.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from .dates import Time, normal_date, parse_date
from .errors import ArgumentError, MissingValueError, UnknownTypeError, nearest
from .numerals import sized
from .reading import (
    NUMBER_NAMES,
    NUMBER_TYPES,
    display_text,
    no_form,
    to_bool,
    to_bytes,
    to_date,
    to_guid,
    to_int,
    to_number,
    to_text,
    to_time,
)
from .values import (
    Char,
    is_type,
    known_type,
    literal_text,
    parse_literal,
    registered_type,
    type_name,
    type_names,
)

__all__ = [
    "NUMBER_TYPES",
    "coerce",
    "convert",
    "to_bool",
    "to_bytes",
    "to_date",
    "to_guid",
    "to_int",
    "to_number",
    "to_text",
    "to_time",
]

# Giving a type (spec 01 §3.5)


def coerce(value: Any, type_name: str) -> Any:
    """
    Give a value a type, as the parser does with a text.

    Raises:
        UnknownTypeError: No type has that name.
        MissingValueError: It is None, and the type has nothing to stand for that.
        ConversionError: The type has no form of the value.
        LiteralError, OutOfRangeError: See `hyperlambda.values.parse_literal`.
    """
    if type(value) is str:
        return parse_literal(value, type_name)
    if not is_type(type_name):
        raise UnknownTypeError(type_name, type_names())
    if type_name in NUMBER_NAMES:
        return to_number(0 if value is None else value, type_name)
    converter = _COERCIONS.get(type_name)
    if converter is not None:
        return converter(value)
    return _coerce_registered(value, type_name)


def _coerce_bool(value: Any) -> bool:
    if value is None:
        raise _missing("bool")
    return value is True


def _coerce_bytes(value: Any) -> bytes:
    if value is None:
        raise ArgumentError("no value stands where 'bytes' is wanted")
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    raise no_form(value, "bytes")


def _coerce_char(value: Any) -> Char:
    if value is None:
        return Char("\0")
    if isinstance(value, str):
        return Char(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Char(chr(sized(int(value), "ushort")))
    raise no_form(value, "char")


def _coerce_date(value: Any) -> datetime:
    if value is None:
        raise _missing("date")
    if isinstance(value, datetime):
        return normal_date(value)
    # The reference's kind of error here, which programs may test for (spec 01 §3.5).
    raise MissingValueError(no_form(value, "date").message)


def _coerce_guid(value: Any) -> UUID:
    if value is None:
        raise _missing("guid")
    if isinstance(value, UUID):
        return value
    return parse_literal(literal_text(value) or "", "guid")  # type: ignore[no-any-return]


def _coerce_string(value: Any) -> str:
    if value is None:
        return ""
    if known_type(value) is None:
        raise no_form(value, "string")
    return literal_text(value) or ""


def _coerce_time(value: Any) -> Time:
    if isinstance(value, Time):
        return value
    if value is None:
        return Time(0)
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return Time(to_int(value, "long"))
    raise no_form(value, "time")


def _coerce_registered(value: Any, type_name: str) -> Any:
    kind = registered_type(type_name)
    if value is None:
        raise _missing(type_name)
    if kind is not None and isinstance(value, kind):
        return value
    return parse_literal(literal_text(value) or "", type_name)


def _missing(wanted: str) -> MissingValueError:
    return MissingValueError(f"no value stands where '{wanted}' is wanted")


_COERCIONS: dict[str, Callable[[Any], Any]] = {
    "bool": _coerce_bool,
    "bytes": _coerce_bytes,
    "char": _coerce_char,
    "date": _coerce_date,
    "guid": _coerce_guid,
    "string": _coerce_string,
    "time": _coerce_time,
}


# The slot [convert] (spec 02 §5.4, with the improvements Q14–Q17)


def convert(value: Any, type_name: str) -> Any:
    """
    Convert a value as the slot ``convert`` does.

    Knows the types of the language, and ``base64``, ``base64-url``, ``from-base64`` and
    ``from-base64-url``. None is 0, "", the zero guid, no bytes, an empty expression or
    an empty node.

    Raises:
        ArgumentError: No such conversion exists, or it cannot take the value.
        ConversionError, LiteralError, OutOfRangeError: As for `to_number`.
    """
    converter = _CONVERSIONS.get(type_name)
    if converter is not None:
        return converter(value)
    if type_name in NUMBER_NAMES:
        return to_number(0 if value is None else value, type_name)
    kind = registered_type(type_name)
    if kind is None:
        known = [*_CONVERSIONS, *type_names()]
        near = nearest(type_name, known)
        raise ArgumentError(
            f"nothing can be converted to '{type_name[:40]}'",
            help=f"did you mean '{near}'?" if near else None,
        )
    if isinstance(value, kind):
        return value
    return parse_literal(_native_text(value), type_name)


def _native_text(value: Any) -> str:
    # The reference writes dates in the server's culture; ours is the literal (Q16).
    if isinstance(value, datetime):
        return literal_text(value) or ""
    return display_text(value)


def _convert_bool(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value == "true")


def _convert_bytes(value: Any) -> bytes | None:
    if isinstance(value, (str, bytes, bytearray)) and not isinstance(value, Char):
        return to_bytes(value)
    return None


def _convert_date(value: Any) -> datetime:
    if value is None:
        raise ArgumentError("no value stands where 'date' is wanted")
    if isinstance(value, datetime):
        return normal_date(value)
    return parse_date(_native_text(value))


def _convert_guid(value: Any) -> UUID:
    if value is None:
        return UUID(int=0)
    return parse_literal(_native_text(value), "guid")  # type: ignore[no-any-return]


def _convert_time(value: Any) -> Time:
    return to_time(value) if isinstance(value, str) else _coerce_time(value)


def _convert_to_base64(value: Any) -> str:
    return b2a_base64(_raw(value, "base64"), newline=False).decode("ascii")


def _convert_to_base64_url(value: Any) -> str:
    return _convert_to_base64(_raw(value, "base64-url")).translate(_TO_URL_ALPHABET)


def _raw(value: Any, wanted: str) -> bytes:
    raw = _convert_bytes(value)
    if raw is None:
        raise ArgumentError(
            f"only text and bytes can be converted to '{wanted}', not a "
            f"'{type_name(value)}'"
            if value is not None
            else f"no value stands where '{wanted}' needs text or bytes"
        )
    return raw


def _convert_from_base64(value: Any) -> bytes:
    return parse_literal(_base64_text(value), "bytes")  # type: ignore[no-any-return]


def _convert_from_base64_url(value: Any) -> bytes:
    text = _base64_text(value).rstrip("=").translate(_FROM_URL_ALPHABET)
    return parse_literal(text + "=" * (-len(text) % 4), "bytes")  # type: ignore[no-any-return]


_TO_URL_ALPHABET = str.maketrans("+/", "-_", "=")
# The plain alphabet's own two letters are wrong here, and become what is never right.
_FROM_URL_ALPHABET = str.maketrans("-_+/", "+/!!")


def _base64_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ArgumentError("only a text can be decoded from base64")
    return value


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "base64": _convert_to_base64,
    "base64-url": _convert_to_base64_url,
    "bool": _convert_bool,
    "bytes": _convert_bytes,
    "char": _coerce_char,
    "date": _convert_date,
    "from-base64": _convert_from_base64,
    "from-base64-url": _convert_from_base64_url,
    "guid": _convert_guid,
    "string": _native_text,
    "time": _convert_time,
}
