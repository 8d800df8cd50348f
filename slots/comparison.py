"""Comparing values: [eq], [neq], [lt], [lte], [mt], [mte]."""

from __future__ import annotations

from typing import Any

from hyperlambda import ArgumentError, Evaluator, Node, slot
from hyperlambda.expressions import Expression
from hyperlambda.ordering import compare, equal

_LONG = 10_000


def _operands(evaluator: Evaluator, node: Node) -> tuple[Any, Any]:
    """Run the children and return the two values to compare."""
    children = node.children
    own = node.value is not None
    if len(children) != 2 - own:
        raise ArgumentError(
            f"'{node.name}' compares two things: two children, or its value and one child"
        )
    evaluator.run_children(node)
    holder = node if own else children[0]
    left = holder.value
    if type(left) is Expression:
        left = left.resolve(holder)
    holder = children[-1]
    right = holder.value
    if type(right) is Expression:
        right = right.resolve(holder)
    return left, right


@slot("eq")
def eq(evaluator: Evaluator, node: Node) -> None:
    """
    Find out whether two values are the same and of the same type.

    Reads:
        children: two operands; or the value and one child. Those whose name has no dot
            first are run before.
    Leaves:
        value: bool.
        children: as they are; what was run shows its own results.
    Raises:
        ArgumentError: There are not exactly two operands.
    Source:
        Spec 02 §3.3, §5.2.

    Example::

        .n:int:7
        eq:x:@.n
           .:int:7
        eq
           .:int:7
           .:long:7
        // becomes
        .n:int:7
        eq:bool:true
           .:int:7
        eq:bool:false
           .:int:7
           .:long:7
    """
    left, right = _operands(evaluator, node)
    node.value = equal(left, right)


@slot("neq")
def neq(evaluator: Evaluator, node: Node) -> None:
    """
    Find out whether two values differ, in value or in type.

    Reads:
        As [eq].
    Leaves:
        value: bool.
        children: as they are; what was run shows its own results.
    Raises:
        ArgumentError: There are not exactly two operands.
    Source:
        Spec 02 §3.3, §5.2.

    Example::

        neq
           .:a
           .:b
        // becomes
        neq:bool:true
           .:a
           .:b
    """
    left, right = _operands(evaluator, node)
    node.value = not equal(left, right)


def _order(evaluator: Evaluator, node: Node) -> int | None:
    left, right = _operands(evaluator, node)
    if type(left) is int and type(right) is int:  # what loops do most
        return left - right
    if type(left) is str and len(left) > _LONG:
        evaluator.time_left()  # to order texts takes longer than a step
    return compare(left, right)


@slot("lt")
def lt(evaluator: Evaluator, node: Node) -> None:
    """
    Find out whether the left value is less than the right one.

    Reads:
        As [eq].
    Leaves:
        value: bool; false when the types differ. No value is less than any value.
        children: as they are; what was run shows its own results.
    Raises:
        ArgumentError: There are not exactly two operands.
        ConversionError: The values have no order.
    Source:
        Spec 02 §3.3, §5.2.

    Example::

        lt
           .:apple
           .:Bean
        // becomes
        lt:bool:true
           .:apple
           .:Bean
    """
    order = _order(evaluator, node)
    node.value = order is not None and order < 0


@slot("lte")
def lte(evaluator: Evaluator, node: Node) -> None:
    """
    Find out whether the left value is less than the right one, or the same.

    Reads:
        As [eq].
    Leaves:
        value: bool; false when the types differ.
        children: as they are; what was run shows its own results.
    Raises:
        ArgumentError: There are not exactly two operands.
        ConversionError: The values have no order.
    Source:
        Spec 02 §3.3, §5.2.

    Example::

        lte
           .:int:3
           .:int:3
        // becomes
        lte:bool:true
           .:int:3
           .:int:3
    """
    order = _order(evaluator, node)
    node.value = order is not None and order <= 0


@slot("mt")
def mt(evaluator: Evaluator, node: Node) -> None:
    """
    Find out whether the left value is more than the right one.

    Reads:
        As [eq].
    Leaves:
        value: bool; false when the types differ.
        children: as they are; what was run shows its own results.
    Raises:
        ArgumentError: There are not exactly two operands.
        ConversionError: The values have no order.
    Source:
        Spec 02 §3.3, §5.2.

    Example::

        mt
           .:int:5
           .:int:3
        // becomes
        mt:bool:true
           .:int:5
           .:int:3
    """
    order = _order(evaluator, node)
    node.value = order is not None and order > 0


@slot("mte")
def mte(evaluator: Evaluator, node: Node) -> None:
    """
    Find out whether the left value is more than the right one, or the same.

    Reads:
        As [eq].
    Leaves:
        value: bool; false when the types differ.
        children: as they are; what was run shows its own results.
    Raises:
        ArgumentError: There are not exactly two operands.
        ConversionError: The values have no order.
    Source:
        Spec 02 §3.3, §5.2.

    Example::

        mte
           .:int:5
           .:int:3
        // becomes
        mte:bool:true
           .:int:5
           .:int:3
    """
    order = _order(evaluator, node)
    node.value = order is not None and order >= 0
