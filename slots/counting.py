"""Changing values step by step: [math.increment], [math.decrement] (spec 03 §3.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from hyperlambda import ArgumentError, Evaluator, Node, arithmetic, slot
from hyperlambda.expressions import Expression, expression_of, resolve
from hyperlambda.numerals import Long

# Sums of integers up to here have 30 bits, which is what Python compares fastest.
_SMALL: Final = 2**29 - 1
# Sums with one of those that surely are a long.
_LARGE: Final = 2**62
_new_int: Final = int.__new__


@slot("math.increment")
def increment(
    evaluator: Evaluator,
    node: Node,
    sign: int = 1,
    operation: Callable[[Any, Any], Any] = arithmetic.add,
) -> None:
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
    # [math.decrement] is the same with another sign: a function for both would cost a call.
    expression = node.value
    if type(expression) is not Expression:
        expression = expression_of(node)
    step: Any = 1
    # What loops do most is done here: a call would take longer than the sum.
    change: int | None = sign
    if node.children:
        step = _step(evaluator, node)
        is_small = type(step) is int and -_SMALL <= step <= _SMALL
        change = step * sign if is_small else None
    hop = expression.hop
    if hop is None:
        targets = expression.evaluate(node)
    else:
        only = hop.hop(node)
        targets = [] if only is None else [only]
    for target in targets:
        value = target.value
        kind = type(value)
        if change is not None and kind is int and -_SMALL <= value <= _SMALL:
            target.value = value + change
        elif change is not None and kind is Long and -_LARGE <= value <= _LARGE:
            target.value = _new_int(Long, value + change)
        elif value is not None:
            result = operation(value, step)
            if type(result) is str:
                evaluator.charge_text(len(result))
            target.value = result
    if node.children:
        node.clear()


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
    increment(evaluator, node, -1, arithmetic.subtract)


def _step(evaluator: Evaluator, node: Node) -> Any:
    if len(node.children) == 1:
        step = evaluator.operand(node)
    else:
        evaluator.run_children(node)
        step = resolve(node.children[0])
    if step is None:
        if node.children[0].value is None:
            return 1
        raise ArgumentError(
            f"the step of '{node.name}' is an expression that finds null"
        )
    return step
