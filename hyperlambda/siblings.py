"""
Finding children by name where there are very many.

Going through a few children takes less time than asking where a name stands. Beyond
that, a program in which each of n statements looks up the first would take the square of
n steps. So for long lists it is kept which names stand where, from the second time on
that somebody goes through the same list: lists that change each time are not worth it.

What is kept belongs to one program, and is true as long as the list has only been
appended to (see `Node.version`) and no child of a long list has got another name. Names
are changed by `rename`; functions that may change them otherwise are run by `distrusted`.
"""

from __future__ import annotations

from _thread import allocate_lock
from bisect import bisect_left
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from .meter import current_watch
from .node import RESHAPED, Node
from .sealed import went_deep

if TYPE_CHECKING:
    from .evaluator import Evaluator

__all__ = ["MANY", "children_named", "distrusted", "nearest_before", "rename"]

MANY: Final = 32
"""How many children are gone through one by one."""

# Lists of one program of which something is kept.
_MOST_LISTS: Final = 64


class _Names:
    """
    Which names the children of a node have.

    Attributes:
        parent: The node.
        epoch: Its version, without what appending adds to it.
        names: The state of names that this is true for.
        length: How many of the children are known.
        places: Where each name stands, in order.
    """

    __slots__ = ("epoch", "length", "names", "parent", "places")

    parent: Node
    epoch: int
    names: object
    length: int
    places: dict[str, list[int]]

    def __init__(self, parent: Node) -> None:
        self.parent = parent
        self.epoch = parent.version // RESHAPED
        self.names = _state.names
        self.length = 0
        self.places = {}

    def is_true(self, parent: Node) -> bool:
        """Return whether this is about a node as it is now."""
        return (
            self.parent is parent
            and self.epoch == parent.version // RESHAPED
            and self.names is _state.names
        )


class _State:
    """What the names of children of long lists are, as an object of its own."""

    __slots__ = ("names",)

    names: object

    def __init__(self) -> None:
        self.names = object()


_state: Final = _State()
_lock: Final = allocate_lock()


def nearest_before(parent: Node, index: int, name: str) -> Node | None:
    """Return the last child of a name among the first `index` ones, or None."""
    siblings = parent.children
    stop = max(0, index - MANY)
    while index > stop:  # mostly it is near
        index -= 1
        sibling = siblings[index]
        if sibling.name == name:
            return sibling
    places = _places(parent)
    if places is not None:
        standing = places.get(name)
        if standing is None:
            return None
        before = bisect_left(standing, index)
        return siblings[standing[before - 1]] if before else None
    while index:
        index -= 1
        sibling = siblings[index]
        if sibling.name == name:
            return sibling
    return None


def children_named(parent: Node, name: str) -> list[Node]:
    """Return the children of a name, in order."""
    children = parent.children
    places = _places(parent)
    if places is None:
        return [child for child in children if child.name == name]
    return [children[index] for index in places.get(name, ())]


def _places(parent: Node) -> dict[str, list[int]] | None:
    """Return where each name stands, or None if that would take longer than looking."""
    watch = current_watch()
    if watch is None or watch.known is None:
        return None
    known: _Names | None = watch.known.get(id(parent))
    if known is None or not known.is_true(parent):
        if len(watch.known) >= _MOST_LISTS:
            watch.known.clear()
        watch.known[id(parent)] = _Names(parent)
        return None
    places, children = known.places, parent.children
    length = len(children)
    if known.length < length:
        for index in range(known.length, length):
            standing = places.get(children[index].name)
            if standing is None:
                places[children[index].name] = [index]
            else:
                standing.append(index)
        known.length = length
    return places


def rename(node: Node, name: str) -> None:
    """Give a node another name, within a program that runs."""
    node.name = name
    parent = node.parent
    if parent is not None and len(parent.children) > MANY:
        _forget_names(node, parent)


def _forget_names(node: Node, parent: Node) -> None:
    """Make what is kept about names untrue, but for what has not looked at a node yet."""
    watch = current_watch()
    now = object()
    with _lock:
        before, _state.names = _state.names, now
        if watch is None or not watch.known:
            return
        # Programs append nodes and name them then: what is known about the others, and
        # about other lists, goes on being true.
        for known in watch.known.values():
            if known.names is before and (
                known.parent is not parent or node.position() >= known.length
            ):
                known.names = now


def distrusted(
    function: Callable[[Evaluator, Node], Any],
) -> Callable[[Evaluator, Node], Any]:
    """Return a slot whose function may do with all nodes as it likes."""

    def call(evaluator: Evaluator, node: Node) -> Any:
        went_deep()
        watch = current_watch()
        if watch is None:
            return function(evaluator, node)
        outer, watch.known = watch.known, None
        try:
            return function(evaluator, node)
        finally:
            watch.known = None if outer is None else {}
            with _lock:
                _state.names = object()

    call.__doc__ = function.__doc__
    call.__wrapped__ = getattr(function, "__wrapped__", function)  # type: ignore[attr-defined] # as functools.wraps does
    return call
