"""
Lists of children that nobody has come to.

A loop puts its code back as it was written after each pass. Most code of most bodies is
not reached in most passes, and need not be looked at: a block that may stay unreached
gets a `Sealed` list as its children. Whoever runs the block, or goes from it to its
children so that somebody may change them, calls `unseal` before; whoever goes through
whole trees calls `went_deep`. Looking without handing nodes on needs neither.
"""

from __future__ import annotations

from typing import Final

from .node import Node

__all__ = ["Sealed", "depths", "unseal", "went_deep"]


class Sealed(list[Node]):
    """Children that nobody has come to since the list was made."""

    __slots__ = ()


class _Depths:
    """How often somebody went through trees without looking for seals."""

    __slots__ = ("count",)

    count: int

    def __init__(self) -> None:
        self.count = 0


depths: Final = _Depths()


def unseal(node: Node) -> None:
    """Say that somebody comes to the children of a node."""
    if node.children.__class__ is Sealed:
        node.children = list(node.children)


def went_deep() -> None:
    """Say that somebody may have come to any node."""
    # Not exact with several threads, but it never stays what it was.
    depths.count += 1
