"""What a program and its forks have left of what they may use up, together."""

from __future__ import annotations

from _thread import allocate_lock

from .errors import LimitError
from .node import Node

__all__ = ["MAX_FORKS", "Budget", "tree_size"]

# The most that one program may have running at a time.
MAX_FORKS = 64


class Budget:
    """
    What a program and its forks have left, together.

    Attributes:
        steps: Slots that may still be called, apart from those that a run took already.
        roots: For the program and each of its forks that runs, the trees that it has.
        stopped: Whether all of them are to end.
    """

    __slots__ = ("_lock", "roots", "steps", "stopped")

    def __init__(self, steps: int, roots: list[Node]) -> None:
        self.steps = steps
        self.roots = [roots]
        self.stopped = False
        self._lock = allocate_lock()

    def take_steps(self, most: int) -> int:
        """Take some steps away and return how many; 0 when there are none left."""
        with self._lock:
            sharing = len(self.roots)
            # A run that takes what it may not need leaves the others without.
            left = self.steps if sharing == 1 else -(-self.steps // (4 * sharing))
            taken = min(most, left)
            self.steps -= taken
            return taken

    def give_steps(self, steps: int) -> None:
        """Take back steps that were not used."""
        with self._lock:
            self.steps += steps

    def enter(self, forks: list[list[Node]]) -> None:
        """
        Count some forks in, each by its trees.

        Raises:
            LimitError: There would be too many; none of them is counted.
        """
        with self._lock:
            if len(self.roots) - 1 + len(forks) > MAX_FORKS:
                raise LimitError(
                    f"the program has more than the {MAX_FORKS} forks it may at a time"
                )
            self.roots = [*self.roots, *forks]

    def leave(self, fork: list[Node]) -> None:
        """Count a fork out."""
        with self._lock:
            # By identity: lists of the same nodes are equal. A new list, since others
            # may be reading the old one.
            self.roots = [roots for roots in self.roots if roots is not fork]

    def allow_nodes(self, more: int, most: int) -> int:
        """
        Count the nodes that there are, and return how many one run may add to them.

        Args:
            more: What that run is about to add; the return value is beyond that.
            most: What the program and its forks may have.

        Raises:
            LimitError: They would have more.
        """
        sharing = self.roots
        present = sum(tree_size(root) for roots in sharing for root in list(roots))
        if present + more > most:
            raise LimitError(f"the program has more than the {most} nodes it may")
        return max(most - present - more, most // 8) // len(sharing)


def tree_size(node: Node) -> int:
    """Return the number of nodes in a tree."""
    count = 0
    waiting = [node]
    while waiting:
        top = waiting.pop()
        count += 1
        if top.children:
            waiting.extend(top.children)
    return count
