"""
Expressions of common shapes as one function from a node to a node.

Most expressions of most programs find at most one node: `@.name`, `@.dp/#`, `-`,
`@.arguments/*/key`. Going from node to node takes a third of the time that going from
list to list does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from .errors import ExpressionError
from .iterators import Hop, Iteration, walk_children, walk_named
from .node import Node

__all__ = [
    "chain",
    "is_within",
    "shortened",
    "single",
    "too_many",
    "walk",
]


def chain(hops: Sequence[Hop]) -> Hop | None:
    """Return one hop that does several, one after the other; None if there are none."""
    if not hops:
        return None
    chained = hops[0]
    for hop in hops[1:]:
        chained = _then(chained, hop)
    return chained


def single(
    text: str, start: Hop | None, parts: list[str], rest: Sequence[Iteration]
) -> Hop | None:
    """
    Return a hop to the one node that an expression finds, or None if it has no such shape.

    Args:
        text: The expression, for errors.
        start: What its first iterators do, if these are hops.
        parts: The texts of the other iterators.
        rest: These iterators.
    """
    if not rest:
        return start
    name = rest[-1].name
    if len(rest) == 2 and parts[0] == "*" and name is not None:
        return _only_child(text, start, name)
    return None


def walk(
    parts: list[str], rest: Sequence[Iteration]
) -> Callable[[Node], Iterator[Node]] | None:
    """Return what walks the children of a node, for `*` and `*/name`; else None."""
    if not parts or parts[0] != "*" or len(rest) > 2:
        return None
    if len(rest) == 1:
        return walk_children
    name = rest[1].name
    return None if name is None else lambda node: walk_named(node, name)


def is_within(node: Node, top: Node) -> bool:
    """Return whether a node is another one, or stands below it."""
    above: Node | None = node
    while above is not None:
        if above is top:
            return True
        above = above.parent
    return False


def too_many(text: str, count: int) -> ExpressionError:
    """Return the error for an expression that finds several nodes instead of one."""
    return ExpressionError(
        f"the expression '{shortened(text)}' finds {count} nodes where one is wanted"
    )


def shortened(text: str) -> str:
    """Return a text as it is shown in errors."""
    return text if len(text) <= 60 else text[:57] + "…"


def _then(first: Hop, second: Hop) -> Hop:
    def both(node: Node) -> Node | None:
        found = first(node)
        return None if found is None else second(found)

    return both


def _only_child(text: str, start: Hop | None, name: str) -> Hop:
    """Make `…/*/name`, which must not find several."""

    def only(node: Node) -> Node | None:
        parent = node if start is None else start(node)
        if parent is None:
            return None
        found: Node | None = None
        for child in parent.children:
            if child.name == name:
                if found is not None:
                    named = [each for each in parent.children if each.name == name]
                    raise too_many(text, len(named))
                found = child
        return found

    return only
