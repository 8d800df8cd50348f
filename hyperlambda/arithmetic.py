"""
Sums, differences, products, quotients and remainders of values (spec 03 §3.2).

The type of a result follows from the types of the operands, as in C#: ``short`` and
``short`` give ``int``, ``int`` and ``long`` give ``long``, ``decimal`` and ``double`` give
an error. Integers that overflow are an error too, and so is a null operand.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from .dates import Time, normal_date, ticks_of
from .errors import (
    ArgumentError,
    DivisionByZeroError,
    OperandError,
    OutOfRangeError,
)
from .numerals import (
    DECIMAL_CONTEXT,
    INTEGER_RANGES,
    Byte,
    Long,
    SByte,
    Short,
    Single,
    UInt,
    ULong,
    UShort,
    fit_decimal,
    looks_numeric,
    out_of_range,
    sized,
)
from .reading import display_text
from .values import Char, known_type, type_name

__all__ = ["add", "divide", "modulo", "multiply", "promote", "subtract"]


# What gives a long, unless both are an `int` of 32 bits.
_LONGS: Final = frozenset((int, Long))
_LONG_MAX: Final = 2**63 - 1
_new_int: Final = int.__new__


def add(a: Any, b: Any) -> Any:
    """
    Return the sum of two values, or two texts joined.

    A text on either side makes the result a text, in which null is nothing; but two
    texts that both look like numbers were hardly meant to be joined, and are refused.

    Raises:
        OperandError: The types have no sum.
        OutOfRangeError: The type of the result has no room for it.
        ArgumentError: An operand is null.
    """
    if (
        type(a) is int
        and type(b) is int
        and -0x80000000 <= a <= 0x7FFFFFFF
        and -0x80000000 <= b <= 0x7FFFFFFF
    ):
        result = a + b
        if -0x80000000 <= result <= 0x7FFFFFFF:
            return result
    elif (
        type(a) in _LONGS
        and type(b) in _LONGS
        and -_LONG_MAX <= a <= _LONG_MAX
        and -_LONG_MAX <= b <= _LONG_MAX
    ):
        result = a + b
        if -_LONG_MAX <= result <= _LONG_MAX:
            return _new_int(Long, result)
    elif isinstance(a, str) or isinstance(b, str):
        joined = _joined(a, b)
        if joined is not None:
            return joined
    return _apply(_ADD, a, b)


def subtract(a: Any, b: Any) -> Any:
    """Return the difference of two values; errors are those of `add`."""
    if (
        type(a) is int
        and type(b) is int
        and -0x80000000 <= a <= 0x7FFFFFFF
        and -0x80000000 <= b <= 0x7FFFFFFF
    ):
        result = a - b
        if -0x80000000 <= result <= 0x7FFFFFFF:
            return result
    elif (
        type(a) in _LONGS
        and type(b) in _LONGS
        and -_LONG_MAX <= a <= _LONG_MAX
        and -_LONG_MAX <= b <= _LONG_MAX
    ):
        result = a - b
        if -_LONG_MAX <= result <= _LONG_MAX:
            return _new_int(Long, result)
    return _apply(_SUBTRACT, a, b)


def multiply(a: Any, b: Any) -> Any:
    """Return the product of two values; errors are those of `add`."""
    if (
        type(a) is int
        and type(b) is int
        and -0x80000000 <= a <= 0x7FFFFFFF
        and -0x80000000 <= b <= 0x7FFFFFFF
    ):
        result = a * b
        if -0x80000000 <= result <= 0x7FFFFFFF:
            return result
    elif (
        type(a) in _LONGS
        and type(b) in _LONGS
        and -_LONG_MAX <= a <= _LONG_MAX
        and -_LONG_MAX <= b <= _LONG_MAX
    ):
        result = a * b
        if -_LONG_MAX <= result <= _LONG_MAX:
            return _new_int(Long, result)
    return _apply(_MULTIPLY, a, b)


def divide(a: Any, b: Any) -> Any:
    """
    Return the quotient of two values; that of integers is cut towards zero.

    Raises:
        DivisionByZeroError: The operands are integers or decimals, and the second is 0.
        OperandError, OutOfRangeError, ArgumentError: See `add`.
    """
    return _apply(_DIVIDE, a, b)


def modulo(a: Any, b: Any) -> Any:
    """Return the remainder, with the sign of the first; errors are those of `divide`."""
    return _apply(_MODULO, a, b)


def promote(a: Any, b: Any, operation: str = "compare") -> tuple[Any, Any, str]:
    """
    Return two numbers as numbers of their common type, and the name of that type.

    Raises:
        OperandError: They have none, or are no numbers; `operation` names the culprit.
    """
    left, right = _kind(a), _kind(b)
    common = _known_pairs.get((left, right))
    if common is None:
        common = _common(left, right)
    if common is None:
        raise _undefined(operation, a, b)
    return _as(common, a), _as(common, b), common


class _Operation:
    """What an operation does to numbers that already have one type."""

    __slots__ = ("decimal", "floating", "integer", "name")

    def __init__(
        self,
        name: str,
        integer: Callable[[int, int], int],
        floating: Callable[[float, float], float],
        decimal: Callable[[Decimal, Decimal], Decimal],
    ) -> None:
        self.name = name
        self.integer = integer
        self.floating = floating
        self.decimal = decimal


def _apply(operation: _Operation, a: Any, b: Any) -> Any:
    if a is None or b is None:
        raise ArgumentError(f"an operand of '{operation.name}' is null")
    left, right = _kind(a), _kind(b)
    if left is float and right is float:
        return operation.floating(a, b)
    if left in _CLOCK or right in _CLOCK:
        return _apply_clock(operation, a, b, left, right)
    first, second, common = promote(a, b, operation.name)
    if common == "decimal":
        return fit_decimal(operation.decimal(first, second))
    if common == "double":
        return operation.floating(first, second)
    if common == "float":
        return Single(operation.floating(first, second))
    if operation is _MODULO and second == -1 and first == INTEGER_RANGES[common][0]:
        raise out_of_range(common)  # as in C#, though the remainder itself would fit
    return sized(operation.integer(first, second), common)


def _undefined(name: str, a: Any, b: Any) -> OperandError:
    left, right = type_name(a) or "null", type_name(b) or "null"
    hint = None
    if left == "string" or right == "string":
        hint = "a number needs a type, as in ':int:5'; without one it is text"
    return OperandError(
        f"'{name}' is not defined for '{left}' and '{right}'", help=hint
    )


# Text


def _joined(a: Any, b: Any) -> str | None:
    """Return two values as one text, or None if neither is text."""
    left, right = _is_text(a), _is_text(b)
    if not left and not right:
        return None
    if left and right and looks_numeric(a) and looks_numeric(b):
        raise OperandError(
            "'add' got two texts that look like numbers",
            help="a number needs a type, as in ':int:5'; [strings.concat] joins texts",
        )
    return display_text(a) + display_text(b)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, Char)


# Promotion (C# binary numeric promotion)

_SMALL = frozenset((SByte, Byte, Short, UShort, Char, int))
_UNSIGNED = frozenset((Byte, UShort, Char, UInt))
_EXACT = _SMALL | {UInt, Long, ULong, Decimal}
_NUMBERS = _EXACT | {float, Single}


def _kind(value: Any) -> type | None:
    """Return the type that decides: a plain `int` is a `Long` once it is too large."""
    kind = type(value)
    if kind not in _NUMBERS:
        kind = known_type(value) or kind
    if kind is int and not -0x80000000 <= value <= 0x7FFFFFFF:
        return Long if -(2**63) <= value < 2**63 else Decimal
    return kind


# Filled as pairs of number types occur; there are 121.
_known_pairs: dict[tuple[type | None, type | None], str] = {}


def _common(left: type | None, right: type | None) -> str | None:
    """Return the name of the type that both kinds become, or None."""
    if left not in _NUMBERS or right not in _NUMBERS:
        return None
    common = _common_number({left, right})
    if common is not None:
        _known_pairs[left, right] = common
    return common


def _common_number(both: set[type | None]) -> str | None:
    if both <= _SMALL:
        return "int"
    if Decimal in both:
        return "decimal" if both <= _EXACT else None
    if float in both:
        return "double"
    if Single in both:
        return "float"
    if ULong in both:
        return "ulong" if both <= _UNSIGNED | {ULong} else None
    return "uint" if both <= _UNSIGNED else "long"


def _as(common: str, value: Any) -> Any:
    number = ord(value) if isinstance(value, str) else value
    if common == "decimal":
        return fit_decimal(Decimal(number))
    if common == "double":
        return float(number)
    return Single(number) if common == "float" else int(number)


# Numbers


def _integer_quotient(a: int, b: int) -> int:
    if b == 0:
        raise DivisionByZeroError("a number is divided by zero")
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def _integer_remainder(a: int, b: int) -> int:
    if b == 0:
        raise DivisionByZeroError("a number is divided by zero")
    remainder = abs(a) % abs(b)
    return -remainder if a < 0 else remainder


def _float_quotient(a: float, b: float) -> float:
    if b != 0:
        return a / b
    if a == 0 or a != a:
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def _float_remainder(a: float, b: float) -> float:
    return math.nan if b == 0 or math.isinf(a) else math.fmod(a, b)


def _decimal_quotient(a: Decimal, b: Decimal) -> Decimal:
    if not b:
        raise DivisionByZeroError("a number is divided by zero")
    return DECIMAL_CONTEXT.divide(a, b)


def _decimal_remainder(a: Decimal, b: Decimal) -> Decimal:
    if not b:
        raise DivisionByZeroError("a number is divided by zero")
    return DECIMAL_CONTEXT.remainder(a, b)


_ADD = _Operation("add", operator.add, operator.add, DECIMAL_CONTEXT.add)
_SUBTRACT = _Operation("subtract", operator.sub, operator.sub, DECIMAL_CONTEXT.subtract)
_MULTIPLY = _Operation("multiply", operator.mul, operator.mul, DECIMAL_CONTEXT.multiply)
_DIVIDE = _Operation("divide", _integer_quotient, _float_quotient, _decimal_quotient)
_MODULO = _Operation("modulo", _integer_remainder, _float_remainder, _decimal_remainder)


# Dates and times


def _date_plus(a: datetime, b: Time) -> datetime:
    return _moved(a, b.ticks)


def _date_minus(a: datetime, b: Time) -> datetime:
    return _moved(a, -b.ticks)


def _moved(when: datetime, ticks: int) -> datetime:
    """Move a date by a number of 100 ns; what is finer than it can hold is dropped."""
    microseconds = ticks // 10 if ticks >= 0 else -(-ticks // 10)
    try:
        return normal_date(when) + timedelta(microseconds=microseconds)
    except OverflowError as error:
        raise OutOfRangeError("the date is outside the years 1 … 9999") from error


def _between(a: datetime, b: datetime) -> Time:
    # By the clock: the zone is ignored, as the reference does.
    first = normal_date(a).replace(tzinfo=None)
    return Time(ticks_of(first - normal_date(b).replace(tzinfo=None)))


def _time_sum(a: Time, b: Time) -> Time:
    return Time(a.ticks + b.ticks)


def _time_difference(a: Time, b: Time) -> Time:
    return Time(a.ticks - b.ticks)


def _time_ratio(a: Time, b: Time) -> float:
    return _float_quotient(float(a.ticks), float(b.ticks))


def _scaled(ticks: float) -> Time:
    if not math.isfinite(ticks):
        raise OutOfRangeError("the duration does not fit 'time'")
    return Time(round(ticks))


_CLOCK = frozenset((datetime, Time))
_CLOCK_RULES: dict[tuple[str, type, type], Callable[[Any, Any], Any]] = {
    ("add", datetime, Time): _date_plus,
    ("subtract", datetime, Time): _date_minus,
    ("subtract", datetime, datetime): _between,
    ("add", Time, Time): _time_sum,
    ("subtract", Time, Time): _time_difference,
    ("divide", Time, Time): _time_ratio,
}
# A time can be scaled by what C# turns into a double unasked.
_FACTORS = _NUMBERS - {Decimal}


def _apply_clock(
    operation: _Operation, a: Any, b: Any, left: type | None, right: type | None
) -> Any:
    if left is not None and right is not None:
        rule = _CLOCK_RULES.get((operation.name, left, right))
        if rule is not None:
            return rule(a, b)
    scales = operation is _MULTIPLY or operation is _DIVIDE
    if scales and left is Time and right in _FACTORS:
        return _scaled(operation.floating(float(a.ticks), _as("double", b)))
    if operation is _MULTIPLY and right is Time and left in _FACTORS:
        return _scaled(float(b.ticks) * _as("double", a))
    raise _undefined(operation.name, a, b)
