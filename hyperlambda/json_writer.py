"""
Nodes to JSON (spec 04 §3.2).

A list of nodes is an array when all of them are nameless or named ``.``, otherwise an
object. A node with children is a container, and its value is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from .errors import ArgumentError
from .expressions import Expression
from .json_scalars import double_json, escaped, quoter, scalar_json
from .node import Node
from .numerals import Long

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
# Most objects have few members, and the same names as many others: how many names are
# few, and how many such lists are kept.
_FEW_NAMES = 64
_MOST_SHAPES = 1000

_name_of: Callable[[Node], str] = attrgetter("name")


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
    text = _Text(evaluator)
    parts = text.parts
    append = parts.append
    quote = quoter()
    expressions = _Expressions(nodes, evaluator)
    waiting: list[_Opened] = []  # the containers around this one, from the outside in
    level = _Level("\n" if indent else "")
    leads, close = level.leads(tuple(map(_name_of, nodes)), waiting, text)
    pairs = zip(nodes, leads, strict=False)
    while True:
        for node, lead in pairs:
            append(lead)
            children = node.children
            if children:
                waiting.append((node, pairs, close, level))
                if len(waiting) >= _MAX_DEPTH:
                    raise ArgumentError(
                        f"the nodes are nested more than {_MAX_DEPTH} deep"
                    )
                if len(parts) > _PARTS_BETWEEN_LOOKS:
                    text.look()
                level = level.inner or level.deeper()
                names = tuple(map(_name_of, children))
                shape = level.shapes.get(names)
                leads, close = shape or level.leads(names, waiting, text)
                pairs = zip(children, leads, strict=False)
                break
            value = node.value
            kind = type(value)
            if kind is str:
                append(quote(value))
                if len(value) > _LONG:
                    text.look()
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
            _, pairs, close, level = waiting.pop()


class _Level:
    """
    How containers of one depth are laid out.

    Attributes:
        inner: The level below, once there was one.
        shapes: For the names of the children of a container what comes before each of
            them, and what comes after all: the same few lists of names come up often.
    """

    __slots__ = ("_colon", "_margin", "_outer_margin", "inner", "shapes")

    inner: _Level | None
    shapes: dict[tuple[str, ...], _Shape]

    def __init__(self, margin: str) -> None:
        """Begin with what ends the line before the container; "" if all is one line."""
        self._outer_margin = margin
        self._margin = margin + "  " if margin else ""
        self._colon = ": " if margin else ":"
        self.inner = None if margin else self
        self.shapes = {}

    def deeper(self) -> _Level:
        """Make the level below."""
        self.inner = _Level(self._margin)
        return self.inner

    def leads(
        self, names: tuple[str, ...], around: Sequence[_Opened], text: _Text
    ) -> _Shape:
        """
        Return what comes before each child of a container, and what comes after all.

        Raises:
            ArgumentError: A member stands twice.
        """
        different = set(names)
        leads: Iterable[str]
        if different <= _NAMELESS:
            close = self._outer_margin + "]"
            leads = chain(("[" + self._margin,), repeat("," + self._margin))
        else:
            if len(different) < len(names):
                raise _repeated(names, [node.name for node, *_ in around])
            close = self._outer_margin + "}"
            leads = self._members(names)
        if len(names) > _FEW_NAMES or len(max(names, key=len)) > _LONG:
            return text.looking(leads), close
        if len(self.shapes) >= _MOST_SHAPES:
            self.shapes.clear()
        shape = [lead for _, lead in zip(names, leads, strict=False)], close
        self.shapes[names] = shape
        return shape

    def _members(self, names: tuple[str, ...]) -> Iterator[str]:
        quote = quoter()
        before = "{" + self._margin
        for name in names:
            yield f"{before}{quote(name)}{self._colon}"
            before = "," + self._margin


# What is still to come of a container, what ends it, and its level.
_Opened = tuple[Node, "zip[tuple[Node, str]]", str, _Level]
_Shape = tuple[Iterable[str], str]


def _repeated(names: Iterable[str], around: list[str]) -> ArgumentError:
    seen: set[str] = set()
    twice = ""
    for name in names:
        if name in seen:
            twice = name
            break
        seen.add(name)
    path = "/".join(around[:8] + ["…"] * (len(around) > 8))
    where = f"'{path}'" if around else "the same object"
    return ArgumentError(f"the member '{twice}' stands twice in {where}")


class _Text:
    """
    A text that must not grow beyond what a program may have.

    Attributes:
        parts: What was added since the last look. Writers append to it.
    """

    __slots__ = ("_chunks", "_evaluator", "_length", "parts")

    def __init__(self, evaluator: Run | None) -> None:
        self.parts: list[str] = []
        self._chunks: list[str] = []
        self._length = 0
        self._evaluator = evaluator

    def look(self) -> None:
        """
        See whether the program may go on, and put the parts together.

        Raises:
            LimitError: The text is longer than it may be, or the time is over.
        """
        parts = self.parts
        self._check(self._length + sum(map(len, parts)))
        chunk = escaped("".join(parts))
        self._length += len(chunk)
        self._chunks.append(chunk)
        parts.clear()

    def looking(self, leads: Iterable[str]) -> Iterator[str]:
        """Yield what comes before each of many parts, and look every so often."""
        until_look = _PARTS_BETWEEN_LOOKS
        for lead in leads:
            until_look -= 1 + len(lead)
            if until_look < 0:
                self.look()
                until_look = _PARTS_BETWEEN_LOOKS
            yield lead

    def whole(self) -> str:
        """Return the text."""
        self.look()
        self._check(self._length)
        return "".join(self._chunks)

    def _check(self, length: int) -> None:
        evaluator = self._evaluator
        if evaluator is None:
            return
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
