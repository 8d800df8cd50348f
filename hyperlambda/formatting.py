"""
Formatting of a value by a .NET composite pattern (spec 02 §3.7).

A pattern is literal text around ``{0}``, ``{0,width}``, ``{0:FORMAT}`` or both; ``{{``
and ``}}`` stand for braces. What FORMAT means depends on the value's type: see
`hyperlambda.number_formats` and `hyperlambda.date_formats`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from .cultures import Culture, find_culture
from .date_formats import format_date, format_time
from .dates import Time
from .errors import LiteralError
from .number_formats import format_number
from .numerals import abbreviate
from .reading import NUMBER_TYPES, display_text
from .values import known_type

__all__ = ["composite"]

_ITEM = re.compile(
    r"\{(?P<index>[0-9]++) *+(?:, *+(?P<width>-?[0-9]++) *+)?(?::(?P<format>[^{}]*+))?\}"
)
_LITERAL = re.compile(r"[^{}]++")
_MAX_WIDTH = 999_999


def composite(
    pattern: str,
    value: Any,
    culture: str | None = None,
    *,
    charge: Callable[[int], None] = lambda length: None,
) -> str:
    """
    Format one value by a composite pattern.

    Args:
        pattern: For example ``{0:0.00}``; it may name the value several times.
        value: Anything; None is formatted as "".
        culture: A name such as ``nb-NO``; None is the invariant culture.
        charge: Told how long the text will be; it may refuse.

    Raises:
        LiteralError: The pattern is malformed, asks for another argument than 0, or has
            a format that values of this type do not know.
        ArgumentError: The culture is unknown.
    """
    chosen = find_culture(culture)
    parts: list[str] = []
    position, size = 0, 0
    while position < len(pattern):
        literal = _LITERAL.match(pattern, position)
        if literal is not None:
            parts.append(literal[0])
            position = literal.end()
            continue
        brace = pattern[position]
        if pattern.startswith(brace * 2, position):
            parts.append(brace)
            position += 2
            continue
        item = _ITEM.match(pattern, position)
        if item is None:
            raise LiteralError(f"the pattern {abbreviate(pattern)} is malformed")
        text = _item_text(item, value, chosen)
        size += len(text)
        if size > 10 * _MAX_WIDTH:
            raise LiteralError("the pattern makes a text that is too long")
        parts.append(text)
        position = item.end()
    charge(sum(map(len, parts)))
    return "".join(parts)


def _item_text(item: re.Match[str], value: Any, culture: Culture) -> str:
    if item["index"].strip("0"):
        raise LiteralError(
            f"the pattern names argument {item['index'][:9]}, but there is only {{0}}"
        )
    text = _formatted(value, item["format"] or "", culture)
    digits = item["width"]
    if digits is None:
        return text
    if len(digits) > 7 or abs(int(digits)) > _MAX_WIDTH:
        raise LiteralError(f"a width is at most {_MAX_WIDTH}")
    width = int(digits)
    return text.ljust(-width) if width < 0 else text.rjust(width)


def _formatted(value: Any, pattern: str, culture: Culture) -> str:
    formatter = _FORMATTERS.get(known_type(value) or object)
    if formatter is None:
        return display_text(value)
    return formatter(value, pattern, culture)


def _format_guid(value: UUID, pattern: str, culture: Culture) -> str:
    style = pattern.upper()
    text = str(value)
    if style in ("", "D"):
        return text
    if style == "N":
        return value.hex
    if style == "B":
        return f"{{{text}}}"
    if style == "P":
        return f"({text})"
    if style == "X":
        low, mid, high, *_ = text.split("-")
        rest = ",".join(f"0x{byte:02x}" for byte in value.bytes[8:])
        return f"{{0x{low},0x{mid},0x{high},{{{rest}}}}}"
    raise LiteralError(f"a guid has no format {abbreviate(pattern)}")


_FORMATTERS: dict[type, Callable[[Any, str, Culture], str]] = {
    **dict.fromkeys(NUMBER_TYPES, format_number),
    Decimal: format_number,
    datetime: format_date,
    Time: format_time,
    UUID: _format_guid,
}
