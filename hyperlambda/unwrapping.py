"""
Unwrapping: what expressions find takes their place (spec 01 §5.10).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .errors import ExpressionError, TreeError
from .expressions import Expression
from .node import Node

if TYPE_CHECKING:
    from .evaluator import Evaluator

__all__ = ["unwrap", "unwrap_descendants"]

# Copies that were put there bring expressions with them, which bring copies: a program
# that goes further than this goes round in a circle.
_MAX_GENERATIONS = 64


def unwrap(evaluator: Evaluator, nodes: Iterable[Node], apply_lists: bool) -> None:
    """
    Replace the expression in the value of each node by the value that it finds.

    Args:
        evaluator: Whose limits count the copies.
        nodes: Looked at one by one; those without an expression stay as they are, and
            what is below a node is not looked at.
        apply_lists: Put copies of the nodes found below a node whose expression ends
            in ``*`` or finds several; a node named ``node_reference`` gets the node that
            is found as its value.

    Raises:
        ExpressionError: Several nodes are found without `apply_lists`.
        TreeError: A ``node_reference`` finds several.
        LimitError: There would be more nodes than the program may have.
    """
    for node in nodes:
        expression = node.value
        if type(expression) is not Expression:
            continue
        found = expression.evaluate(node)
        if apply_lists:
            _put(evaluator, node, expression, found)
        elif len(found) > 1:
            raise ExpressionError(
                f"the expression '{expression}' finds {len(found)} nodes where one is "
                "wanted"
            )
        else:
            node.value = found[0].value if found else None


def unwrap_descendants(evaluator: Evaluator, node: Node) -> None:
    """
    Unwrap everything below a node in document order, with lists.

    Copies that were put there are unwrapped in their turn.

    Raises:
        ExpressionError: Copies bring copies without end.
        TreeError, LimitError: See `unwrap`.
    """
    for child in node.children:
        expression = child.value
        if type(expression) is Expression and not child.children:
            found = expression.evaluate(child)
            if len(found) == 1 and not _makes_nodes(child, expression):
                child.value = found[0].value  # what nearly all are
                continue
        elif not child.children:
            continue
        _unwrap_all(evaluator, child)


def _makes_nodes(node: Node, expression: Expression) -> bool:
    return expression.iterators[-1] == "*" or node.name == "node_reference"


def _unwrap_all(evaluator: Evaluator, node: Node) -> None:
    """Unwrap a node and everything below it."""
    waiting = [(node, 0)]
    while waiting:
        top, generation = waiting.pop()
        expression = top.value
        own = len(top.children)
        if type(expression) is Expression:
            found = expression.evaluate(top)
            _put(evaluator, top, expression, found)
            if len(top.children) > own and (
                generation >= _MAX_GENERATIONS or _stands_below(top, found)
            ):
                raise ExpressionError(
                    f"the expression '{expression}' finds what it is a part of"
                )
        children = top.children
        if children:
            waiting.extend(
                [(child, generation + 1) for child in reversed(children[own:])]
            )
            waiting.extend([(child, generation) for child in reversed(children[:own])])


def _put(
    evaluator: Evaluator, node: Node, expression: Expression, found: list[Node]
) -> None:
    """Put what was found into a node, as a value, as children or as both."""
    if node.name == "node_reference":
        if len(found) > 1:
            raise TreeError(f"a reference leads to {len(found)} nodes instead of one")
        node.value = found[0] if found else None
        evaluator.references += 1
    elif expression.iterators[-1] == "*":
        node.value = None
        node.adopt(evaluator.clones(found))
    else:
        copies = evaluator.clones(found) if len(found) > 1 else []
        node.value = found[0].value if found else None
        node.adopt(copies)


def _stands_below(node: Node, others: list[Node]) -> bool:
    """Return whether one of the others is the node itself or an ancestor of it."""
    known = {id(other) for other in others}
    top: Node | None = node
    while top is not None:
        if id(top) in known:
            return True
        top = top.parent
    return False
