"""
Single values as JSON (spec 04 §3.2).

Texts that are written here may still hold characters that JSON allows and the reference
escapes: `escaped` sees to all of a text at once, which takes less than one after another.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final
from uuid import UUID

from .dates import LOCAL, UTC, ZONES, Time, normal_date
from .errors import ConversionError
from .node import Node
from .numerals import (
    Byte,
    Long,
    SByte,
    Short,
    Single,
    UInt,
    ULong,
    UShort,
    decimal_text,
    integer_text,
    single_text,
)
from .values import known_type, type_name

__all__ = ["double_json", "escaped", "quoter", "scalar_json"]


# Parts between looks at what a program may use up: about a millisecond.
PARTS_BETWEEN_LOOKS: Final = 4096
# Characters from which on one text is worth a look.
LONG: Final = 2000
# How many children of a container are few: most have no more.
FEW: Final = 64


def scalar_json(value: Any, node: Node) -> str:
    """
    Write a value as JSON, with quotes if it has any.

    Raises:
        ConversionError: It has no form in JSON; the message names the node.
    """
    printer = _PRINTERS.get(type(value))
    if printer is None:
        printer = _PRINTERS.get(known_type(value) or object)
        if printer is None:
            raise ConversionError(
                f"the value of '{node.name}', a '{type_name(value)}', has no form in JSON"
            )
    return printer(value)


@cache
def quoter() -> Callable[[str], str]:
    """Return the function that puts a text in quotes."""
    # Only programs that write JSON pay for loading the module.
    from json.encoder import encode_basestring

    return encode_basestring


def _text(value: str) -> str:
    return quoter()(value)


_BEYOND_ASCII = re.compile(r"[\x85\u2028\u2029\ud800-\udfff]")


def escaped(json: str) -> str:
    """Escape in a JSON text what stands in its texts and names as it is, but must not."""
    if json.isascii():
        return json
    if "\x85" not in json and "\u2028" not in json and "\u2029" not in json:
        for encoding in (
            "latin-1",
            "utf-8",
        ):  # the first is a mere copy, or fails at once
            try:
                json.encode(encoding)
            except UnicodeEncodeError:  # maybe half a surrogate pair
                continue
            return json
    return _BEYOND_ASCII.sub(_escape, json)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    # Half a surrogate pair is no character, and cannot be sent.
    return "\N{REPLACEMENT CHARACTER}" if code >= 0xD800 else f"\\u{code:04x}"


def _null(value: None) -> str:
    return "null"


def _bool(value: bool) -> str:
    return "true" if value else "false"


def double_json(value: float) -> str:
    """Write a floating point number as JSON."""
    text = float.__repr__(value)
    if len(text) < 18 and "e" not in text and "n" not in text:
        return text
    return _number(text)


def _single(value: float) -> str:
    return _number(single_text(value))


_SPECIAL = {
    "nan": '"NaN"',
    "inf": '"Infinity"',
    "-inf": '"-Infinity"',
    "NaN": '"NaN"',
    "Infinity": '"Infinity"',
    "-Infinity": '"-Infinity"',
}


def _number(text: str) -> str:
    """Lay the shortest digits of a floating point number out as JSON.NET does."""
    special = _SPECIAL.get(text)
    if special is not None:
        return special
    sign = "-" if text.startswith("-") else ""
    mantissa, _, power = text.lstrip("-").upper().partition("E")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # The number is 0.DIGITS times ten to the power of `point`.
    point = int(power or 0) + len(whole) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if not digits:
        return sign + "0.0"
    if -4 < point <= max(15, len(digits)):
        if point <= 0:
            return f"{sign}0.{'0' * -point}{digits}"
        digits = digits.ljust(point, "0")
        return f"{sign}{digits[:point]}.{digits[point:] or '0'}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    exponent = point - 1
    return (
        f"{sign}{digits[0]}{fraction}E{'-' if exponent < 0 else '+'}{abs(exponent):02}"
    )


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        return _number(str(value))
    if value.as_tuple().exponent == 0 and not -(2**63) <= value < 2**63:
        return str(value)  # an integer that JSON brought (spec 04 §19)
    text = decimal_text(value)
    return text if "." in text else text + ".0"


def _date(value: datetime) -> str:
    value = normal_date(value)
    zone: object = value.tzinfo
    if zone is None:
        zone = {"utc": UTC, "local": LOCAL}.get(ZONES.default)
    mark = "Z" if zone is UTC else "+00:00" if zone is LOCAL else ""
    text = value.replace(tzinfo=None).isoformat()
    return f'"{text.rstrip("0") if value.microsecond else text}{mark}"'


def _bytes(value: bytes) -> str:
    return f'"{b2a_base64(value, newline=False).decode("ascii")}"'


def _quoted(value: Time | UUID) -> str:
    return f'"{value}"'


_PRINTERS: dict[type, Callable[[Any], str]] = {
    type(None): _null,
    str: _text,
    bool: _bool,
    **dict.fromkeys((int, Short, UShort, UInt, Long, ULong, Byte, SByte), integer_text),
    float: double_json,
    Single: _single,
    Decimal: _decimal,
    datetime: _date,
    Time: _quoted,
    UUID: _quoted,
    bytes: _bytes,
    bytearray: _bytes,
}
