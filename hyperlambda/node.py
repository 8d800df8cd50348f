"""
Nodes: the trees that programs and data are made of (spec 01 §1).

A node has a name, a value and children, and knows its parent. Readers use the
attributes; whoever changes a tree uses the methods, which keep parents, positions and
the change counter right.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from operator import attrgetter
from typing import Any, Final, final

from .childless import NO_CHILDREN as _NO_CHILDREN
from .compiled import IS_COMPILED
from .errors import MissingValueError, TreeError
from .source import Place, Source

__all__ = [
    "NO_CHILDREN",
    "RESHAPED",
    "Computed",
    "Node",
    "blank",
    "clones",
    "copied_value",
]

NO_CHILDREN: Final = _NO_CHILDREN
"""Where compiled code finds it at once."""

RESHAPED: Final = 1 << 20
"""By how much a version goes up when children were not just appended."""


class Computed:
    """A value that is worked out from the place where it stands: an expression."""

    __slots__ = ()

    def resolve(self, node: Node) -> Any:
        """Return the value that this one leads to when `node` holds it."""
        raise NotImplementedError


@final
class Node:
    """
    A name, a value and children.

    Attributes:
        name: Any text; several siblings may share it.
        value: Anything, or None. See `hyperlambda.values` for the types of the language.
        children: The children in order. Read it as you like; change it with the methods.
        parent: The node that has this one among its children, or None.
        source: The text that the node was read from, or None.
        offset: Where its name begins there, in characters from 0.
        version: Goes up whenever the list of children changes: by 1 if nodes were
            appended, otherwise by `RESHAPED`. Walkers compare it.
        index: Where the parent's list probably has this node; only a hint.
    """

    __slots__ = (
        "children",
        "index",
        "name",
        "offset",
        "parent",
        "source",
        "value",
        "version",
    )

    name: str
    value: Any
    children: list[Node]
    parent: Node | None
    source: Source | None
    offset: int
    version: int
    index: int

    def __init__(
        self, name: str = "", value: Any = None, children: Iterable[Node] = ()
    ) -> None:
        self.name = name
        self.value = value
        self.children = NO_CHILDREN
        self.parent = None
        self.source = None
        self.offset = 0
        self.version = 0
        self.index = 0
        if children:
            self.extend(children)

    def __repr__(self) -> str:
        more = f", {len(self.children)} children" if self.children else ""
        value = self.value
        # A node that is a value may lead back here.
        shown = f"<node {value.name!r}>" if type(value) is Node else repr(value)
        return f"Node({self.name!r}, {shown}{more})"

    # Reading

    def child(self, name: str) -> Node | None:
        """Return the first child of that name, or None."""
        for child in self.children:
            if child.name == name:
                return child
        return None

    def resolve(self) -> Any:
        """
        Return the value, and if it is an expression the value that it leads to.

        Raises:
            ExpressionError: The expression finds several nodes (spec 01 §1.6).
        """
        value = self.value
        return value.resolve(self) if isinstance(value, Computed) else value

    def get(self, name: str, default: Any = None) -> Any:
        """Return the resolved value of the first child of that name, or the default."""
        child = self.child(name)
        if child is None:
            return default
        value = child.resolve()
        return default if value is None else value

    @property
    def place(self) -> Place | None:
        """Where the node stands in its text, or None if it was not read from one."""
        if self.source is None:
            return None
        text, start = self.source.text, self.offset
        # A quoted name is longer in the text than it is itself.
        quoted = text[start : start + 1] in {'"', "'"} or text.startswith('@"', start)
        return self.source.place(start, len(self.name) + 2 * quoted)

    @property
    def previous(self) -> Node | None:
        """The sibling just before this node, or None."""
        if self.parent is None:
            return None
        position = self.position()
        return self.parent.children[position - 1] if position else None

    @property
    def next(self) -> Node | None:
        """The sibling just after this node, or None."""
        if self.parent is None:
            return None
        siblings = self.parent.children
        position = self.position() + 1
        return siblings[position] if position < len(siblings) else None

    @property
    def root(self) -> Node:
        """The topmost ancestor; the node itself if it has no parent."""
        node = self
        while node.parent is not None:
            node = node.parent
        return node

    def position(self) -> int:
        """
        Return where the parent has this node, from 0.

        Raises:
            MissingValueError: It has no parent.
        """
        if self.parent is None:
            raise MissingValueError("a node without parent has no siblings")
        siblings, hint = self.parent.children, self.index
        if hint < len(siblings) and siblings[hint] is self:
            return hint
        return self._find_position(siblings, hint)

    def _find_position(self, siblings: list[Node], hint: int) -> int:
        # Insertions and removals shift the rest by a few: look near the hint first.
        for near in range(max(0, hint - 8), min(len(siblings), hint + 8)):
            if siblings[near] is self:
                self.index = near
                return near
        # Removals leave hints too high, but in order. This hint stays as it is, since
        # it would be out of order if it alone were mended.
        place = bisect_left(siblings, hint, key=_hint_of)
        if place < len(siblings) and siblings[place] is self:
            return place
        place = -1
        for index, sibling in enumerate(siblings):
            sibling.index = index
            if sibling is self:
                place = index
        if place < 0:
            raise TreeError(f"the parent of '{self.name}' does not list it")
        return place

    def walk(self) -> Iterator[Node]:
        """Yield this node and its descendants, each before its children."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))

    # Changing

    def add(self, node: Node) -> Node:
        """
        Append a node, taken away from where it was, and return it.

        Raises:
            TreeError: It is this node, or one that this node stands below.
        """
        self._check_descent(node)
        if node.parent is not None:
            node.untie()
        siblings = self._list()
        node.parent = self
        node.index = len(siblings)
        siblings.append(node)
        self.version += 1
        return node

    def extend(self, nodes: Iterable[Node]) -> None:
        """Append nodes, each taken away from where it was."""
        for node in list(nodes):
            self.add(node)

    def insert(self, position: int, node: Node) -> Node:
        """
        Put a node at a position, counted after it is taken away from where it was.

        Raises:
            TreeError: The position is not 0 … number of children, or see `add`.
        """
        self._check_descent(node)
        room = len(self.children) - (node.parent is self)
        if not 0 <= position <= room:
            raise TreeError(f"position {position} is not between 0 and {room}")
        if node.parent is not None:
            node.untie()
        node.parent = self
        node.index = position
        self._list().insert(position, node)
        self.version += 1 if position == room else RESHAPED
        return node

    def insert_before(self, node: Node) -> Node:
        """Put a node just before this one, among the same siblings."""
        return self._insert_beside(node, 0)

    def insert_after(self, node: Node) -> Node:
        """Put a node just after this one, among the same siblings."""
        return self._insert_beside(node, 1)

    def remove(self, child: Node) -> None:
        """
        Take a child away.

        Raises:
            TreeError: It is not a child of this node.
        """
        if child.parent is not self:
            raise TreeError(f"'{child.name}' is not a child of '{self.name}'")
        child.untie()

    def untie(self) -> Node:
        """Leave the parent, if there is one, and return the node."""
        parent = self.parent
        if parent is not None:
            del parent._list()[self.position()]
            parent.version += RESHAPED
            self.parent = None
        return self

    def remove_all(self, children: Iterable[Node]) -> None:
        """
        Take several children away at once, which takes as long as taking away one.

        Raises:
            TreeError: One of them is not a child of this node.
        """
        gone = {id(child): child for child in children}
        for child in gone.values():
            if child.parent is not self:
                raise TreeError(f"'{child.name}' is not a child of '{self.name}'")
        for child in gone.values():
            child.parent = None
        self.children = [child for child in self.children if id(child) not in gone]
        self.version += RESHAPED

    def clear(self) -> None:
        """Remove all children."""
        children = self.children
        if children:
            for child in children:
                child.parent = None
            self.children = NO_CHILDREN
            self.version += RESHAPED

    def take_children(self) -> list[Node]:
        """Remove all children and return them, each without a parent."""
        children = list(self.children)
        self.clear()
        return children

    def adopt(self, nodes: list[Node]) -> None:
        """
        Append nodes that have no parent and do not contain this one.

        The fast way for nodes just made: nothing is checked.
        """
        if not nodes:
            return
        siblings = self._list()
        index = len(siblings)
        for node in nodes:
            node.parent = self
            node.index = index
            index += 1
        siblings.extend(nodes)
        self.version += 1

    def truncate(self, length: int) -> None:
        """Keep the first `length` children."""
        if length < 0:
            raise TreeError("a number of children cannot be negative")
        if length < len(self.children):
            self.remove_all(self.children[length:])

    def sort(self, key: Callable[[Node], Any]) -> None:
        """Sort the children in place; equal ones keep their order."""
        if self.children:
            self._list().sort(key=key)
            self.version += RESHAPED

    def clone(self) -> Node:
        """
        Copy the node and everything below it; the copy has no parent.

        Nodes and bytearrays in values are copied too, all other values are shared.

        Raises:
            TreeError: A value leads back to a node that holds it.
        """
        return clones([self])[0]

    # Inside

    def _list(self) -> list[Node]:
        children = self.children
        if children is NO_CHILDREN:
            children = self.children = []
        return children

    def _insert_beside(self, node: Node, shift: int) -> Node:
        parent = self.parent
        if parent is None:
            raise TreeError("a node without parent has no siblings")
        if node is self:
            raise TreeError("a node cannot stand beside itself")
        parent._check_descent(node)
        if node.parent is not None:
            node.untie()
        return parent.insert(self.position() + shift, node)

    def _check_descent(self, node: Node) -> None:
        if not node.children and node is not self:
            return
        ancestor: Node | None = self
        while ancestor is not None:
            if ancestor is node:
                raise TreeError("a node cannot stand below itself")
            ancestor = ancestor.parent


