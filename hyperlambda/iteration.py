"""
What an iterator of an expression is (spec 01 §5.3).

An iterator turns the nodes found so far into the next ones: list by list; one by one, if
it finds at most one node from each; and lazily, each node when it is asked for. How it
may be run lazily is its mode:

    EACH    looks at one node at a time: can be run node by node
    FIRST   looks at the first node only
    WHOLE   looks at all of them together, or runs lazily in a way of its own
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum

from .node import Node

__all__ = ["Hop", "Iteration", "Mode"]


class Mode(Enum):
    """How an iterator may be run lazily."""

    EACH = "each"
    FIRST = "first"
    WHOLE = "whole"


class Hop:
    """What leads from one node to at most one other."""

    __slots__ = ()

    def hop(self, node: Node) -> Node | None:
        """Return the node that this one leads to."""
        raise NotImplementedError


class Iteration(Hop):
    """
    One iterator, ready to run.

    Attributes:
        mode: How it can be run lazily.
        hops: Whether it can `hop`: it finds at most one node from each.
        name: The name that it filters by, if that is all it does.
        descends: Whether it surely finds only nodes at or below those it is given.
    """

    __slots__ = ("descends", "hops", "mode", "name")

    def __init__(
        self,
        mode: Mode = Mode.EACH,
        *,
        hops: bool = False,
        name: str | None = None,
        descends: bool = False,
    ) -> None:
        self.mode = mode
        self.hops = hops
        self.name = name
        self.descends = descends

    def step(self, nodes: list[Node], identity: Node) -> list[Node]:
        """Return what it finds from some nodes, of which there is one at least."""
        if self.mode is Mode.FIRST:
            first = self.hop(nodes[0])
            return [] if first is None else [first]
        return [found for node in nodes if (found := self.hop(node)) is not None]

    def below(self) -> Iteration | None:
        """Return what does `*` and then this in one go, if there is something."""
        return None

    def lazy(self, nodes: Iterable[Node], identity: Node) -> Iterator[Node]:
        """Yield what it finds, looking at each node when it is asked for the next."""
        if self.mode is Mode.EACH:
            for node in nodes:
                yield from self.step([node], identity)
        else:
            together = list(nodes)
            if together:  # what nobody needs is not evaluated, and cannot fail
                yield from self.step(together, identity)
