"""Arithmetic (spec 03 §3.1–3.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hyperlambda import ArgumentError, Evaluator, Node, arithmetic, slot
from hyperlambda.expressions import expression_of, resolve
from hyperlambda.values import Char


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
        OperandError: The types have no sum, or two texts look like numbers.
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
    _fold(evaluator, node, arithmetic.add)


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
    _fold(evaluator, node, arithmetic.subtract)


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


@slot("math.increment")
def increment(evaluator: Evaluator, node: Node) -> None:
    """
    Add a step to the value of each node that an expression finds.

    Reads:
        value: an expression; no node is fine.
        first child, whatever its name: the step, 1 by default. Children with a name
            that has no dot are run first.
    Leaves:
        value: the expression. Children are removed. The nodes that were found have their
            new values; null stays null.
    Raises:
        ExpressionError: The value is not an expression.
        ArgumentError: The step is an expression that leads to null.
        OperandError, OutOfRangeError: See `math.add`.
    Source:
        Spec 03 §3.3.

    Example::

        .n:int:10
        math.increment:x:@.n
        math.increment:x:@.n
           .:int:5
        // becomes
        .n:int:16
        math.increment:x:@.n
        math.increment:x:@.n
    """
    _change(evaluator, node, arithmetic.add)


@slot("math.decrement")
def decrement(evaluator: Evaluator, node: Node) -> None:
    """
    Subtract a step from the value of each node that an expression finds.

    Reads:
        value: an expression; no node is fine.
        first child, whatever its name: the step, 1 by default. Children with a name
            that has no dot are run first.
    Leaves:
        value: the expression. Children are removed. The nodes that were found have their
            new values; null stays null.
    Raises:
        ExpressionError: The value is not an expression.
        ArgumentError: The step is an expression that leads to null.
        OperandError, OutOfRangeError: See `math.subtract`.
    Source:
        Spec 03 §3.3.

    Example::

        .n:int:10
        math.decrement:x:@.n
        // becomes
        .n:int:9
        math.decrement:x:@.n
    """
    _change(evaluator, node, arithmetic.subtract)


def _fold(
    evaluator: Evaluator, node: Node, operation: Callable[[Any, Any], Any]
) -> None:
    evaluator.run_children(node)
    operands = node.children
    if node.value is not None:
        result = resolve(node)
    elif operands:
        result = resolve(operands[0])
        operands = operands[1:]
    else:
        raise ArgumentError(f"'{node.name}' has no operands")
    if result is None:
        raise ArgumentError(f"the first operand of '{node.name}' is null")
    for child in operands:
        operand = resolve(child)
        if operand is not None:
            result = operation(result, operand)
        elif operation is not arithmetic.add or not _is_text(result):
            raise ArgumentError(f"the operand '{child.name}' of '{node.name}' is null")
    node.value = result
    node.clear()


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, Char)


def _change(
    evaluator: Evaluator, node: Node, operation: Callable[[Any, Any], Any]
) -> None:
    expression = expression_of(node)
    evaluator.run_children(node)
    step = _step(node)
    for target in expression.evaluate(node):
        if target.value is not None:
            target.value = operation(target.value, step)
    node.clear()


def _step(node: Node) -> Any:
    if not node.children:
        return 1
    child = node.children[0]
    if child.value is None:
        return 1
    step = resolve(child)
    if step is None:
        raise ArgumentError(
            f"the step of '{node.name}' is an expression that finds null"
        )
    return step
