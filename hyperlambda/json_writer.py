"""
Nodes to JSON (spec 04 §3.2).

A list of nodes is an array when all of them are nameless or named ``.``, otherwise an
object. A node with children is a container, and its value is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .errors import ArgumentError
from .expressions import Expression
from .json_scalars import double_json, escaped, quoter, scalar_json
from .node import Node
from .numerals import Long, integer_text

if TYPE_CHECKING:
    from .run import Run

__all__ = ["write_json"]

# Far beyond what readers of JSON accept.
_MAX_DEPTH = 1000
_NAMELESS = frozenset(("", "."))
# Parts between looks at what a program may use up: about a millisecond.
_PARTS_BETWEEN_LOOKS = 4096
# Characters from which on one text is worth a look.
_LONG = 2000
# Most objects have few members, and the same names as many others: how many are few,
# and how many different beginnings of such lists of names are kept.
_FEW = 64
_VERY_FEW = 8
_MOST_KEPT = 5000


def write_json(
    nodes: Sequence[Node], *, indent: bool = False, evaluator: Run | None = None
) -> str:
    """
    Write nodes as one JSON array or object; no nodes are ``{}``.

    Expressions are evaluated among copies of the nodes that have no outside; one that
    finds nothing there is evaluated from where its node really stands.

    Args:
        nodes: The elements or members.
        indent: Write one on a line, by two blanks a level.
        evaluator: Whose limits count what is written.

    Raises:
        ArgumentError: A member stands twice, or the tree is deeper than 1,000 levels.
        ConversionError: A value has no form in JSON.
        ExpressionError: An expression finds several nodes.
        LimitError: The text would be longer than it may be, or the time is over.
    """
    if not nodes:
        return "{}"
    if len(nodes) <= _VERY_FEW and not indent:
        small = _small_object(nodes)
        if small is not None:
            if evaluator is not None:
                _check_length(len(small), evaluator)
            return small
    text = _Text(evaluator)
    parts = text.parts
    append = parts.append
    quote = quoter()
    expressions = _Expressions(nodes, evaluator)
    waiting: list[_Opened] = []  # the containers around this one, from the outside in
    layout = _Layout(text, waiting, "\n" if indent else "")
    left, names, close = layout.opened(nodes)
    while True:
        for node in left:
            lead, names = names[node.name]
            append(lead)
            children = node.children
            if children:
                waiting.append((node, left, names, close, layout))
                if len(waiting) >= _MAX_DEPTH:
                    raise ArgumentError(
                        f"the nodes are nested more than {_MAX_DEPTH} deep"
                    )
                if len(parts) > _PARTS_BETWEEN_LOOKS:
                    text.look()
                layout = layout.inner or layout.deeper()
                if children[0].name in _NAMELESS or len(children) > _FEW:
                    left, names, close = layout.opened(children)
                else:
                    left, names, close = iter(children), layout.members, layout.close
                break
            value = node.value
            kind = type(value)
            if kind is str:
                append(quote(value))
                if len(value) > _LONG:
                    text.look()
            elif kind is Long or kind is int:
                append(integer_text(value))
            elif kind is bool:
                append("true" if value else "false")
            elif kind is float:
                # Between these, digits are laid out as Python does.
                if 1e-4 <= value < 1e15 or -1e15 < value <= -1e-4:
                    append(repr(value))
                else:
                    append(double_json(value))
            elif value is None:
                append("null")
            else:
                if kind is Expression:
                    value = expressions.value(node)
                written = scalar_json(value, node)
                append(written)
                if len(written) > _LONG:
                    text.look()
        else:
            append(close)
            if not waiting:
                return text.whole()
            _, left, names, close, layout = waiting.pop()


def _small_object(nodes: Sequence[Node]) -> str | None:
    """
    Return the text of an object with some short plain members, or None if it is more.

    Most messages are no more than that, and what the rest of this module makes ready for
    long texts would be most of their cost.
    """
    quote = quoter()
    members = {}
    for node in nodes:
        name, value = node.name, node.value
        kind = type(value)
        if node.children or name in _NAMELESS or len(name) > _LONG:
            return None
        if kind is str:
            if len(value) > _LONG:
                return None
            members[name] = quote(value)
        elif kind is Long or kind is int:
            members[name] = integer_text(value)
        elif kind is bool:
            members[name] = "true" if value else "false"
        elif value is None:
            members[name] = "null"
        else:
            return None
    if len(members) < len(nodes):
        return None  # and an error
    pairs = [f"{quote(name)}:{written}" for name, written in members.items()]
    return escaped("{" + ",".join(pairs) + "}")


class _Layout:
    """
    How containers of one depth are laid out.

    Attributes:
        inner: The layout of the containers below, once there was one.
        members: What may come first in an object.
        close: What ends an object.
    """

    __slots__ = (
        "_elements",
        "_margin",
        "_text",
        "_waiting",
        "close",
        "inner",
        "members",
    )

    inner: _Layout | None

    def __init__(self, text: _Text, waiting: list[_Opened], margin: str) -> None:
        """
        Begin a depth.

        Args:
            text: What is written.
            waiting: The containers around the one that is written.
            margin: What ends a line before one that closes; "" if all is one line.
        """
        self._text = text
        self._waiting = waiting
        self._margin = margin
        inner = margin + "  " if margin else ""
        self.inner = None if margin else self
        self.close = margin + "}"
        self.members = _Names(
            text, waiting, "{" + inner, "," + inner, ": " if margin else ":", ()
        )
        text.beginnings.append(self.members)
        more: dict[str, tuple[str, Any]] = {}
        more[""] = more["."] = ("," + inner, more)
        start = ("[" + inner, more)
        self._elements = {"": start, ".": start}

    def deeper(self) -> _Layout:
        """Make the layout of the containers below."""
        self.inner = _Layout(self._text, self._waiting, self._margin + "  ")
        return self.inner

    def opened(self, nodes: Sequence[Node]) -> tuple[Iterator[Node], Any, str]:
        """
        Return the nodes of a container, what may come first among them, and its end.

        Raises:
            ArgumentError: A member stands twice.
        """
        left = iter(nodes)
        if len(nodes) > _FEW:
            left = self._text.looking(nodes)
        names = {node.name for node in nodes}
        if names <= _NAMELESS:
            return left, self._elements, self._margin + "]"
        if len(nodes) <= _FEW:
            return left, self.members, self.close
        if len(names) < len(nodes):
            raise _repeated([node.name for node in nodes], self._waiting)
        return left, self.members.unchecked(), self.close


class _Names(dict[str, tuple[str, Any]]):
    """
    What may come next in an object, after the names that came before.

    For a name there is what is written before its value, and what may come after that.
    It is worked out when it is first needed: many objects have the same few names.
    """

    __slots__ = ("_before", "_between", "_colon", "_past", "_text", "_waiting")

    def __init__(
        self,
        text: _Text,
        waiting: list[_Opened],
        before: str,
        between: str,
        colon: str,
        past: tuple[str, ...] | None,
    ) -> None:
        super().__init__()
        self._text = text
        self._waiting = waiting
        self._before = before
        self._between = between
        self._colon = colon
        self._past = past

    def __missing__(self, name: str) -> tuple[str, _Names]:
        past = self._past
        if past is not None and name in past:
            raise _repeated([*past, name], self._waiting)
        lead = f"{self._before}{quoter()(name)}{self._colon}"
        if len(name) > _LONG:
            self._text.look()
        if past is None:
            return lead, self if self._before == self._between else self._after(None)
        found = lead, self._after((*past, name))
        if len(name) <= _LONG:
            self._text.count_kept()
            self[name] = found
        return found

    def unchecked(self) -> _Names:
        """Return the same for an object whose names are known to differ."""
        return _Names(
            self._text, self._waiting, self._before, self._between, self._colon, None
        )

    def _after(self, past: tuple[str, ...] | None) -> _Names:
        return _Names(
            self._text, self._waiting, self._between, self._between, self._colon, past
        )


# A container of which some is still to come: its node, the children that are left, what
# may come next, what ends it, and its layout.
_Opened = tuple[Node, Iterator[Node], Any, str, _Layout]


def _repeated(names: Iterable[str], around: Iterable[_Opened]) -> ArgumentError:
    seen: set[str] = set()
    twice = ""
    for name in names:
        if name in seen:
            twice = name
            break
        seen.add(name)
    outer = [node.name for node, *_ in around]
    path = "/".join(outer[:8] + ["…"] * (len(outer) > 8))
    where = f"'{path}'" if outer else "the same object"
    return ArgumentError(f"the member '{twice}' stands twice in {where}")


class _Text:
    """
    A text that must not grow beyond what a program may have.

    Attributes:
        parts: What was added since the last look. Writers append to it.
        beginnings: Of the names that are kept, those that come first.
    """

    __slots__ = ("_chunks", "_evaluator", "_kept", "_length", "beginnings", "parts")

    def __init__(self, evaluator: Run | None) -> None:
        self.parts: list[str] = []
        self.beginnings: list[_Names] = []
        self._chunks: list[str] = []
        self._length = 0
        self._kept = 0
        self._evaluator = evaluator

    def look(self) -> None:
        """
        Put the parts together, and see whether the program may go on.

        Raises:
            LimitError: The text is longer than it may be, or the time is over.
        """
        chunk = escaped("".join(self.parts))
        self.parts.clear()
        self._chunks.append(chunk)
        self._length += len(chunk)
        if self._evaluator is not None:
            _check_length(self._length, self._evaluator)

    def looking(self, nodes: Sequence[Node]) -> Iterator[Node]:
        """Yield many nodes, and look every so often."""
        for start in range(0, len(nodes), _FEW):
            yield from nodes[start : start + _FEW]
            if len(self.parts) > _PARTS_BETWEEN_LOOKS:
                self.look()

    def count_kept(self) -> None:
        """Say that one more list of names is kept; when they are too many, forget all."""
        self._kept += 1
        if self._kept > _MOST_KEPT:
            self._kept = 0
            for names in self.beginnings:
                names.clear()

    def whole(self) -> str:
        """Return the text."""
        self.look()
        return "".join(self._chunks)


def _check_length(length: int, evaluator: Run) -> None:
    """
    See whether a program may write so many characters, and go on.

    Raises:
        LimitError: It may not.
    """
    most = evaluator.limits.max_text
    if most is not None and length > most:
        evaluator.charge_text(length)
    evaluator.look()


class _Expressions:
    """Evaluates the expressions below some nodes, as if these were all that there is."""

    def __init__(self, nodes: Sequence[Node], evaluator: Run | None) -> None:
        self._nodes = nodes
        self._evaluator = evaluator
        self._copies: dict[int, Node] = {}  # by the id of the original

    def value(self, node: Node) -> Any:
        expression = node.value
        if not self._copies:
            self._copy()
        found = expression.follow(self._copies[id(node)])
        if found is None:
            found = expression.follow(node)
        return None if found is None else found.value

    def _copy(self) -> None:
        root = Node()
        nodes = list(self._nodes)
        if self._evaluator is None:
            root.adopt([node.clone() for node in nodes])
        else:
            root.adopt(self._evaluator.clones(nodes))
        pairs = list(zip(self._nodes, root.children, strict=True))
        while pairs:
            original, copy = pairs.pop()
            self._copies[id(original)] = copy
            pairs.extend(zip(original.children, copy.children, strict=True))
