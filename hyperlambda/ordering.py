"""
Which value is equal to, before or after another (spec 02 §5.2).

There is no widening: values of different types are different, and neither comes first.
Null is equal to null and before everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from .dates import Time, normal_date
from .errors import ConversionError
from .values import (
    Byte,
    Char,
    Long,
    SByte,
    Short,
    Single,
    UInt,
    ULong,
    UShort,
    known_type,
    type_name,
)

__all__ = ["compare", "equal", "text_key"]


def equal(a: Any, b: Any) -> bool:
    """
    Return whether two values are the same, in type and content.

    Texts are compared by code points, bytes by content, nodes by identity, dates
    without their zone, and NaN is equal to itself.
    """
    kind = type(a)
    if kind is type(b):
        if kind is str or kind is int:
            return a == b  # type: ignore[no-any-return]
        if kind in _BY_VALUE:
            return a == b  # type: ignore[no-any-return]
        key = _KEYS.get(kind)
        if key is not None:
            return key(a) == key(b)  # type: ignore[no-any-return]
        return a is b or (known_type(a) in _BY_VALUE and a == b)
    if a is None or b is None or _type(a) is not _type(b):
        return False
    common = _type(a)
    key = _KEYS.get(common)
    if key is not None:
        return key(a) == key(b)  # type: ignore[no-any-return]
    return common in _BY_VALUE and a == b


def compare(a: Any, b: Any) -> int | None:
    """
    Return whether a value comes before (-1), with (0) or after (1) another.

    Returns:
        None if the types are different, so that neither comes first.

    Raises:
        ConversionError: Both are bytes, both are nodes, or of another type without order.
    """
    kind = type(a)
    if kind is type(b):
        if kind is int:
            return (a > b) - (a < b)  # type: ignore[no-any-return]
        if kind is str:
            return _compare_texts(a, b)
    if a is None:
        return 0 if b is None else -1
    if b is None:
        return 1
    common = _type(a)
    if common is not _type(b):
        return None
    if common is str:
        return _compare_texts(a, b)
    key = _KEYS.get(common)
    if key is not None:
        a, b = key(a), key(b)
    elif common not in _ORDERED:
        raise ConversionError(f"values of type '{type_name(a)}' have no order")
    return (a > b) - (a < b)  # type: ignore[no-any-return]


_INTEGERS = frozenset((int, Short, UShort, UInt, Long, ULong, Byte, SByte))
_ORDERED = _INTEGERS | {bool, Decimal, Char, str, Time, UUID}
_BY_VALUE = _ORDERED | {bytes, bytearray}


def _clock(value: datetime) -> datetime:
    return normal_date(value).replace(tzinfo=None)


def _float_key(value: float) -> tuple[bool, float]:
    """Return a key by which NaN is before all numbers."""
    return (False, 0.0) if value != value else (True, value)


def _decimal_key(value: Decimal) -> tuple[bool, Decimal]:
    # The language has no such decimal, but Python does.
    return (False, Decimal(0)) if value.is_nan() else (True, value)


_KEYS: dict[type, Callable[[Any], Any]] = {
    datetime: _clock,
    float: _float_key,
    Single: _float_key,
    Decimal: _decimal_key,
}


def _type(value: object) -> type:
    """Return the type that decides: a plain `int` is a `Long` once it is too large."""
    kind = known_type(value)
    if kind is None:
        return type(value)
    if kind is int and not -0x80000000 <= value <= 0x7FFFFFFF:  # type: ignore[operator]
        return Long if -(2**63) <= value < 2**63 else Decimal  # type: ignore[operator]
    return bytes if kind is bytearray else kind


# Texts: punctuation, digits, letters; case and accents only break ties.

_PUNCTUATION = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$"
# Letters keep their own code points, in lower case; the rest comes below them.
_FOREIGN_MARK, _DIGITS, _FOREIGN_NUMBER = 0x4F, 0x50, 0x5A
_PLACES = {
    **{
        ord(character): place
        for place, character in enumerate(
            [chr(code) for code in (*range(9, 14), *range(9), *range(14, 32), 127)]
            + [" ", *_PUNCTUATION],
            start=1,
        )
    },
    **{ord(digit): _DIGITS + int(digit) for digit in "0123456789"},
    **{code: code + 32 for code in range(ord("A"), ord("Z") + 1)},
}


def _compare_texts(a: str, b: str) -> int:
    if a == b:
        return 0
    if a.isascii() and b.isascii():
        first, second = a.translate(_PLACES), b.translate(_PLACES)
        if first == second:  # lower case first
            first, second = a.swapcase(), b.swapcase()
        return -1 if first < second else 1
    return -1 if text_key(a) < text_key(b) else 1


def text_key(text: str) -> tuple[str, str, str, str]:
    """
    Return the key that puts texts in the language's order, the same everywhere.

    Punctuation is before digits and digits before letters; letters are compared without
    case and accents first, then by accents, then lower case before upper. The text
    itself comes last, so that no two texts have the same key.
    """
    if text.isascii():
        return text.translate(_PLACES), "", text.swapcase(), text
    # Only for texts that need it: the tables are large.
    from unicodedata import category, combining, decimal, normalize

    letters: list[str] = []
    accents: list[str] = []
    for character in normalize("NFKD", text):
        if combining(character):
            accents.append(character)
            continue
        accents.append(" ")
        for folded in character.casefold():
            kind = category(folded)
            if folded.isascii():
                letters.append(folded.translate(_PLACES))
            elif kind == "Nd":
                letters.append(chr(_DIGITS + decimal(folded)))
            elif kind[0] == "N":
                letters.append(chr(_FOREIGN_NUMBER) + folded)
            elif kind[0] in "LM":
                letters.append(folded)
            else:
                letters.append(chr(_FOREIGN_MARK) + folded)
    return "".join(letters), "".join(accents).rstrip(" "), text.swapcase(), text
