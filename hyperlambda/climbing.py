"""Iterators that go up and aside: `.`, `..`, `-`, `+`, `--`, `@name`, `^name` (spec 01 §5.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .iteration import Iteration, Mode
from .meter import LARGE, visit
from .node import Node
from .siblings import MANY, nearest_before

__all__ = ["Above", "Ancestor", "Next", "Older", "Parent", "Previous", "Root"]


class Parent(Iteration):
    """`.`: the parents, each once."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(Mode.WHOLE, hops=True)

    def hop(self, node: Node) -> Node | None:
        """Return the parent."""
        return node.parent

    def step(self, nodes: list[Node], identity: Node) -> list[Node]:
        """Return the parents."""
        found: dict[int, Node] = {}
        for node in nodes:
            parent = node.parent
            if parent is not None:
                found.setdefault(id(parent), parent)
        return list(found.values())

    def lazy(self, nodes: Iterable[Node], identity: Node) -> Iterator[Node]:
        """Yield the parents."""
        seen: set[int] = set()
        for node in nodes:
            parent = node.parent
            if parent is not None and id(parent) not in seen:
                seen.add(id(parent))
                yield parent


class Root(Iteration):
    """`..`: the topmost node."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(Mode.FIRST, hops=True)

    def hop(self, node: Node) -> Node | None:
        """Return the topmost ancestor."""
        return node.root


class Previous(Iteration):
    """`-`: the sibling before; the last one from the first."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(hops=True)

    def hop(self, node: Node) -> Node | None:
        """Return the sibling."""
        before = node.position() - 1  # refuses a node without parent
        # The first sibling is followed by the last: -1 is the last index.
        return node.parent.children[before]  # type: ignore[union-attr] # see above


class Next(Iteration):
    """`+`: the sibling after; the first one from the last."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(hops=True)

    def hop(self, node: Node) -> Node | None:
        """Return the sibling."""
        after = node.position() + 1  # refuses a node without parent
        siblings = node.parent.children  # type: ignore[union-attr] # see above
        return siblings[after if after < len(siblings) else 0]


class Older(Iteration):
    """`--`: older siblings and ancestors with theirs, the nearest first."""

    __slots__ = ()

    def step(self, nodes: list[Node], identity: Node) -> list[Node]:
        """Return what stands before each node, and before what it stands in."""
        found: list[Node] = []
        seen = LARGE
        for start in nodes:
            node = start
            while node.parent is not None:
                found.extend(reversed(node.parent.children[: node.position()]))
                node = node.parent
                found.append(node)
            if len(found) > seen:
                visit(len(found))
                seen = len(found) + LARGE
        return found


class Above(Iteration):
    """`@name`: the first of that name, going up through older siblings and parents."""

    __slots__ = ("_name",)

    def __init__(self, text: str) -> None:
        super().__init__(Mode.FIRST, hops=True)
        self._name = text[1:]

    def hop(self, node: Node) -> Node | None:
        """Return the nearest."""
        name = self._name
        parent = node.parent
        try:
            while parent is not None:
                siblings = parent.children
                index = node.index
                # Mostly the hint is right, and asking for the position would take longer.
                if siblings[index] is not node:
                    index = node.position()
                if index > MANY:
                    found = nearest_before(parent, index, name)
                    if found is not None:
                        return found
                    index = 0
                while index:
                    index -= 1
                    if siblings[index].name == name:
                        return siblings[index]
                if parent.name == name:
                    return parent
                node = parent
                parent = node.parent
        except IndexError:  # a hint beyond the end, for which to look would cost too
            return self._hop_by_position(node)
        return None

    def _hop_by_position(self, node: Node) -> Node | None:
        name = self._name
        parent = node.parent
        while parent is not None:
            for sibling in reversed(parent.children[: node.position()]):
                if sibling.name == name:
                    return sibling
            if parent.name == name:
                return parent
            node = parent
            parent = node.parent
        return None


class Ancestor(Iteration):
    """`^name`: the nearest ancestor of that name."""

    __slots__ = ("_name",)

    def __init__(self, text: str) -> None:
        super().__init__(Mode.FIRST, hops=True)
        self._name = text[1:]

    def hop(self, node: Node) -> Node | None:
        """Return the ancestor."""
        name = self._name
        ancestor = node.parent
        while ancestor is not None and ancestor.name != name:
            ancestor = ancestor.parent
        return ancestor
