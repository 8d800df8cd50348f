"""
Standard and custom .NET formats of numbers.

A letter and perhaps a precision is a standard format, as in ``N0``; anything else is
custom, as in ``#,0.00``. Exact binary fractions are rounded half to even by standard
formats, and every other number half away from zero, as the reference's platform does.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from typing import Any

from .cultures import Culture
from .custom_numbers import Digits, format_custom
from .errors import LiteralError, OutOfRangeError
from .numerals import INTEGER_RANGES, Single, abbreviate, integer_text
from .reading import display_text
from .values import type_name

__all__ = ["format_number"]

_STANDARD = re.compile(r"([A-Za-z])([0-9]{0,9})")
# .NET allows a thousand million; a program has no honest use for that.
_MAX_PRECISION = 10_000
# Enough for the largest number, with the most decimals that a format may ask for.
_WIDE = 12_000
_CUSTOM_DIGITS = {float: 15, Single: 7}


def format_number(value: Any, pattern: str, culture: Culture) -> str:
    """
    Format a number of any type.

    Raises:
        LiteralError: The format does not exist, or not for this type.
        OutOfRangeError: The number is larger than any type of the language allows.
    """
    if not pattern:
        return _plain(value, culture)
    if isinstance(value, (float, Decimal)) and not _is_finite(value):
        return _special(value, culture)
    try:
        return _formatted(value, pattern, culture)
    except ArithmeticError as error:  # no type has such a number, but Python might
        raise OutOfRangeError("the number is too large for a format") from error


def _formatted(value: Any, pattern: str, culture: Culture) -> str:
    match = _STANDARD.fullmatch(pattern)
    if match is None:
        return _custom(value, pattern, culture)
    letter = match[1]
    precision = int(match[2]) if match[2] else None
    if precision is not None and precision > _MAX_PRECISION:
        raise LiteralError(f"the precision of a format is at most {_MAX_PRECISION}")
    return _standard(value, letter, precision, culture)


def _is_finite(value: float | Decimal) -> bool:
    return value - value == 0 if isinstance(value, float) else value.is_finite()


def _special(value: Any, culture: Culture) -> str:
    if value.is_nan() if isinstance(value, Decimal) else value != value:
        return "NaN"
    minus = "-" if culture.infinity == "Infinity" else culture.minus
    return culture.infinity if value > 0 else minus + culture.infinity


def _plain(value: Any, culture: Culture) -> str:
    if isinstance(value, (float, Decimal)) and not _is_finite(value):
        return _special(value, culture)
    return _localized(display_text(value), culture)


def _localized(text: str, culture: Culture) -> str:
    """Replace point and minus; an exponent's minus too."""
    return text.replace("-", culture.minus).replace(".", culture.point)


def _standard(value: Any, letter: str, precision: int | None, culture: Culture) -> str:
    kind = letter.upper()
    if kind in "CFNP":
        return _fixed(value, kind, precision, culture)
    if kind == "E":
        return _localized(
            _scientific(value, letter, 6 if precision is None else precision), culture
        )
    if kind == "G":
        return _general(value, letter, precision or 0, culture)
    if kind == "R" and isinstance(value, float):
        return _plain(value, culture)
    if kind in "DXB" and type_name(value) in INTEGER_RANGES:
        return _whole(value, letter, precision or 0, culture)
    raise LiteralError(f"a '{type_name(value)}' has no format {abbreviate(letter)}")


def _whole(value: int, letter: str, precision: int, culture: Culture) -> str:
    if letter in "dD":
        digits = integer_text(abs(int(value))).zfill(precision)
        return culture.minus + digits if value < 0 else digits
    low, high = INTEGER_RANGES[type_name(value) or "int"]
    if value < 0:  # two's complement, of the type's own width
        value = int(value) + (high - low + 1)
    return format(int(value), "b" if letter in "bB" else letter).zfill(precision)


