"""Iterators that go down: `*`, `**`, `!name`, `3`, `#` (spec 01 §5.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from .errors import TreeError
from .iteration import Iteration, Mode
from .meter import LARGE, visit
from .node import Node
from .sealed import Sealed, unseal, went_deep
from .siblings import MANY, children_named

__all__ = [
    "Children",
    "ChildrenNamed",
    "Descendants",
    "Except",
    "Nth",
    "Pointed",
    "walk_children",
    "walk_named",
]

# So few nodes have no more children than a tree has nodes, and need no look.
_MANY: Final = 100


class Children(Iteration):
    """`*`: all children."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(Mode.WHOLE, descends=True)

    def step(self, nodes: list[Node], identity: Node) -> list[Node]:
        """Return the children of some nodes."""
        if len(nodes) == 1:
            parent = nodes[0]
            if parent.children.__class__ is Sealed:
                unseal(parent)
            return list(parent.children)
        _visit_children(nodes)
        return [child for node in nodes for child in node.children]

    def lazy(self, nodes: Iterable[Node], identity: Node) -> Iterator[Node]:
        """Yield the children of some nodes."""
        # As walk_children: a generator within a generator would cost as much again.
        for node in nodes:
            if node.children.__class__ is Sealed:
                unseal(node)
            version = node.version
            for child in node.children:
                yield child
                if node.version != version:
                    raise _changed(node)


def _visit_children(nodes: list[Node]) -> None:
    went_deep()  # rather than looking at each
    if len(nodes) > _MANY:
        visited = sum([len(node.children) for node in nodes])
        if visited > LARGE:
            visit(visited)


def walk_children(node: Node) -> Iterator[Node]:
    """
    Yield the children, each when it is asked for.

    Raises:
        TreeError: The list was changed since the last one was asked for (02 §2.7).
    """
    if node.children.__class__ is Sealed:
        unseal(node)
    version = node.version
    for child in node.children:
        yield child
        if node.version != version:
            raise _changed(node)


def walk_named(node: Node, name: str) -> Iterator[Node]:
    """Yield the children of a name, as `walk_children` does."""
    if node.children.__class__ is Sealed:
        unseal(node)
    version = node.version
    for child in node.children:
        if child.name == name:
            yield child
            if node.version != version:
                raise _changed(node)


def _changed(node: Node) -> TreeError:
    return TreeError(
        f"the children of '{node.name}' changed while they were walked",
        help="walk a copy (get-nodes), or collect the changes and make them after",
    )


class ChildrenNamed(Iteration):
    """`*` and then a name, in one go."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        super().__init__(Mode.WHOLE, descends=True)
        self._name = name

    def step(self, nodes: list[Node], identity: Node) -> list[Node]:
        """Return the children of that name."""
        name = self._name
        if len(nodes) == 1:
            parent = nodes[0]
            if parent.children.__class__ is Sealed:
                unseal(parent)
            if len(parent.children) > MANY:
                return children_named(parent, name)
            return [child for child in parent.children if child.name == name]
        _visit_children(nodes)
        return [c for node in nodes for c in node.children if c.name == name]


class Descendants(Iteration):
    """`**`: the nodes themselves, and everything below them."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(Mode.WHOLE, descends=True)

    def step(self, nodes: list[Node], identity: Node) -> list[Node]:
        """Return each node before what is below it."""
        went_deep()
        found: list[Node] = []
        levels = [iter(nodes)]
        seen = LARGE
        while levels:
            for node in levels[-1]:
                found.append(node)
                children = node.children
                if children:
                    levels.append(iter(children))
                    break
            else:
                levels.pop()
            if len(found) > seen:
                visit(len(found))
                seen = len(found) + LARGE
        return found

    def lazy(self, nodes: Iterable[Node], identity: Node) -> Iterator[Node]:
        """Yield each node before what is below it."""
        return _live_walk(nodes, None)


def _live_walk(nodes: Iterable[Node], skipped: str | None) -> Iterator[Node]:
    for start in nodes:
        if start.name == skipped:
            continue
        yield start
        levels = [walk_children(start)]
        while levels:
            node = next(levels[-1], None)
            if node is None:
                levels.pop()
            elif node.name != skipped:
                yield node
                levels.append(walk_children(node))


class Except(Iteration):
    """`!name`: as `**`, without nodes of that name and what is below them."""

    __slots__ = ("_name",)

    def __init__(self, text: str) -> None:
        super().__init__(Mode.WHOLE, descends=True)
        self._name = text[1:]

    def step(self, nodes: list[Node], identity: Node) -> list[Node]:
        """Return each node before what is below it."""
        went_deep()
        name = self._name
        found: list[Node] = []
        waiting = nodes[::-1]
        seen = LARGE
        while waiting:
            node = waiting.pop()
            if node.name != name:
                found.append(node)
                children = node.children
                if children:
                    waiting.extend(children[::-1])
                    if len(found) > seen:
                        visit(len(found))
                        seen = len(found) + LARGE
        return found

    def lazy(self, nodes: Iterable[Node], identity: Node) -> Iterator[Node]:
        """Yield each node before what is below it."""
        return _live_walk(nodes, self._name)


class Nth(Iteration):
    """`3`: the fourth child."""

    __slots__ = ("_index",)

    def __init__(self, index: int) -> None:
        super().__init__(hops=True, descends=True)
        self._index = index

    def hop(self, node: Node) -> Node | None:
        """Return the child, if there are so many."""
        children = node.children
        if children.__class__ is Sealed:
            unseal(node)
        index = self._index
        return children[index] if index < len(children) else None


class Pointed(Iteration):
    """`#`: the node that is the value."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(hops=True)

    def hop(self, node: Node) -> Node | None:
        """Return the value, if it is a node."""
        value = node.value
        return value if type(value) is Node else None
