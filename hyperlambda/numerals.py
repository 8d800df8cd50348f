"""
Numbers: the widths that the language knows, and their spelling (spec 01 §3.1–3.3).

A plain `int` is the language's ``int`` (32 bit), a `float` its ``double`` and a
`decimal.Decimal` its ``decimal``. The other widths are subclasses that carry nothing but
their name, so that ``short:5`` is still a ``short`` when it is printed again. Arithmetic
in Python on them gives plain numbers; `hyperlambda.arithmetic` knows the real rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import MAX_EMAX, MIN_EMIN, ROUND_05UP, ROUND_HALF_EVEN, Context, Decimal
from struct import Struct
from typing import Any, ClassVar, Self

from .errors import LiteralError, OutOfRangeError

__all__ = [
    "DECIMAL_CONTEXT",
    "INTEGER_RANGES",
    "Byte",
    "Long",
    "SByte",
    "Short",
    "Single",
    "UInt",
    "ULong",
    "UShort",
    "abbreviate",
    "decimal_text",
    "double_text",
    "fit_decimal",
    "integer_parser",
    "integer_text",
    "looks_numeric",
    "out_of_range",
    "parse_decimal",
    "parse_double",
    "parse_single",
    "single_text",
    "sized",
]

INTEGER_RANGES: dict[str, tuple[int, int]] = {
    "sbyte": (-(2**7), 2**7 - 1),
    "byte": (0, 2**8 - 1),
    "short": (-(2**15), 2**15 - 1),
    "ushort": (0, 2**16 - 1),
    "int": (-(2**31), 2**31 - 1),
    "uint": (0, 2**32 - 1),
    "long": (-(2**63), 2**63 - 1),
    "ulong": (0, 2**64 - 1),
}


def abbreviate(text: str) -> str:
    """Return a text as an error message quotes it: one line, of at most 40 characters."""
    shown = text if len(text) <= 40 else text[:40] + "…"
    return (
        "'"
        + "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown)
        + "'"
    )


class _Sized(int):
    """An integer of a width of its own; subclasses say which."""

    __slots__ = ()
    name: ClassVar[str]

    def __new__(cls, value: int = 0) -> Self:
        """
        Make one from an integer.

        Raises:
            OutOfRangeError: The width has no room for it.
        """
        low, high = INTEGER_RANGES[cls.name]
        if not low <= value <= high:
            raise out_of_range(cls.name)
        return int.__new__(cls, value)


class SByte(_Sized):
    """A signed integer of 8 bits."""

    __slots__ = ()
    name = "sbyte"


class Byte(_Sized):
    """An unsigned integer of 8 bits."""

    __slots__ = ()
    name = "byte"


class Short(_Sized):
    """A signed integer of 16 bits."""

    __slots__ = ()
    name = "short"


class UShort(_Sized):
    """An unsigned integer of 16 bits."""

    __slots__ = ()
    name = "ushort"


class UInt(_Sized):
    """An unsigned integer of 32 bits."""

    __slots__ = ()
    name = "uint"


class Long(_Sized):
    """A signed integer of 64 bits."""

    __slots__ = ()
    name = "long"


class ULong(_Sized):
    """An unsigned integer of 64 bits."""

    __slots__ = ()
    name = "ulong"


_FLOAT32 = Struct("<f")


class Single(float):
    """A floating point number of 32 bits, rounded when it is made."""

    __slots__ = ()

    def __new__(cls, value: float = 0.0) -> Self:
        try:
            (rounded,) = _FLOAT32.unpack(_FLOAT32.pack(value))
        except OverflowError:  # as the reference: too large is infinite
            rounded = float("inf") if value > 0 else float("-inf")
        return float.__new__(cls, rounded)


_MAKERS: dict[str, Callable[[int], int]] = {
    kind.name: kind for kind in (SByte, Byte, Short, UShort, UInt, Long, ULong)
}


def sized(value: int, name: str) -> int:
    """
    Return an integer as the type of that name, such as ``int`` or ``ushort``.

    Raises:
        OutOfRangeError: The type has no room for it.
    """
    low, high = INTEGER_RANGES[name]
    if not low <= value <= high:
        raise out_of_range(name)
    return int(value) if name == "int" else int.__new__(_MAKERS[name], value)  # type: ignore[call-overload]


def out_of_range(name: str) -> OutOfRangeError:
    """Return the error of a number that the type of that name has no room for."""
    if name in INTEGER_RANGES:
        low, high = INTEGER_RANGES[name]
        return OutOfRangeError(
            f"the number does not fit '{name}'", help=f"'{name}' is {low} … {high}"
        )
    return OutOfRangeError(f"the number does not fit '{name}'")


# Integers

# Possessive throughout, so that no text makes matching slower than its length.
_SPACE = r"[\t-\r ]*+"
_INTEGER = re.compile(rf"{_SPACE}([+-]?)(?=[0-9])0*+([0-9]*+){_SPACE}")


def integer_parser(name: str) -> Callable[[str], Any]:
    """Return the function that reads an integer of that type (spec 01 §3.2)."""
    low, high = INTEGER_RANGES[name]
    make: Callable[[int], int] | None = _MAKERS.get(name)
    # A text of that many digits fits whatever they are.
    safe = len(str(high)) - 1

    def parse(text: str) -> int:
        if len(text) <= safe and text.isdigit() and text.isascii():
            number = int(text)
        else:
            match = _INTEGER.fullmatch(text)
            if match is None:
                raise LiteralError(f"{abbreviate(text)} is not an integer")
            sign, digits = match.groups()
            if len(digits) > 20:
                raise out_of_range(name)
            number = int(digits or "0")
            if sign == "-":
                number = -number
            if not low <= number <= high:
                raise out_of_range(name)
        return number if make is None else make(number)

    return parse


def integer_text(value: int) -> str:
    """
    Return the decimal digits of an integer.

    Raises:
        OutOfRangeError: It has more digits than Python is willing to print.
    """
    try:
        return int.__repr__(value)
    except ValueError as error:
        raise OutOfRangeError("the number has too many digits") from error


# Decimals

# Exact for any sum or product of two decimals; ROUND_05UP keeps a trace of what a
# division drops, so that the second rounding, in `fit_decimal`, is right.
DECIMAL_CONTEXT = Context(
    prec=100, rounding=ROUND_05UP, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[]
)
_ROUNDING = Context(
    prec=100, rounding=ROUND_HALF_EVEN, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[]
)
_STEPS = [Decimal((0, (1,), -scale)) for scale in range(29)]
_LIMITS = [Decimal(2**96 - 1).scaleb(-scale, _ROUNDING) for scale in range(29)]
_GROUPED = r"(?:[0-9]{1,3}+(?:,[0-9]{3})++(?![0-9])|[0-9]*+)"
_DECIMAL = re.compile(
    rf"{_SPACE}([+-]?)(?=\.?[0-9])({_GROUPED})(?:\.([0-9]*+))?{_SPACE}([+-]?){_SPACE}"
)


def fit_decimal(value: Decimal) -> Decimal:
    """
    Return a decimal as one of 96 bits with at most 28 decimals, rounded half to even.

    Raises:
        OutOfRangeError: It is too large, or no number.
    """
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise out_of_range("decimal")
    scale = min(max(-exponent, 0), 28)
    if not value:
        return _STEPS[scale] - _STEPS[scale]
    size = value.adjusted() + 1
    if size > 29:
        raise out_of_range("decimal")
    for fewer in range(min(scale, 29 - max(size, 0)), -1, -1):
        fitted = value.quantize(_STEPS[fewer], context=_ROUNDING)
        # Not `abs`, which rounds to the precision of the thread's own context.
        if fitted.copy_abs() <= _LIMITS[fewer]:
            return fitted if fitted else fitted.copy_abs()
    raise out_of_range("decimal")


def parse_decimal(text: str) -> Decimal:
    """
    Read a decimal and keep its scale: ``2.50`` has two decimals (spec 01 §3.2).

    Commas are accepted only between groups of three digits.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise LiteralError(f"{abbreviate(text)} is not a decimal number")
    lead, whole, fraction, trail = match.groups(default="")
    if lead and trail:
        raise LiteralError(f"{abbreviate(text)} is not a decimal number")
    whole = whole.replace(",", "").lstrip("0")
    if len(whole) > 29:
        raise out_of_range("decimal")
    if len(fraction) > 60:
        # Digits this far out only decide between a tie and more than a tie.
        fraction = fraction[:60] + ("1" if fraction[60:].strip("0") else "")
    return fit_decimal(Decimal(f"{lead or trail}{whole or '0'}.{fraction}"))


