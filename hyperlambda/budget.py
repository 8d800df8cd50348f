"""What a program and its forks have left of what they may use up, together."""

from __future__ import annotations

from _thread import allocate_lock
from collections.abc import Iterable

from .errors import LimitError
from .node import Node

__all__ = ["MAX_FORKS", "Budget", "copy_size"]

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
        present = len(_present(self._trees()))
        if present + more > most:
            raise LimitError(f"the program has more than the {most} nodes it may")
        return max(most - present - more, most // 8) // len(self.roots)

    def allow_text(self, more: int, most: int, stored: Iterable[Node]) -> int:
        """
        Count the characters of all texts, and return how many one run may add to them.

        Args:
            more: How many that run is about to add; the return value is beyond that.
            most: What the program and its forks may have.
            stored: Code that stands in no tree of theirs.

        Raises:
            LimitError: They would have more.
        """
        present = _text_size(_present([*self._trees(), *stored]))
        if present + more > most:
            raise LimitError(
                f"the texts of the program have more than the {most} characters they "
                "may have together"
            )
        return max(most - present - more, most // 8) // len(self.roots)

    def _trees(self) -> list[Node]:
        return [root for roots in self.roots for root in list(roots)]


def copy_size(nodes: Iterable[Node], most: int) -> int:
    """
    Return how many nodes copies of some nodes have, with those that are values.

    Args:
        most: If there are more, some number beyond it is returned: a node may be a part
            of its own value, and have no end of copies.
    """
    count = 0
    waiting = list(nodes)
    while waiting and count <= most:
        top = waiting.pop()
        count += 1
        if top.children:
            waiting.extend(top.children)
        if type(top.value) is Node:
            waiting.append(top.value)
    return count + len(waiting)


def _present(roots: list[Node]) -> list[Node]:
    """Return all nodes of some trees, and of the trees of the nodes that are values."""
    found: list[Node] = []
    values: list[Node] = []
    known = {id(top): top for top in (root.root for root in roots)}
    waiting = list(known.values())
    while waiting:
        top = waiting.pop()
        found.append(top)
        if top.children:
            waiting.extend(top.children)
        if type(top.value) is Node:
            values.append(top.value)
    if not values:
        return found
    seen = {id(node) for node in found}
    while values:
        value = values.pop()
        # What a node stands in is kept as long as the node is.
        waiting = [value.root] if id(value) not in seen else []
        while waiting:
            top = waiting.pop()
            seen.add(id(top))
            found.append(top)
            waiting.extend(top.children)
            if type(top.value) is Node and id(top.value) not in seen:
                values.append(top.value)
    return found


# Shorter texts are no more than what a node takes anyway.
_SHORT = 100


def _text_size(nodes: Iterable[Node]) -> int:
    """Return the length of all long texts and bytes; one that is shared counts once."""
    sizes: dict[int, int] = {}
    for node in nodes:
        value = node.value
        if isinstance(value, str | bytes) and len(value) > _SHORT:
            sizes[id(value)] = len(value)
        if len(node.name) > _SHORT:
            sizes[id(node.name)] = len(node.name)
    return sum(sizes.values())
