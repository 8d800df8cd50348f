"""
Iterators by their text: what the parts of an expression do (spec 01 §5.3–5.8).

Those that filter are here; those that lead elsewhere are in climbing.py and descending.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from .climbing import Above, Ancestor, Next, Older, Parent, Previous, Root
from .descending import Children, ChildrenNamed, Descendants, Except, Nth, Pointed
from .errors import ExpressionError
from .iteration import Iteration, Mode
from .node import Node
from .sealed import went_deep

__all__ = [
    "Step",
    "add_dynamic_iterator",
    "add_iteration",
    "add_static_iterator",
    "iterator",
]

# An iterator of somebody else's: the nodes so far, and the node that holds the expression
# (its identity), to the next nodes.
Step = Callable[[list[Node], Node], list[Node]]


_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,10})\s*\Z")


def iterator(text: str) -> Iteration:
    """
    Return what one iterator does.

    Raises:
        ExpressionError: It is malformed.
    """
    if text.startswith("\\"):
        return Named(text[1:])
    static = _STATIC.get(text)
    if static is not None:
        return static
    if text:
        dynamic = _DYNAMIC.get(text[0])
        if dynamic is not None:
            return dynamic(text)
        if _INDEX.fullmatch(text) and int(text) < 2**31:
            return Nth(int(text))
    return Named(text)


def add_static_iterator(text: str, step: Step) -> None:
    """Make a text an iterator of its own; expressions compiled afterwards know it."""
    _STATIC[text] = Custom(step)


def add_dynamic_iterator(character: str, factory: Callable[[str], Step]) -> None:
    """Give every iterator that begins with a character to a factory of steps."""
    _DYNAMIC[character] = lambda text: Custom(factory(text))


def add_iteration(character: str, factory: Callable[[str], Iteration]) -> None:
    """Give every iterator that begins with a character to a factory of iterations."""
    _DYNAMIC[character] = factory


class Custom(Iteration):
    """One that was added by somebody else."""

    __slots__ = ("_step",)

    def __init__(self, step: Step) -> None:
        super().__init__(Mode.WHOLE)
        self._step = step

    def step(self, nodes: list[Node], identity: Node) -> list[Node]:
        """Return what it finds."""
        went_deep()
        return self._step(nodes, identity)


class Named(Iteration):
    """A name: the nodes that have it."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        super().__init__(hops=True, name=name, descends=True)
        self._name = name

    def step(self, nodes: list[Node], identity: Node) -> list[Node]:
        """Return those of the nodes that have the name."""
        name = self._name
        return [node for node in nodes if node.name == name]

    def hop(self, node: Node) -> Node | None:
        """Return the node itself, if it has the name."""
        return node if node.name == self._name else None

    def below(self) -> Iteration:
        """Return `*` and the name."""
        return ChildrenNamed(self._name)


class Slice(Iteration):
    """`[skip,take]`: some of the nodes."""

    __slots__ = ("_skip", "_take")

    def __init__(self, skip: int, take: int) -> None:
        super().__init__(Mode.WHOLE, descends=True)
        self._skip = skip
        self._take = take

    def step(self, nodes: list[Node], identity: Node) -> list[Node]:
        """Return those of the nodes whose turn it is."""
        return nodes[self._skip : self._skip + self._take]

    def lazy(self, nodes: Iterable[Node], identity: Node) -> Iterator[Node]:
        """Yield those of the nodes whose turn it is."""
        return islice(iter(nodes), self._skip, self._skip + self._take)


class AnyOf(Iteration):
    """`[a|b]`: nodes that have one of some names."""

    __slots__ = ("_names",)

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__(descends=True)
        self._names = names

    def step(self, nodes: list[Node], identity: Node) -> list[Node]:
        """Return those of the nodes that have one of the names."""
        names = self._names
        return [node for node in nodes if node.name in names]


def _subscript(text: str) -> Iteration:
    if not text.endswith("]") or len(text) < 2:
        raise ExpressionError(f"'{text}' has no closing ']'")
    body = text[1:-1]
    if "|" in body:
        return AnyOf(frozenset([name for name in body.split("|") if name]))
    numbers = [_NUMBER.match(part) for part in body.split(",")]
    if len(numbers) < 2 or not all(numbers):
        raise ExpressionError(
            f"'{text}' is no subscript",
            help="write [skip,take] with two numbers, or [name|name]",
        )
    skip, take = [max(0, int(match[1])) for match in numbers[:2] if match]
    return Slice(skip, take)


_STATIC: Final[dict[str, Iteration]] = {
    "*": Children(),
    "#": Pointed(),
    "-": Previous(),
    "+": Next(),
    ".": Parent(),
    "..": Root(),
    "**": Descendants(),
    "--": Older(),
}

_DYNAMIC: Final[dict[str, Callable[[str], Iteration]]] = {
    "[": _subscript,
    "@": Above,
    "^": Ancestor,
    "!": Except,
}
