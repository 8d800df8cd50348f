"""
The typed values of the language: which Python type is which, and their spelling.

==================  ===============================  ==========================
name                Python                           literal
==================  ===============================  ==========================
bytes               `bytes`                          base64
int                 `int` that fits 32 bits          decimal digits
long                `Long`, and any larger `int`     decimal digits
short, ushort, …    `Short`, `UShort`, `UInt`,       decimal digits
                    `ULong`, `Byte`, `SByte`
decimal             `decimal.Decimal`                digits, scale kept
double              `float`                          shortest that round-trips
single, float       `Single`                         shortest that round-trips
char                `Char`                           the character
string              `str`                            itself
bool                `bool`                           ``true``, ``false``
date                `datetime.datetime`              see `hyperlambda.dates`
time                `Time`                           number of 100 ns ticks
guid                `uuid.UUID`                      8-4-4-4-12, lower case
x, node             registered by the modules that   see there
                    define them
==================  ===============================  ==========================

The table is process-wide, and `add_converter` extends it (spec 01 §3.1, 3.6, 3.7).
"""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from .dates import LOCAL, Time, date_text, parse_date
from .errors import LiteralError, UnknownTypeError
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
    abbreviate,
    decimal_text,
    double_text,
    integer_parser,
    integer_text,
    parse_decimal,
    parse_double,
    parse_single,
    single_text,
)

__all__ = [
    "LOCAL",
    "WHITESPACE",
    "Byte",
    "Char",
    "Long",
    "SByte",
    "Short",
    "Single",
    "Time",
    "UInt",
    "ULong",
    "UShort",
    "add_converter",
    "is_type",
    "known_type",
    "literal_text",
    "parse_literal",
    "registered_type",
    "to_literal",
    "type_name",
    "type_names",
]

# What the reference trims; `str.strip` without it also takes U+001C … U+001F.
WHITESPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
    "\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)

ToText = Callable[[Any], "str | tuple[str | None, str | None]"]
FromText = Callable[[str], Any]


