"""Nodes to text (spec 01 §4)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextvars import ContextVar

from .errors import TreeError
from .lexer import TRIM
from .node import Node
from .values import to_literal

__all__ = ["generate"]

_LINE_END = re.compile(r"\r\n|\r|\n")
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", '"': '\\"'}
_TO_ESCAPE = re.compile(r'[\n\r\t\\"]')
# What makes a value need quotes, at any place or at its ends.
_UNSAFE_VALUE = re.compile(
    rf"[\n\r\t\\\":']|\A[{re.escape(TRIM)}]|[{re.escape(TRIM)}]\Z"
)
_UNSAFE_NAME = re.compile(r"[\":]|\A[ \t'\ufeff]|\A/[/*]|[ ]\Z")

# The nodes whose values are being written, from the outside in: a node value is written
# by a generator of its own, and one that contains its holder would never end.
_writing: ContextVar[tuple[Node, ...]] = ContextVar("writing", default=())
# What stands in values may be written many times over: how many characters there are
# left for it, in the text that is being written.
_left: ContextVar[list[int] | None] = ContextVar("left", default=None)
_MOST_IN_VALUES = 20_000_000
# Each level doubles the quotes of the one inside, so deep ones grow without bound.
_DEEPEST_VALUE = 16
# Each level is three spaces wider than the one above, so that the text of a deep tree
# grows with the square of its depth: this one has 150 MB of margins.
_WIDEST_MARGIN = 3 * 10_000


def generate(
    nodes: Node | Iterable[Node], *, comments: bool = False, newline: str = "\n"
) -> str:
    """
    Write nodes as Hyperlambda.

    Args:
        nodes: A node, whose children are written; or the nodes themselves.
        comments: Write nodes named `..` as comments.
        newline: What ends each line. Line ends inside of values stay as they are.

    Raises:
        TreeError: A node value contains the node that holds it, or there are more than
            10,000 levels.
    """
    top = nodes.children if isinstance(nodes, Node) else list(nodes)
    outer = _writing.get()
    if isinstance(nodes, Node):
        if any(node is nodes for node in outer) or len(outer) >= _DEEPEST_VALUE:
            raise TreeError("a node value contains itself, or is nested too deeply")
        reset = _writing.set((*outer, nodes))
        left = _left.get()
        begun = None if left is not None else _left.set([_MOST_IN_VALUES])
        try:
            text = _write(top, comments, newline)
        finally:
            _writing.reset(reset)
            if begun is not None:
                _left.reset(begun)
        if left is not None:
            left[0] -= len(text)
            if left[0] < 0:
                raise TreeError("node values are too large to be written as text")
        return text
    return _write(top, comments, newline)


def _write(top: Iterable[Node], comments: bool, newline: str) -> str:
    parts: list[str] = []
    waiting = [(node, "") for node in reversed(list(top))]
    while waiting:
        node, margin = waiting.pop()
        if comments and node.name == ".." and type(node.value) is str:
            parts.append(newline)
            parts.append(_comment(node.value, margin, newline))
        else:
            value = node.value
            name = _name(node.name, value is None)
            if value is None:
                parts.append(f"{margin}{name}{newline}")
            else:
                parts.append(f"{margin}{name}:{_value(value)}{newline}")
        children = node.children
        if children:
            inner = margin + "   "
            if len(inner) > _WIDEST_MARGIN:
                raise TreeError(
                    "a tree of more than 10,000 levels is too deep to be written as text"
                )
            waiting.extend([(child, inner) for child in reversed(children)])
    return "".join(parts)


def _name(name: str, bare: bool) -> str:
    if not name:
        return '""' if bare else ""
    if "\n" in name or "\r" in name:
        return '@"' + name.replace('"', '""') + '"'
    if _UNSAFE_NAME.search(name):
        return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return name


def _value(value: object) -> str:
    kind, text = to_literal(value)
    if text is None:
        text = ""
    prefix = f"{kind}:" if kind and kind != "string" else ""
    if kind == "node" and not text:
        return prefix + '""'
    if "\r\n" in text:
        return prefix + '@"' + text.replace('"', '""') + '"'
    if _UNSAFE_VALUE.search(text):
        escaped = _TO_ESCAPE.sub(lambda match: _ESCAPES[match[0]], text)
        return f'{prefix}"{escaped}"'
    return prefix + text


def _comment(text: str, margin: str, newline: str) -> str:
    lines = _LINE_END.split(text)
    if len(lines) == 1:
        return f"{margin}// {text.strip(TRIM)}{newline}"
    body = [f"{margin} * {'' if line == ' ' else line}{newline}" for line in lines]
    return f"{margin}/*{newline}{''.join(body)}{margin} */{newline}"
