"""Putting nodes in order: [sort]."""

from __future__ import annotations

from functools import cmp_to_key

from hyperlambda import ArgumentError, Evaluator, Node, slot
from hyperlambda.expressions import expression_of, resolve_int


@slot("sort")
def sort(evaluator: Evaluator, node: Node) -> None:
    """
    Sort copies of nodes, by code that compares two of them.

    Nodes that are equal keep their order.

    Reads:
        value: an expression that finds the nodes.
        children: the code. In it, `@.lhs/#` and `@.rhs/#` are the two, and `@.result` is
            to get an int: negative if the first belongs before the second, positive if
            it belongs behind it, 0 if neither.
    Leaves:
        value: none.
        children: the copies, sorted.
    Raises:
        ExpressionError: The value is not an expression.
        ArgumentError: The code gives [.result] no value.
        LimitError: There would be more nodes than the program may have.
    Source:
        Spec 02 §3.6, §7 (Q18).

    Example::

        .list
           x:int:9
           y:int:4
        sort:x:@.list/*
           math.subtract
              get-value:x:@.lhs/#
              get-value:x:@.rhs/#
           set-value:x:@.result
              get-value:x:@math.subtract
        // becomes
        .list
           x:int:9
           y:int:4
        sort
           y:int:4
           x:int:9
    """
    copies = evaluator.clones(expression_of(node).evaluate(node))

    def compare(later: Node, earlier: Node) -> int:
        evaluator.count_step()
        # Python asks whether the later one belongs first. Asked the other way round,
        # code that never answers 0 keeps the order of equal nodes too.
        return -_compare(evaluator, node, earlier, later)

    with evaluator.holding(copies):
        ordered = sorted(copies, key=cmp_to_key(compare))
    node.value = None
    node.clear()
    node.extend(ordered)


def _compare(evaluator: Evaluator, node: Node, left: Node, right: Node) -> int:
    """Run the children of a node to compare two others."""
    result = Node(".result")
    # Put aside, and run as copies: the code changes itself while it runs.
    body = node.take_children()
    node.adopt(
        [result, Node(".lhs", left), Node(".rhs", right), *evaluator.clones(body)]
    )
    evaluator.run_children(node)
    try:
        if result.value is None:
            raise ArgumentError("the code of 'sort' gives [.result] no value")
        return resolve_int(result)
    finally:
        node.clear()
        node.adopt(body)
