"""
Reading a value as the type that a slot wants (spec 01 §1.5, 03 §1.5–1.6).

Nothing here follows expressions: `Node.resolve` comes first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from uuid import UUID

from .dates import LOCAL, UTC, Time, general_date_text, normal_date, parse_date
from .errors import ConversionError, UnknownTypeError
from .numerals import (
    INTEGER_RANGES,
    Byte,
    Long,
    SByte,
    Short,
    Single,
    UInt,
    ULong,
    UShort,
    decimal_text,
    double_text,
    fit_decimal,
    integer_text,
    out_of_range,
    single_text,
    sized,
)
from .values import Char, known_type, literal_text, parse_literal, type_name

__all__ = [
    "NUMBER_NAMES",
    "NUMBER_TYPES",
    "TEXT_READERS",
    "display_text",
    "no_form",
    "to_bool",
    "to_bytes",
    "to_date",
    "to_guid",
    "to_int",
    "to_number",
    "to_text",
    "to_time",
]

NUMBER_NAMES = (*INTEGER_RANGES, "decimal", "double", "single", "float")
_INTEGERS = frozenset((int, Short, UShort, UInt, Long, ULong, Byte, SByte))
NUMBER_TYPES = _INTEGERS | {float, Single, Decimal}


def no_form(value: object, wanted: str) -> ConversionError:
    """Return the error of a value that cannot be had as the wanted type."""
    if value is None:
        return ConversionError(f"no value stands where '{wanted}' is wanted")
    return ConversionError(f"a '{type_name(value)}' cannot be read as '{wanted}'")


def _decoded(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _capital_bool(value: bool) -> str:
    return "True" if value else "False"


TEXT_READERS: dict[type, Callable[[Any], str]] = {
    str: str.__str__,
    bytes: _decoded,
    bytearray: _decoded,
    UUID: str,
    bool: _capital_bool,
    Char: str.__str__,
    float: double_text,
    Single: single_text,
    Decimal: decimal_text,
    datetime: general_date_text,
    **dict.fromkeys(_INTEGERS, integer_text),
}


def to_text(value: Any) -> str | None:
    """
    Read a value as text; None stays None.

    A bool is ``True`` or ``False``, a date ``MM/dd/yyyy HH:mm:ss``, and bytes are UTF-8.

    Raises:
        ConversionError: A time, an expression, a node or a foreign object has no text.
    """
    if type(value) is str:
        return value
    if value is None:
        return None
    reader = TEXT_READERS.get(type(value)) or TEXT_READERS.get(
        known_type(value) or object
    )
    if reader is None:
        raise no_form(value, "string")
    return reader(value)


def display_text(value: Any) -> str:
    """
    Return the text of any value at all; None has none.

    As `to_text`, and where that fails: a time is ``[d.]hh:mm:ss[.fffffff]``, and the
    rest is written as the language writes it.
    """
    if value is None:
        return ""
    kind = known_type(value)
    if kind is Time:
        return str(value)
    reader = TEXT_READERS.get(kind or object)
    return reader(value) if reader is not None else literal_text(value) or ""


def to_bool(value: Any) -> bool:
    """Return whether a value is true: not null, ``false``, nor a number equal to 0."""
    kind = type(value)
    if kind is bool:
        return value  # type: ignore[no-any-return]
    if kind is str:
        return value != "false"  # type: ignore[no-any-return]
    if value is None:
        return False
    if kind in NUMBER_TYPES or isinstance(value, (int, float, Decimal)):
        return bool(value)
    return not isinstance(value, str) or value != "false"


def to_int(value: Any, type_name: str = "int") -> int:
    """
    Read a value as an integer of a type, such as ``int`` or ``long``.

    Raises:
        ConversionError: It is None, or of a type that has no number.
        LiteralError: It is a text that spells no integer.
        OutOfRangeError: The type has no room for it.
    """
    kind = type(value)
    if kind is int and type_name == "int" and -0x80000000 <= value <= 0x7FFFFFFF:
        return value  # type: ignore[no-any-return]
    if kind in _INTEGERS or isinstance(value, int):
        return sized(int(value), type_name)
    if isinstance(value, Char):
        return sized(ord(value), type_name)
    if isinstance(value, str):
        return parse_literal(value, type_name)  # type: ignore[no-any-return]
    if isinstance(value, (float, Decimal)):
        return sized(_half_even(value, type_name), type_name)
    raise no_form(value, type_name)


def _half_even(value: float | Decimal, type_name: str) -> int:
    finite = value.is_finite() if isinstance(value, Decimal) else value - value == 0
    # Nothing beyond 65 bits fits a type, and making an integer of it would be slow.
    if not finite or not -(2**65) < value < 2**65:
        raise out_of_range(type_name)
    if isinstance(value, Decimal):
        return int(value.to_integral_value(ROUND_HALF_EVEN))
    return round(value)


def to_number(value: Any, type_name: str) -> Any:
    """
    Read a value as a number of a type: an integer, decimal, double, single or float.

    Errors are those of `to_int`.
    """
    if type_name in INTEGER_RANGES:
        return to_int(value, type_name)
    if isinstance(value, str) and not isinstance(value, Char):
        return parse_literal(value, type_name)
    if not isinstance(value, (int, float, Decimal)):
        raise no_form(value, type_name)
    if type_name == "decimal":
        return _to_decimal(value)
    try:
        number = float(value)
    except (OverflowError, ValueError) as error:  # beyond 1.8e308, or no number
        raise out_of_range(type_name) from error
    if type_name == "double":
        return number
    if type_name in ("single", "float"):
        return Single(number)
    raise UnknownTypeError(type_name, NUMBER_NAMES)


def _to_decimal(value: float | Decimal) -> Decimal:
    if isinstance(value, float):
        # The reference keeps only the digits that the binary number surely has.
        digits = 7 if isinstance(value, Single) else 15
        return fit_decimal(Decimal(f"{float(value):.{digits}g}"))
    return fit_decimal(Decimal(value))


def to_bytes(value: Any) -> bytes | None:
    """
    Read a value as bytes: text is its UTF-8, None stays None.

    Raises:
        ConversionError: It is neither text nor bytes.
    """
    if value is None:
        return None
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, str) and not isinstance(value, Char):
        return _encoded(value)
    raise no_form(value, "bytes")


_SURROGATE = re.compile("[\ud800-\udfff]")


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except (
        UnicodeEncodeError
    ):  # as the reference, which has no lone surrogates in UTF-8
        return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text).encode()


def to_date(value: Any) -> datetime:
    """
    Read a value as a date; a text with any zone, ``Z`` included, becomes Local.

    Raises:
        ConversionError: It is neither text nor date.
        LiteralError: It is a text that spells no date.
    """
    if isinstance(value, datetime):
        return normal_date(value)
    if isinstance(value, str) and not isinstance(value, Char):
        when = parse_date(value, "none")
        return when.replace(tzinfo=LOCAL) if when.tzinfo is UTC else when
    raise no_form(value, "date")


def to_time(value: Any) -> Time:
    """Read a value as a time: a time, or a text with a number of ticks."""
    if isinstance(value, Time):
        return value
    if isinstance(value, str) and not isinstance(value, Char):
        return parse_literal(value, "time")  # type: ignore[no-any-return]
    raise no_form(value, "time")


def to_guid(value: Any) -> UUID:
    """Read a value as a guid: a guid, or a text that spells one."""
    if isinstance(value, UUID):
        return value
    if isinstance(value, str) and not isinstance(value, Char):
        return parse_literal(value, "guid")  # type: ignore[no-any-return]
    raise no_form(value, "guid")