class Char(str):
    """
    One character, of one UTF-16 unit.

    Raises:
        LiteralError: The text is not exactly that long.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if len(text) != 1 or text > "\uffff":
            raise LiteralError(f"{abbreviate(text)} is not one character")
        return str.__new__(cls, text)


# Reading


def _parse_bool(text: str) -> bool:
    return text == "true"


def _parse_string(text: str) -> str:
    return text


_BLANKS = dict.fromkeys(map(ord, " \t\r\n"))


def _parse_bytes(text: str) -> bytes:
    digits = text.translate(_BLANKS)
    try:
        # Python lets some padding pass that is too long.
        if len(digits) % 4 or digits.endswith("==="):
            raise ValueError("not a whole number of groups")
        return a2b_base64(digits, strict_mode=True)
    except ValueError as error:
        raise LiteralError(f"{abbreviate(text)} is not base64") from error


_parse_ticks = integer_parser("long")


def _parse_time(text: str) -> Time:
    return Time(_parse_ticks(text))


_GUID = re.compile(
    r"([0-9a-f]{32})"
    r"|([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"|\{([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}"
    r"|\(([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\)",
    re.IGNORECASE | re.ASCII,
)
_GUID_X = re.compile(
    r"\{0x([0-9a-f]{1,8}),0x([0-9a-f]{1,4}),0x([0-9a-f]{1,4}),"
    r"\{" + ",".join([r"0x([0-9a-f]{1,2})"] * 8) + r"\}\}",
    re.IGNORECASE | re.ASCII,
)
_GUID_X_WIDTHS = (8, 4, 4) + (2,) * 8


def _parse_guid(text: str) -> UUID:
    # No form is longer than 68 characters, blanks between the parts of X included.
    trimmed = text.strip(WHITESPACE) if len(text) <= 1000 else ""
    match = _GUID.fullmatch(trimmed)
    if match is not None:
        return UUID(hex=match[match.lastindex or 0])
    match = _GUID_X.fullmatch(trimmed.translate(_BLANKS))
    if match is not None:
        parts = zip(match.groups(), _GUID_X_WIDTHS, strict=True)
        return UUID(hex="".join(digits.zfill(width) for digits, width in parts))
    raise LiteralError(f"{abbreviate(text)} is not a guid")


# Writing


def _integer_literal(value: int) -> tuple[str, str]:
    return integer_name(value), integer_text(value)


def integer_name(value: int) -> str:
    """Return the type of a plain `int`: the smallest of int, long and decimal."""
    if -0x80000000 <= value <= 0x7FFFFFFF:
        return "int"
    return "long" if -(2**63) <= value < 2**63 else "decimal"


def _bytes_text(value: bytes) -> str:
    return b2a_base64(value, newline=False).decode("ascii")


def _bool_text(value: bool) -> str:
    return "true" if value else "false"


def _ticks_text(value: Time) -> str:
    return str(value.ticks)


# The table: its order is that of `type_names` (spec 02 §3.7).

_ORDER = [
    *("bytes", "short", "ushort", "int", "uint", "long", "ulong", "decimal", "double"),
    *("single", "float", "char", "byte", "sbyte", "string", "bool", "date", "time"),
    *("guid", "x", "node"),
]

_parsers: dict[str, FromText] = {
    "bytes": _parse_bytes,
    **{name: integer_parser(name) for name in INTEGER_RANGES},
    "decimal": parse_decimal,
    "double": parse_double,
    "single": parse_single,
    "float": parse_single,
    "char": Char,
    "string": _parse_string,
    "bool": _parse_bool,
    "date": parse_date,
    "time": _parse_time,
    "guid": _parse_guid,
}
_names: dict[type, str] = {
    bytes: "bytes",
    bytearray: "bytes",
    int: "int",
    Short: "short",
    UShort: "ushort",
    UInt: "uint",
    Long: "long",
    ULong: "ulong",
    Byte: "byte",
    SByte: "sbyte",
    Decimal: "decimal",
    float: "double",
    Single: "float",
    Char: "char",
    str: "string",
    bool: "bool",
    datetime: "date",
    Time: "time",
    UUID: "guid",
}
_printers: dict[type, ToText] = {
    bytes: _bytes_text,
    bytearray: _bytes_text,
    int: _integer_literal,
    **dict.fromkeys((Short, UShort, UInt, Long, ULong, Byte, SByte), integer_text),
    Decimal: decimal_text,
    float: double_text,
    Single: single_text,
    Char: str.__str__,
    str: str.__str__,
    bool: _bool_text,
    datetime: date_text,
    Time: _ticks_text,
    UUID: str,
}
_registered: dict[str, type] = {}


def type_names() -> list[str]:
    """Return the names of all types: those of the language, then added ones."""
    return _ORDER + [name for name in _registered if name not in _ORDER]


def is_type(name: str) -> bool:
    """Return whether a type has that name; names are case-sensitive."""
    return name in _parsers


def registered_type(name: str) -> type | None:
    """Return the Python type that `add_converter` gave that name, or None."""
    return _registered.get(name)


def known_type(value: object) -> type | None:
    """Return the type in the table that a value belongs to, itself or by inheritance."""
    kind = type(value)
    if kind in _names:
        return kind
    for base in kind.__mro__:
        if base in _names:
            return base
    return None


def type_name(value: object) -> str | None:
    """
    Return the name of a value's type.

    None has none. A `Single` is a ``float``, and a value that is not of the language
    has the name of its class in square brackets, which no text can be read as.
    """
    if value is None:
        return None
    kind = type(value)
    name = _names.get(kind)
    if name is None:
        base = known_type(value)
        if base is None:
            return f"[{kind.__module__}.{kind.__qualname__}]"
        kind, name = base, _names[base]
    return integer_name(value) if kind is int else name  # type: ignore[arg-type]


def parse_literal(text: str, type_name: str) -> Any:
    """
    Read the text of a value of a type (spec 01 §3.1).

    Raises:
        UnknownTypeError: No type has that name.
        LiteralError: The text does not spell a value of it.
        OutOfRangeError: It spells a number that the type has no room for.
    """
    parser = _parsers.get(type_name)
    if parser is None:
        raise UnknownTypeError(type_name, type_names())
    return parser(text)


def to_literal(value: Any) -> tuple[str | None, str | None]:
    """
    Return the type name and the text that a value is written with (spec 01 §3.6).

    The name is None for a string, which is written without one, and both are for None.
    The text is not quoted.
    """
    if type(value) is str:
        return None, value
    if value is None:
        return None, None
    kind = type(value)
    printer = _printers.get(kind)
    if printer is None:
        base = known_type(value)
        if base is None:
            return f"[{kind.__module__}.{kind.__qualname__}]", str(value)
        kind, printer = base, _printers[base]
    printed = printer(value)
    if isinstance(printed, tuple):
        name, text = printed
        return (None if name in ("", "string") else name), text
    name = _names[kind]
    return (None if name == "string" else name), printed


def literal_text(value: Any) -> str | None:
    """Return the text that a value is written with, or None for None."""
    if type(value) is str:
        return value
    return None if value is None else to_literal(value)[1]


def add_converter(
    python_type: type, name: str, to_text: ToText, from_text: FromText
) -> None:
    """
    Add a type to the language, or replace one; for the whole process (spec 01 §3.7).

    Args:
        python_type: What values of the type are in Python; subclasses are included.
        name: What it is called in Hyperlambda.
        to_text: Returns the text of a value; or the type name to print, which may be
            None for a string, and the text.
        from_text: Reads such a text, and raises LiteralError if it cannot.
    """
    _names[python_type] = name
    _printers[python_type] = to_text
    _parsers[name] = from_text
    _registered[name] = python_type