def _rounded(value: Any, decimals: int) -> tuple[str, str, bool]:
    """Return the digits before and after the point, and whether a minus stands before."""
    number = Decimal(value)
    context = Context(
        prec=_WIDE,
        rounding=ROUND_HALF_EVEN if isinstance(value, float) else ROUND_HALF_UP,
    )
    fixed = number.quantize(Decimal((0, (1,), -decimals)), context=context)
    whole, _, fraction = format(fixed.copy_abs(), "f").partition(".")
    # Only floating point numbers have a negative zero.
    negative = bool(fixed.is_signed()) and (bool(fixed) or isinstance(value, float))
    return whole, fraction, negative


def _fixed(value: Any, kind: str, precision: int | None, culture: Culture) -> str:
    decimals = precision
    if decimals is None:
        decimals = culture.currency_digits if kind == "C" else 2
    if kind == "P":
        whole, fraction, negative = _percent_digits(value, decimals)
    else:
        whole, fraction, negative = _rounded(value, decimals)
    if kind != "F":
        whole = _grouped(whole, culture.group)
    number = f"{whole}{culture.point}{fraction}" if fraction else whole
    if kind == "C":
        template = culture.negative_currency if negative else culture.currency
        return template.replace("n", number, 1)
    if kind == "P":
        number = culture.percent.replace("n", number, 1)
    return culture.minus + number if negative else number


def _percent_digits(value: Any, decimals: int) -> tuple[str, str, bool]:
    whole, fraction, negative = _rounded(value, decimals + 2)
    shifted = (whole + fraction[:2]).lstrip("0") or "0"
    return shifted, fraction[2:], negative


def _grouped(digits: str, separator: str) -> str:
    first = len(digits) % 3
    groups = [digits[:first]] if first else []
    groups += [digits[start : start + 3] for start in range(first, len(digits), 3)]
    return separator.join(groups)


def _significant(value: Any, digits: int) -> tuple[bool, str, int]:
    """Return sign, digits and the power of ten of the first one."""
    number = Decimal(value)
    rounding = ROUND_HALF_EVEN if isinstance(value, float) else ROUND_HALF_UP
    rounded = Context(prec=digits, rounding=rounding).plus(number.copy_abs())
    if not rounded:
        return bool(number.is_signed()), "0" * digits, 0
    text = "".join(map(str, rounded.as_tuple().digits))
    return bool(number.is_signed()), text.ljust(digits, "0"), rounded.adjusted()


def _scientific(value: Any, letter: str, decimals: int) -> str:
    negative, digits, power = _significant(value, decimals + 1)
    fraction = f".{digits[1:]}" if decimals else ""
    sign = "-" if negative else ""
    return f"{sign}{digits[0]}{fraction}{letter}{_exponent(power, 3)}"


def _exponent(power: int, width: int) -> str:
    return f"{'-' if power < 0 else '+'}{abs(power):0{width}}"


def _general(value: Any, letter: str, precision: int, culture: Culture) -> str:
    if not precision:
        text = display_text(value)
        return _localized(text.replace("E", "e") if letter == "g" else text, culture)
    negative, digits, power = _significant(value, precision)
    digits = digits.rstrip("0") or "0"
    letter = "E" if letter == "G" else "e"
    if power >= precision or power < -4:
        fraction = f".{digits[1:]}" if len(digits) > 1 else ""
        text = f"{digits[0]}{fraction}{letter}{_exponent(power, 2)}"
    elif power < 0:
        text = f"0.{'0' * (-power - 1)}{digits}"
    else:
        whole = digits[: power + 1].ljust(power + 1, "0")
        text = f"{whole}.{digits[power + 1 :]}" if digits[power + 1 :] else whole
    return _localized("-" + text if negative else text, culture)


def _custom(value: Any, pattern: str, culture: Culture) -> str:
    number = Decimal(value)
    significant = _CUSTOM_DIGITS.get(type(value))
    if significant is not None:
        # The platform hands custom formats no more digits than the type surely has.
        number = Context(prec=significant, rounding=ROUND_HALF_EVEN).plus(number)
    digits = "".join(map(str, number.as_tuple().digits)).lstrip("0")
    return format_custom(
        Digits(
            digits, number.adjusted() + 1 if digits else 0, bool(number.is_signed())
        ),
        pattern,
        culture,
    )
