"""
Expressions of common shapes as one hop from a node to a node.

Most expressions of most programs find at most one node: `@.name`, `@.dp/#`, `-`,
`@.arguments/*/key`. Going from node to node takes a third of the time that going from
list to list does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .descending import (
    Children,
    Pointed,
    walk_children,
    walk_named,
)
from .errors import ExpressionError
from .expression_text import shortened
from .iteration import Hop, Iteration
from .node import Node
from .siblings import MANY, children_named

__all__ = [
    "Walk",
    "chain",
    "fuse",
    "is_within",
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
        pair = _PointedBy if type(hop) is Pointed else _Then
        chained = pair(chained, hop)
    return chained


def single(text: str, start: Hop | None, rest: Sequence[Iteration]) -> Hop | None:
    """
    Return a hop to the one node that an expression finds, or None if it has no such shape.

    Args:
        text: The expression, for errors.
        start: What its first iterators do, if these are hops.
        rest: The other iterators.
    """
    if not rest:
        return start
    name = _walked_name(rest)
    return None if name is None else _OnlyChild(text, start, name)


class Walk:
    """
    What walks the children of a node, all or those of a name.

    Args:
        name: None for all of them.
    """

    __slots__ = ("_name",)

    def __init__(self, name: str | None) -> None:
        self._name = name

    def start(self, node: Node) -> Iterator[Node]:
        """Yield the children, each when it is asked for."""
        name = self._name
        return walk_children(node) if name is None else walk_named(node, name)


def walk(rest: Sequence[Iteration]) -> Walk | None:
    """Return the walk that iterators are, if they are `*` or `*/name`."""
    if len(rest) == 1 and type(rest[0]) is Children:
        return Walk(None)
    name = _walked_name(rest)
    return None if name is None else Walk(name)


def fuse(iterations: Sequence[Iteration]) -> list[Iteration]:
    """Return iterators with common pairs, such as `*` and a name, made one."""
    fused: list[Iteration] = []
    for iteration in iterations:
        together = iteration.below() if fused and type(fused[-1]) is Children else None
        if together is None:
            fused.append(iteration)
        else:
            fused[-1] = together
    return fused


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


def _walked_name(rest: Sequence[Iteration]) -> str | None:
    """Return the name in `*/name`, or None if the iterators are anything else."""
    if len(rest) == 2 and type(rest[0]) is Children:
        return rest[1].name
    return None


class _Then(Hop):
    """Two hops, one after the other."""

    __slots__ = ("_first", "_second")

    def __init__(self, first: Hop, second: Hop) -> None:
        self._first = first
        self._second = second

    def hop(self, node: Node) -> Node | None:
        found = self._first.hop(node)
        return None if found is None else self._second.hop(found)


class _PointedBy(_Then):
    """A hop and then `#`, which each use of `@.dp/#` does."""

    __slots__ = ()

    def hop(self, node: Node) -> Node | None:
        found = self._first.hop(node)
        if found is None:
            return None
        value = found.value
        return value if type(value) is Node else None


class _OnlyChild(Hop):
    """
    `…/*/name`, which must not find several.

    It is for reading values: nobody is handed the node, and no list is unsealed.
    """

    __slots__ = ("_name", "_start", "_text")

    def __init__(self, text: str, start: Hop | None, name: str) -> None:
        self._text = text
        self._start = start
        self._name = name

    def hop(self, node: Node) -> Node | None:
        start = self._start
        parent = node if start is None else start.hop(node)
        if parent is None:
            return None
        name = self._name
        children = parent.children
        if len(children) > MANY:
            children = children_named(parent, name)
        found: Node | None = None
        for child in children:
            if child.name == name:
                if found is not None:
                    named = [each for each in children if each.name == name]
                    raise too_many(self._text, len(named))
                found = child
        return found
