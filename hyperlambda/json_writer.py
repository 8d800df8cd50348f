"""
Nodes to JSON (spec 04 §3.2).

A list of nodes is an array when all of them are nameless or named ``.``, otherwise an
object. A node with children is a container, and its value is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from .errors import ArgumentError
from .expressions import Expression
from .json_layout import Layout, Opened, Text, check_length
from .json_scalars import (
    FEW,
    LONG,
    PARTS_BETWEEN_LOOKS,
    double_json,
    escaped,
    quoter,
    scalar_json,
)
from .node import Node
from .numerals import Long, integer_text

if TYPE_CHECKING:
    from .run import Run

__all__ = ["write_json"]

# Far beyond what readers of JSON accept.
_MAX_DEPTH: Final = 1000
# Python prints integers up to here without asking how many digits they have.
_LARGE: Final = 10**18
# Objects of so few members may be written on a short way.
_VERY_FEW: Final = 8


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
                check_length(len(small), evaluator)
            return small
    text = Text(evaluator)
    parts: list[str] = text.parts
    quote, long = quoter(), Long
    expressions = _Expressions(nodes, evaluator)
    waiting: list[Opened] = []  # the containers around this one, from the outside in
    layout = Layout(text, waiting, "\n" if indent else "")
    left, names, close = layout.opened(nodes)
    while True:
        for node in left:
            name = node.name
            if name is names.last:
                parts.append(names.lead)
                names = names.following
            else:
                found = names.known.get(name)
                if found is None:
                    found = names.work_out(name)
                else:
                    names.last = name
                    names.lead, names.following = found
                lead, names = found
                parts.append(lead)
            children = node.children
            if children:
                waiting.append((node, left, names, close, layout))
                if len(waiting) >= _MAX_DEPTH:
                    raise ArgumentError(
                        f"the nodes are nested more than {_MAX_DEPTH} deep"
                    )
                if len(parts) > PARTS_BETWEEN_LOOKS:
                    text.look()
                layout = layout.inner or layout.deeper()
                first = children[0].name
                if not first or first == "." or len(children) > FEW:
                    left, names, close = layout.opened(children)
                else:
                    left, names, close = iter(children), layout.members, layout.close
                break
            value = node.value
            kind = type(value)
            if kind is str:
                parts.append(quote(value))
                if len(value) > LONG:
                    text.look()
            elif kind is long or kind is int:
                number: int = value
                parts.append(
                    str(number) if -_LARGE < number < _LARGE else integer_text(number)
                )
            elif kind is bool:
                parts.append("true" if value else "false")
            elif kind is float:
                # Between these, digits are laid out as Python does.
                if 1e-4 <= value < 1e15 or -1e15 < value <= -1e-4:
                    parts.append(repr(value))
                else:
                    parts.append(double_json(value))
            elif value is None:
                parts.append("null")
            else:
                if kind is Expression:
                    value = expressions.value(node)
                written = scalar_json(value, node)
                parts.append(written)
                if len(written) > LONG:
                    text.look()
        else:
            parts.append(close)
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
    members: dict[str, str] = {}
    for node in nodes:
        name, value = node.name, node.value
        kind = type(value)
        if node.children or not name or name == "." or len(name) > LONG:
            return None
        if kind is str:
            if len(value) > LONG:
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
