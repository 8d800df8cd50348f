"""
Code that runs again and again, and each time as it was written.

Programs change while they run: a loop needs its body as new for each round. Copying it
takes longer than most bodies run, so the nodes of the last round are used again, with
only what changed put back; all is copied where somebody could tell the difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .node import Node

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .run import Run

__all__ = ["Body"]


class Body:
    """
    The code of a loop.

    Args:
        run: The program that it belongs to.
        nodes: The code as it was written; never run itself.
    """

    __slots__ = ("_copies", "_originals", "_run")

    def __init__(self, run: Run, nodes: list[Node]) -> None:
        self._run = run
        self._originals = nodes
        self._copies: list[Node] | None = None

    def fresh(self) -> list[Node]:
        """
        Return the code for another round; nodes of earlier rounds are given up.

        Raises:
            LimitError: There would be more nodes than the program may have.
        """
        copies = self._copies
        if copies is None or not self._restore(self._originals, copies):
            copies = self._copies = self._run.clones(self._originals)
        return copies

    def _restore(self, originals: Sequence[Node], copies: Sequence[Node]) -> bool:
        """Put back what changed; False if some nodes may still be in use elsewhere."""
        waiting = [(originals, copies)]
        while waiting:
            originals, copies = waiting.pop()
            for original, copy in zip(originals, copies, strict=True):
                value = copy.value
                if value is not original.value:
                    # A node that is a value may be known elsewhere too, and may be one
                    # of ours: then these are not ours alone any more.
                    if type(value) is Node:
                        return False
                    copy.value = original.value
                if copy.name is not original.name:
                    copy.name = original.name
                if copy.version:  # its children are others than those that were copied
                    copy.clear()
                    copy.adopt(self._run.clones(list(original.children)))
                    copy.version = 0
                elif original.children:
                    waiting.append((original.children, copy.children))
        return True
