"""
Iterators: what the parts of an expression do (spec 01 §5.3–5.8).

An iterator turns the nodes found so far into the next ones. Each is made of up to three
functions: one over lists; one from a node to a node, for those that find at most one;
and one that runs lazily, where that differs. How it may be run lazily is its mode:

    EACH    looks at one node at a time: can be run node by node
    FIRST   looks at the first node only
    WHOLE   looks at all of them together, and runs lazily by a function of its own
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from itertools import islice
from typing import NamedTuple

from .errors import ExpressionError, TreeError
from .meter import LARGE, visit
from .node import Node

__all__ = [
    "Hop",
    "Iteration",
    "Mode",
    "add_dynamic_iterator",
    "add_static_iterator",
    "children_named",
    "iterator",
    "walk_children",
    "walk_named",
]

# What an iterator is when it runs: the nodes so far, and the node that holds the
# expression (its identity), to the next nodes.
Step = Callable[[list[Node], Node], list[Node]]
# The same for one node, for iterators that find at most one node from each.
Hop = Callable[[Node], Node | None]
LazyStep = Callable[[Iterable[Node], Node], Iterator[Node]]


class Mode(Enum):
    """How an iterator may be run lazily."""

    EACH = "each"
    FIRST = "first"
    WHOLE = "whole"


class Iteration(NamedTuple):
    """
    One iterator, ready to run.

    Attributes:
        step: Runs it on a list.
        mode: How it can be run lazily.
        lazy: Runs it lazily, where that differs from running `step` node by node.
        hop: Runs it on one node, if it finds at most one from each.
        name: The name that it filters by, if that is all it does.
        descends: Whether it surely finds only nodes at or below those it is given.
    """

    step: Step
    mode: Mode = Mode.EACH
    lazy: LazyStep | None = None
    hop: Hop | None = None
    name: str | None = None
    descends: bool = False


def _each(hop: Hop) -> Iteration:
    """Make an iterator of what one node leads to."""

    def step(nodes: list[Node], identity: Node) -> list[Node]:
        return [found for node in nodes if (found := hop(node)) is not None]

    return Iteration(step, hop=hop)


def _first(hop: Hop) -> Iteration:
    """Make an iterator of what the first node leads to."""

    def step(nodes: list[Node], identity: Node) -> list[Node]:
        found = hop(nodes[0])
        return [] if found is None else [found]

    return Iteration(step, Mode.FIRST, hop=hop)


# So few nodes have no more children than a tree has nodes, and need no look.
_MANY = 100

_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,10})\s*\Z")


def iterator(text: str) -> Iteration:
    """
    Return what one iterator does.

    Raises:
        ExpressionError: It is malformed.
    """
    if text.startswith("\\"):
        return _named(text[1:])
    static = _STATIC.get(text)
    if static is not None:
        return static
    if text:
        dynamic = _DYNAMIC.get(text[0])
        if dynamic is not None:
            return dynamic(text)
        if _INDEX.fullmatch(text) and int(text) < 2**31:
            return _nth(int(text))
    return _named(text)


def add_static_iterator(text: str, step: Step) -> None:
    """Make a text an iterator of its own; expressions compiled afterwards know it."""
    _STATIC[text] = Iteration(step, Mode.WHOLE)


def add_dynamic_iterator(character: str, factory: Callable[[str], Step]) -> None:
    """Give every iterator that begins with a character to a factory of steps."""
    _DYNAMIC[character] = lambda text: Iteration(factory(text), Mode.WHOLE)


# Descending


def _children(nodes: list[Node], identity: Node) -> list[Node]:
    if len(nodes) == 1:
        return list(nodes[0].children)
    _visit_children(nodes)
    return [child for node in nodes for child in node.children]


def _visit_children(nodes: list[Node]) -> None:
    if len(nodes) > _MANY:
        visited = sum([len(node.children) for node in nodes])
        if visited > LARGE:
            visit(visited)


def _live_children(nodes: Iterable[Node], identity: Node) -> Iterator[Node]:
    for node in nodes:
        yield from walk_children(node)


def walk_children(node: Node) -> Iterator[Node]:
    """
    Yield the children, each when it is asked for.

    Raises:
        TreeError: The list was changed since the last one was asked for (02 §2.7).
    """
    version = node.version
    for child in node.children:
        yield child
        if node.version != version:
            raise _changed(node)


def walk_named(node: Node, name: str) -> Iterator[Node]:
    """Yield the children of a name, as `walk_children` does."""
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


def children_named(name: str) -> Step:
    """Return the step that does `*` and then a name, in one go."""

    def step(nodes: list[Node], identity: Node) -> list[Node]:
        if len(nodes) == 1:
            return [child for child in nodes[0].children if child.name == name]
        _visit_children(nodes)
        return [c for node in nodes for c in node.children if c.name == name]

    return step


def _descendants(nodes: list[Node], identity: Node) -> list[Node]:
    found: list[Node] = []
    seen = LARGE
    for node in nodes:
        found.extend(node.walk())
        if len(found) > seen:
            visit(len(found))
            seen = len(found) + LARGE
    return found


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


def _live_descendants(nodes: Iterable[Node], identity: Node) -> Iterator[Node]:
    return _live_walk(nodes, None)


def _except(text: str) -> Iteration:
    name = text[1:]

    def step(nodes: list[Node], identity: Node) -> list[Node]:
        found: list[Node] = []
        waiting = list(reversed(nodes))
        seen = LARGE
        while waiting:
            node = waiting.pop()
            if node.name != name:
                found.append(node)
                waiting.extend(reversed(node.children))
                if len(found) > seen:
                    visit(len(found))
                    seen = len(found) + LARGE
        return found

    def lazy(nodes: Iterable[Node], identity: Node) -> Iterator[Node]:
        return _live_walk(nodes, name)

    return Iteration(step, Mode.WHOLE, lazy, descends=True)


def _nth(index: int) -> Iteration:
    def hop(node: Node) -> Node | None:
        children = node.children
        return children[index] if index < len(children) else None

    return _each(hop)._replace(descends=True)


def _pointed(node: Node) -> Node | None:
    value = node.value
    return value if type(value) is Node else None


# Climbing


def _parents(nodes: list[Node], identity: Node) -> list[Node]:
    found: dict[int, Node] = {}
    for node in nodes:
        parent = node.parent
        if parent is not None:
            found.setdefault(id(parent), parent)
    return list(found.values())


def _live_parents(nodes: Iterable[Node], identity: Node) -> Iterator[Node]:
    seen: set[int] = set()
    for node in nodes:
        parent = node.parent
        if parent is not None and id(parent) not in seen:
            seen.add(id(parent))
            yield parent


def _parent(node: Node) -> Node | None:
    return node.parent


def _root(node: Node) -> Node | None:
    return node.root


def _previous(node: Node) -> Node | None:
    before = node.position() - 1  # refuses a node without parent
    # The first sibling is followed by the last: -1 is the last index.
    return node.parent.children[before]  # type: ignore[union-attr] # see above


def _next(node: Node) -> Node | None:
    after = node.position() + 1  # refuses a node without parent
    siblings = node.parent.children  # type: ignore[union-attr] # see above
    return siblings[after if after < len(siblings) else 0]


def _older(nodes: list[Node], identity: Node) -> list[Node]:
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


def _above(text: str) -> Iteration:
    """Make `@name`: up through older siblings and parents."""
    name = text[1:]

    def hop(node: Node) -> Node | None:
        parent = node.parent
        while parent is not None:
            siblings = parent.children
            index = node.index
            # Mostly the hint is right, and asking for the position would take longer.
            if index >= len(siblings) or siblings[index] is not node:
                index = node.position()
            while index:
                index -= 1
                sibling = siblings[index]
                if sibling.name == name:
                    return sibling
            if parent.name == name:
                return parent
            node = parent
            parent = node.parent
        return None

    return _first(hop)


def _ancestor(text: str) -> Iteration:
    name = text[1:]

    def hop(node: Node) -> Node | None:
        ancestor = node.parent
        while ancestor is not None and ancestor.name != name:
            ancestor = ancestor.parent
        return ancestor

    return _first(hop)


# Filtering


def _named(name: str) -> Iteration:
    def step(nodes: list[Node], identity: Node) -> list[Node]:
        return [node for node in nodes if node.name == name]

    def hop(node: Node) -> Node | None:
        return node if node.name == name else None

    return Iteration(step, hop=hop, name=name, descends=True)


def _subscript(text: str) -> Iteration:
    if not text.endswith("]") or len(text) < 2:
        raise ExpressionError(f"'{text}' has no closing ']'")
    body = text[1:-1]
    if "|" in body:
        return _any_of(frozenset(name for name in body.split("|") if name))
    numbers = [_NUMBER.match(part) for part in body.split(",")]
    if len(numbers) < 2 or not all(numbers):
        raise ExpressionError(
            f"'{text}' is no subscript",
            help="write [skip,take] with two numbers, or [name|name]",
        )
    skip, take = (max(0, int(match[1])) for match in numbers[:2] if match)

    def step(nodes: list[Node], identity: Node) -> list[Node]:
        return nodes[skip : skip + take]

    def lazy(nodes: Iterable[Node], identity: Node) -> Iterator[Node]:
        return islice(iter(nodes), skip, skip + take)

    return Iteration(step, Mode.WHOLE, lazy, descends=True)


def _any_of(names: frozenset[str]) -> Iteration:
    def step(nodes: list[Node], identity: Node) -> list[Node]:
        return [node for node in nodes if node.name in names]

    return Iteration(step, descends=True)


_STATIC: dict[str, Iteration] = {
    "*": Iteration(_children, Mode.WHOLE, _live_children, descends=True),
    "#": _each(_pointed),
    "-": _each(_previous),
    "+": _each(_next),
    ".": Iteration(_parents, Mode.WHOLE, _live_parents, _parent),
    "..": _first(_root),
    "**": Iteration(_descendants, Mode.WHOLE, _live_descendants, descends=True),
    "--": Iteration(_older),
}

_DYNAMIC: dict[str, Callable[[str], Iteration]] = {
    "[": _subscript,
    "@": _above,
    "^": _ancestor,
    "!": _except,
}