_hint_of: Final = attrgetter("index")

if IS_COMPILED:

    def blank() -> Node:
        """Make a node whose attributes are all to be set."""
        return Node()

else:
    # Twice as fast as `Node()`, where that is not compiled.
    blank: Callable[[], Node] = partial(object.__new__, Node)  # type: ignore[no-redef]

# Copies of values are made by calls inside of calls.
_DEEPEST_VALUES: Final = 100


def clones(nodes: Iterable[Node], holders: tuple[Node, ...] = ()) -> list[Node]:
    """
    Copy nodes and everything below them; the copies have no parent.

    Args:
        holders: Nodes whose values led here, which must not come again.

    Raises:
        TreeError: A value leads back to a node that holds it.
    """
    copies = []
    for node in nodes:
        # As below: a call for each node would double the time.
        copy = blank()
        copy.name = node.name
        value = node.value
        kind = type(value)
        if kind is Node or kind is bytearray:
            value = copied_value(value, holders)
        copy.value = value
        copy.children = NO_CHILDREN
        copy.parent = None
        copy.source = node.source
        copy.offset = node.offset
        copy.version = 0
        copy.index = 0
        if node.children:
            _copy_below(node, copy, holders)
        copies.append(copy)
    return copies


def _copy_below(top: Node, copy_of_top: Node, holders: tuple[Node, ...]) -> None:
    waiting = [top, copy_of_top]
    while waiting:
        target = waiting.pop()
        source = waiting.pop()
        children: list[Node] = []
        for index, child in enumerate(source.children):
            copy = blank()
            copy.name = child.name
            value = child.value
            kind = type(value)
            if kind is Node or kind is bytearray:
                value = copied_value(value, holders)
            copy.value = value
            copy.children = NO_CHILDREN
            copy.parent = target
            copy.source = child.source
            copy.offset = child.offset
            copy.version = 0
            copy.index = index
            children.append(copy)
            if child.children:
                waiting.append(child)
                waiting.append(copy)
        target.children = children


def copied_value(value: Any, holders: tuple[Node, ...] = ()) -> Any:
    """
    Return a value as a copy of its node would have it.

    Nodes and bytearrays are copied; all other values are the same.

    Args:
        holders: Nodes whose values led here, which must not come again.

    Raises:
        TreeError: A value leads back to a node that holds it.
    """
    if type(value) is bytearray:
        return bytearray(value)
    if type(value) is not Node:
        return value
    if len(holders) >= _DEEPEST_VALUES or any(value is holder for holder in holders):
        raise TreeError("a node value leads back to itself, or is nested too deeply")
    return clones([value], (*holders, value))[0]
