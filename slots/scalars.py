"""Functions of one number: [math.abs], [math.round], [math.sqrt] … (spec 03 §3.4)."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Any

from hyperlambda import Evaluator, Node, slot
from hyperlambda.errors import OperandError
from hyperlambda.expressions import resolve
from hyperlambda.numerals import (
    Byte,
    Long,
    SByte,
    Short,
    Single,
    UInt,
    ULong,
    UShort,
    fit_decimal,
    out_of_range,
    sized,
)
from hyperlambda.reading import to_number
from hyperlambda.values import Char, known_type, type_name


@slot("math.abs")
def abs_(evaluator: Evaluator, node: Node) -> None:
    """
    Take the sign of a number away.

    Reads:
        value: a number or a char, or an expression that leads to it.
    Leaves:
        value: of the same type, except that a byte becomes a short, a ushort or a char
            an int, and a uint a long. Children are kept.
    Raises:
        OperandError: The value is of another type, or null.
        OutOfRangeError: It is the smallest number of its type.
    Source:
        Spec 03 §3.4.

    Example::

        math.abs:int:-4
        // becomes
        math.abs:int:4
    """
    node.value = _apply("abs", _ABSOLUTE, resolve(node))


@slot("math.ceil")
def ceil(evaluator: Evaluator, node: Node) -> None:
    """
    Round a number up to the next whole one.

    Reads:
        value: a number, or an expression that leads to it.
    Leaves:
        value: double for a double or a float, decimal for a decimal; an integer stays as
            it is. Children are kept.
    Raises:
        OperandError: The value is of another type, or null.
    Source:
        Spec 03 §3.4, improved for integers (Q4).

    Example::

        math.ceil:double:2.1
        // becomes
        math.ceil:double:3
    """
    node.value = _apply("ceil", _CEIL, resolve(node))


@slot("math.floor")
def floor(evaluator: Evaluator, node: Node) -> None:
    """
    Round a number down to the next whole one.

    Reads:
        value: a number, or an expression that leads to it.
    Leaves:
        value: double for a double or a float, decimal for a decimal; an integer stays as
            it is. Children are kept.
    Raises:
        OperandError: The value is of another type, or null.
    Source:
        Spec 03 §3.4, improved for integers (Q4).

    Example::

        math.floor:double:-2.1
        // becomes
        math.floor:double:-3
    """
    node.value = _apply("floor", _FLOOR, resolve(node))


@slot("math.round")
def round_(evaluator: Evaluator, node: Node) -> None:
    """
    Round a number to the nearest whole one, and a half to the even one.

    Reads:
        value: a number, or an expression that leads to it.
    Leaves:
        value: double for a double or a float, decimal for a decimal; an integer stays as
            it is. Children are kept.
    Raises:
        OperandError: The value is of another type, or null.
    Source:
        Spec 03 §3.4, improved for integers (Q4).

    Example::

        math.round:double:2.5
        math.round:double:3.5
        // becomes
        math.round:double:2
        math.round:double:4
    """
    node.value = _apply("round", _ROUND, resolve(node))


@slot("math.sqrt")
def sqrt(evaluator: Evaluator, node: Node) -> None:
    """
    Take the square root of a number.

    Reads:
        value: a number or a char, or an expression that leads to it.
    Leaves:
        value: double, NaN if the number is negative. Children are kept.
    Raises:
        OperandError: The value is no number, or null.
    Source:
        Spec 03 §3.4, improved for decimals (Q4).

    Example::

        math.sqrt:int:9
        // becomes
        math.sqrt:double:3
    """
    node.value = _float_function("sqrt", math.sqrt, resolve(node))


@slot("math.sin")
def sin(evaluator: Evaluator, node: Node) -> None:
    """
    Find the sine of an angle.

    Reads:
        value: the angle in radians, a number or a char, or an expression that leads to it.
    Leaves:
        value: double, NaN if the angle is infinite. Children are kept.
    Raises:
        OperandError: The value is no number, or null.
    Source:
        Spec 03 §3.4, improved for decimals (Q4).

    Example::

        math.sin:int:0
        // becomes
        math.sin:double:0
    """
    node.value = _float_function("sin", math.sin, resolve(node))


@slot("math.cos")
def cos(evaluator: Evaluator, node: Node) -> None:
    """
    Find the cosine of an angle.

    Reads:
        value: the angle in radians, a number or a char, or an expression that leads to it.
    Leaves:
        value: double, NaN if the angle is infinite. Children are kept.
    Raises:
        OperandError: The value is no number, or null.
    Source:
        Spec 03 §3.4, improved for decimals (Q4).

    Example::

        math.cos:int:0
        // becomes
        math.cos:double:1
    """
    node.value = _float_function("cos", math.cos, resolve(node))


def _apply(
    name: str, table: dict[type | None, Callable[[Any], Any]], value: Any
) -> Any:
    function = table.get(type(value)) or table.get(known_type(value))
    if function is None:
        raise _undefined(name, value)
    return function(value)


def _float_function(name: str, function: Callable[[float], float], value: Any) -> float:
    if known_type(value) not in _NUMBERS:
        raise _undefined(name, value)
    number = to_number(ord(value) if isinstance(value, str) else value, "double")
    try:
        return function(number)
    except ValueError:  # what has no result in Python is not a number elsewhere
        return math.nan


def _undefined(name: str, value: Any) -> OperandError:
    kind = type_name(value) or "null"
    hint = None
    if kind == "string":
        hint = "a number needs a type, as in ':int:5'; without one it is text"
    return OperandError(f"'math.{name}' is not defined for '{kind}'", help=hint)


def _same(value: Any) -> Any:
    return value


# Absolute values: C# has [math.abs] of some types only, and picks the next wider one.


def _absolute_integer(value: int) -> int:
    if value == -(2**31):
        raise out_of_range("int")
    if value == -(2**63):  # a plain integer as large as a long
        raise out_of_range("long")
    return abs(value)


def _absolute_as(name: str) -> Callable[[int], int]:
    return lambda value: sized(abs(value), name)


def _absolute_single(value: float) -> Single:
    return Single(abs(value))


_ABSOLUTE: dict[type | None, Callable[[Any], Any]] = {
    int: _absolute_integer,
    SByte: _absolute_as("sbyte"),
    Byte: _absolute_as("short"),
    Short: _absolute_as("short"),
    UShort: int,
    Char: ord,
    UInt: _absolute_as("long"),
    Long: _absolute_as("long"),
    float: abs,
    Single: _absolute_single,
    # Not `abs`, which rounds to the precision of the thread's own context.
    Decimal: Decimal.copy_abs,
}

# Rounding. A double keeps its sign, also that of zero.


def _rounding(
    function: Callable[[float], int], mode: str
) -> dict[type | None, Callable[[Any], Any]]:
    def of_double(value: float) -> float:
        if not -_WHOLE < value < _WHOLE:
            return float(value)
        return math.copysign(function(value), value)

    def of_decimal(value: Decimal) -> Decimal:
        if not value.is_finite():  # the language has no such decimal, but Python does
            raise out_of_range("decimal")
        return fit_decimal(value.to_integral_value(mode))

    return {
        **dict.fromkeys(_INTEGERS, _same),
        float: of_double,
        Single: of_double,
        Decimal: of_decimal,
    }


# From here on every double is whole; infinity and what is no number are not below it.
_WHOLE = 2.0**52
_INTEGERS = (int, SByte, Byte, Short, UShort, UInt, Long, ULong)
_NUMBERS = frozenset((*_INTEGERS, Char, float, Single, Decimal))
_CEIL = _rounding(math.ceil, ROUND_CEILING)
_FLOOR = _rounding(math.floor, ROUND_FLOOR)
_ROUND = _rounding(round, ROUND_HALF_EVEN)