def decimal_text(value: Decimal) -> str:
    """
    Return a decimal in fixed notation, with its scale: ``1.50``, ``0.0000001``.

    Raises:
        OutOfRangeError: It would need an exponent.
    """
    text = str(value)
    return format(fit_decimal(value), "f") if "E" in text else text


# Floating point

_FLOAT = re.compile(
    rf"{_SPACE}([+-]?(?=\.?[0-9]){_GROUPED}(?:\.[0-9]*+)?(?:[eE][+-]?[0-9]++)?){_SPACE}"
)
_SPECIAL = re.compile(
    rf"{_SPACE}([+-]?)(nan|infinity){_SPACE}", re.IGNORECASE | re.ASCII
)


def parse_double(text: str) -> float:
    """
    Read a floating point number; too large ones are infinite (spec 01 §3.2).

    Commas are accepted only between groups of three digits.
    """
    match = _FLOAT.fullmatch(text)
    if match is not None:
        return float(match[1].replace(",", ""))
    match = _SPECIAL.fullmatch(text)
    if match is None:
        raise LiteralError(f"{abbreviate(text)} is not a number")
    return float(match[1] + match[2])


def looks_numeric(text: str) -> bool:
    """Return whether a text spells a number in digits."""
    return _FLOAT.fullmatch(text) is not None


def parse_single(text: str) -> Single:
    """Read a floating point number of 32 bits; see `parse_double`."""
    return Single(parse_double(text))


_SPECIAL_TEXTS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def double_text(value: float) -> str:
    """Return the shortest text that reads as this number (spec 01 §3.3)."""
    text = float.__repr__(value)
    if text.endswith(".0"):
        return text[:-2]
    if "e" not in text:
        return _SPECIAL_TEXTS.get(text, text)
    mantissa, _, exponent = text.partition("e")
    if exponent == "+16":  # where Python has changed notation and .NET has not
        whole, _, fraction = mantissa.partition(".")
        return whole + fraction.ljust(16, "0")
    return f"{mantissa}E{exponent}"


def single_text(value: float) -> str:
    """Return the shortest text that reads as this number in 32 bits (spec 01 §3.3)."""
    text = float.__repr__(value)
    if text in _SPECIAL_TEXTS:
        return _SPECIAL_TEXTS[text]
    scientific = text
    for decimals in range(9):
        scientific = f"{float(value):.{decimals}e}"
        if Single(float(scientific)) == value:
            break
    mantissa, _, power = scientific.partition("e")
    exponent = int(power)
    if exponent < -4 or exponent >= 9:
        return f"{mantissa}E{power}"
    sign = "-" if mantissa.startswith("-") else ""
    digits = mantissa.lstrip("-").replace(".", "")
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    digits = digits.ljust(exponent + 1, "0")
    whole, fraction = digits[: exponent + 1], digits[exponent + 1 :]
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"
