"""Arithmetic on any number of values (spec 03 §3.1–3.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from hyperlambda import ArgumentError, Evaluator, Node, arithmetic, slot
from hyperlambda.dates import Time
from hyperlambda.errors import OperandError
from hyperlambda.expressions import Expression, resolve
from hyperlambda.numerals import looks_numeric
from hyperlambda.ordering import compare
from hyperlambda.reading import display_text, to_number
from hyperlambda.values import known_type

from . import texts
from .texts import charge_written

# Sums of integers up to here have 30 bits, which is what Python compares fastest.
_SMALL: Final = 2**29 - 1


@slot("math.add")
def add(evaluator: Evaluator, node: Node) -> None:
    """
    Add values, from left to right.

    Numbers give a number of their common type; a time can be added to a date. With a
    text on either side the two are joined.

    Reads:
        value: the first operand, or an expression that leads to it. If it is null the
            first child is the first operand.
        children: the other operands; those with a name that has no dot are run first.
    Leaves:
        value: the sum. Children are removed.
    Raises:
        ArgumentError: There is no operand, or one is null.
        OperandError: The types have no sum, or all operands are texts that look like
            numbers.
        OutOfRangeError: The type of the sum has no room for it.
    Source:
        Spec 03 §3.1–3.2.

    Example::

        .n:int:10
        math.add:x:@.n
           .:int:5
           .:double:0.5
        // becomes
        .n:int:10
        math.add:double:15.5
    """
    result, rest = _operands(evaluator, node)
    for child in rest:
        operand = child.value
        if type(operand) is Expression:
            operand = operand.resolve(child)
        # Inline what loops do most: the call would take longer than the sum.
        if (
            type(result) is int
            and type(operand) is int
            and -_SMALL <= result <= _SMALL
            and -_SMALL <= operand <= _SMALL
        ):
            result += operand
        elif type(result) is str or type(operand) is str:
            result = _joined(evaluator, [result, operand, *map(resolve, rest)])
        elif operand is None:
            raise _null_operand(node, child)
        else:
            result = arithmetic.add(result, operand)
    node.value = result
    if node.children:
        node.clear()


@slot("math.subtract")
def subtract(evaluator: Evaluator, node: Node) -> None:
    """
    Subtract values from the first one, from left to right.

    Reads:
        value: the first operand, or an expression that leads to it. If it is null the
            first child is the first operand.
        children: the other operands; those with a name that has no dot are run first.
    Leaves:
        value: the difference. Children are removed.
    Raises:
        ArgumentError: There is no operand, or one is null.
        OperandError: The types have no difference; a text has none.
        OutOfRangeError: The type of the result has no room for it.
    Source:
        Spec 03 §3.1–3.2.

    Example::

        math.subtract:int:10
           .:int:3
           .:int:2
        // becomes
        math.subtract:int:5
    """
    result, rest = _operands(evaluator, node)
    for child in rest:
        operand = child.value
        if type(operand) is Expression:
            operand = operand.resolve(child)
        if (  # inline, as in [math.add]
            type(result) is int
            and type(operand) is int
            and -_SMALL <= result <= _SMALL
            and -_SMALL <= operand <= _SMALL
        ):
            result -= operand
        elif operand is None:
            raise _null_operand(node, child)
        else:
            result = arithmetic.subtract(result, operand)
    node.value = result
    if node.children:
        node.clear()


@slot("math.multiply")
def multiply(evaluator: Evaluator, node: Node) -> None:
    """
    Multiply values.

    Reads:
        value: the first operand, or an expression that leads to it. If it is null the
            first child is the first operand.
        children: the other operands; those with a name that has no dot are run first.
    Leaves:
        value: the product. Children are removed.
    Raises:
        ArgumentError: There is no operand, or one is null.
        OperandError: The types have no product; a text has none.
        OutOfRangeError: The type of the result has no room for it.
    Source:
        Spec 03 §3.1–3.2.

    Example::

        math.multiply
           .:decimal:1.10
           .:int:2
        // becomes
        math.multiply:decimal:2.20
    """
    _fold(evaluator, node, arithmetic.multiply)


@slot("math.divide")
def divide(evaluator: Evaluator, node: Node) -> None:
    """
    Divide the first value by the others, from left to right.

    The quotient of integers is cut towards zero.

    Reads:
        value: the first operand, or an expression that leads to it. If it is null the
            first child is the first operand.
        children: the other operands; those with a name that has no dot are run first.
    Leaves:
        value: the quotient. Children are removed.
    Raises:
        ArgumentError: There is no operand, or one is null.
        DivisionByZeroError: An integer or decimal is divided by zero.
        OperandError: The types have no quotient; a text has none.
        OutOfRangeError: The type of the result has no room for it.
    Source:
        Spec 03 §3.1–3.2.

    Example::

        math.divide:int:7
           .:int:2
        math.divide:int:7
           .:double:2
        // becomes
        math.divide:int:3
        math.divide:double:3.5
    """
    _fold(evaluator, node, arithmetic.divide)


@slot("math.modulo")
def modulo(evaluator: Evaluator, node: Node) -> None:
    """
    Divide the first value by the others, from left to right, and keep the remainder.

    The remainder has the sign of what is divided.

    Reads:
        value: the first operand, or an expression that leads to it. If it is null the
            first child is the first operand.
        children: the other operands; those with a name that has no dot are run first.
    Leaves:
        value: the remainder. Children are removed.
    Raises:
        ArgumentError: There is no operand, or one is null.
        DivisionByZeroError: An integer or decimal is divided by zero.
        OperandError: The types have no remainder; a text or a time has none.
        OutOfRangeError: The smallest int or long is divided by -1.
    Source:
        Spec 03 §3.1–3.2.

    Example::

        math.modulo:int:-7
           .:int:3
        // becomes
        math.modulo:int:-1
    """
    _fold(evaluator, node, arithmetic.modulo)


@slot("math.max")
def max_(evaluator: Evaluator, node: Node) -> None:
    """
    Find the largest of some numbers, characters, dates or times.

    Reads:
        value: the first operand, or an expression that leads to it. If it is null the
            first child is the first operand.
        children: the other operands, of which null is passed over; those with a name
            that has no dot are run first.
    Leaves:
        value: the largest operand, of its own type; of equal ones the first. Children
            are removed.
    Raises:
        ArgumentError: There is no operand, or the first is null.
        OperandError: Two of them cannot be compared: a text, a bool, a decimal with a
            double, a date with a number …
    Source:
        Spec 03 §3.3.

    Example::

        math.max:int:3
           .:double:7.5
        // becomes
        math.max:double:7.5
    """
    _choose(evaluator, node, 1)


@slot("math.min")
def min_(evaluator: Evaluator, node: Node) -> None:
    """
    Find the smallest of some numbers, characters, dates or times.

    Reads:
        value: the first operand, or an expression that leads to it. If it is null the
            first child is the first operand.
        children: the other operands, of which null is passed over; those with a name
            that has no dot are run first.
    Leaves:
        value: the smallest operand, of its own type; of equal ones the first. Children
            are removed.
    Raises:
        ArgumentError: There is no operand, or the first is null.
        OperandError: Two of them cannot be compared: a text, a bool, a decimal with a
            double, a date with a number …
    Source:
        Spec 03 §3.3.

    Example::

        math.min
           .:int:3
           .:double:7.5
        // becomes
        math.min:int:3
    """
    _choose(evaluator, node, -1)


@slot("math.dot")
def dot(evaluator: Evaluator, node: Node) -> None:
    """
    Multiply two vectors: the sum of the products of their numbers, pair by pair.

    Reads:
        children: exactly two, whose children are the numbers; a text is read as a
            number. Those with a name that has no dot are run first. What the longer
            vector has too much is not looked at.
    Leaves:
        value: double; 0 if a vector is empty. Children are removed.
    Raises:
        ArgumentError: There are not two children, or a number is null.
        ConversionError, LiteralError: A value is no number.
    Source:
        Spec 03 §3.3.

    Example::

        .u
           .:int:1
           .:int:2
        .v
           .:double:0.5
           .:double:0.25
        math.dot
           get-nodes:x:@.u/*
           get-nodes:x:@.v/*
        // becomes
        .u
           .:int:1
           .:int:2
        .v
           .:double:0.5
           .:double:0.25
        math.dot:double:1
    """
    _require_two(node)
    evaluator.run_children(node)
    first, second = _require_two(node)
    total = 0.0
    for a, b in zip(first.children, second.children, strict=False):
        total += _double(node, a) * _double(node, b)
    node.value = total
    node.clear()


def _fold(
    evaluator: Evaluator, node: Node, operation: Callable[[Any, Any], Any]
) -> None:
    result, rest = _operands(evaluator, node)
    for child in rest:
        operand = child.value
        if type(operand) is Expression:
            operand = operand.resolve(child)
        if operand is None:
            raise _null_operand(node, child)
        result = operation(result, operand)
    node.value = result
    if node.children:
        node.clear()


def _operands(evaluator: Evaluator, node: Node) -> tuple[Any, Iterator[Node]]:
    """Run the children; return the first operand, and the nodes that hold the others."""
    if len(node.children) == 1:
        evaluator.operand(node)
    else:
        evaluator.run_children(node)
    rest = iter(node.children)
    first = node.value
    holder = node
    if first is None:
        if not node.children:
            raise ArgumentError(f"'{node.name}' has no operands")
        holder = next(rest)
        first = holder.value
    if type(first) is Expression:
        first = first.resolve(holder)
    if first is None:
        raise ArgumentError(f"the first operand of '{node.name}' is null")
    return first, rest


def _null_operand(node: Node, child: Node) -> ArgumentError:
    return ArgumentError(f"the operand '{child.name}' of '{node.name}' is null")


def _joined(evaluator: Evaluator, operands: list[Any]) -> str:
    """Return one text, made at once: a text that grows would be copied each time."""
    given = [operand for operand in operands if operand is not None]
    if len(given) > 1 and all(
        type(each) is str and looks_numeric(each) for each in given
    ):
        raise OperandError(
            f"'math.add' got {len(given)} texts that look like numbers",
            help="a number needs a type, as in ':int:5'; [strings.concat] joins texts",
        )
    if evaluator.limits.max_text is not None:
        charge_written(evaluator, [Node("", operand) for operand in given])
    return texts.join(evaluator, [display_text(operand) for operand in given])


def _choose(evaluator: Evaluator, node: Node, sign: int) -> None:
    """Leave the largest operand (sign 1) or the smallest one (-1)."""
    best, operands = _operands(evaluator, node)
    for child in operands:
        operand = resolve(child)
        if operand is not None and _order(operand, best, sign) == sign:
            best = operand
    node.value = best
    node.clear()


def _order(a: Any, b: Any, sign: int) -> int | None:
    """Return whether a value is less than (-1) or greater than (1) another."""
    kind = known_type(a)
    if kind in _CLOCK and kind is known_type(b):
        return compare(a, b)
    first, second, _ = arithmetic.promote(a, b, "max" if sign > 0 else "min")
    # Not `compare`, for which NaN is the smallest number: here it is beyond nothing.
    return (first > second) - (first < second)  # type: ignore[no-any-return]


_CLOCK = (datetime, Time)


def _require_two(node: Node) -> list[Node]:
    if len(node.children) != 2:
        raise ArgumentError(
            f"'{node.name}' needs exactly two children, and has {len(node.children)}"
        )
    return node.children


def _double(owner: Node, node: Node) -> float:
    value = resolve(node)
    if value is None:
        raise ArgumentError(f"a number of '{owner.name}' is null")
    return to_number(value, "double")  # type: ignore[no-any-return]
