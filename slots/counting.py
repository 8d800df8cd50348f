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
        step = evaluator.operand(node) if len(node.children) == 1 else None
        if type(step) is int and -_SMALL <= step <= _SMALL:
            change = step * sign
        else:
            step = _other_step(evaluator, node, step)
            change = None
    hop = expression.hop
    if hop is not None:
        only = hop.hop(node)
        if only is not None:
            value = only.value
            kind = type(value)
            if change is None:
                _apply(evaluator, only, step, operation)
            elif kind is int and -_SMALL <= value <= _SMALL:
                only.value = value + change
            elif kind is Long and -_LARGE <= value <= _LARGE:
                only.value = _new_int(Long, value + change)
            else:
                _apply(evaluator, only, step, operation)
    else:
        for target in expression.evaluate(node):
            _apply(evaluator, target, step, operation)
    if node.children:
        node.clear()


def _apply(
    evaluator: Evaluator, target: Node, step: Any, operation: Callable[[Any, Any], Any]
) -> None:
    value = target.value
    if value is not None:
        result = operation(value, step)
        if type(result) is str:
            evaluator.charge_text(len(result))
        target.value = result


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


def _other_step(evaluator: Evaluator, node: Node, step: Any) -> Any:
    """Return the step that is not a small int; of several children it is the first."""
    if len(node.children) > 1:
        evaluator.run_children(node)
        step = resolve(node.children[0])
    if step is None:
        if node.children[0].value is None:
            return 1
        raise ArgumentError(
            f"the step of '{node.name}' is an expression that finds null"
        )
    return step
