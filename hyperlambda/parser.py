"""
Text to nodes: the tables of the grammar over our lexer, building the tree as it goes.

    root = parse("house\\n   room:kitchen")
    root.children[0].children[0].value == "kitchen"
"""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any, cast

from ._tables import TABLES
from .errors import HyperlambdaError, HyperlambdaSyntaxError, UnknownTypeError
from .expressions import compile_expression
from .garbage import uncollected
from .lalr import TableParser
from .lexer import NodeToken, read_item, tokens
from .node import NO_CHILDREN, Node, blank
from .source import Source
from .values import add_converter, parse_literal

__all__ = ["parse", "read_file"]

_BYTE_ORDER_MARKS = [
    # The mark of UTF-32 begins with that of UTF-16: it is looked for first.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
]


def parse(text: str | bytes, *, file: str = "<text>", comments: bool = False) -> Node:
    """
    Read a text (spec 01 §2).

    Args:
        text: Hyperlambda; bytes are UTF-8 unless a byte-order mark says otherwise.
        file: What errors and nodes call the text.
        comments: Keep comments, as nodes named `..` whose value is their text.

    Returns:
        A nameless node whose children are the top-level nodes.

    Raises:
        HyperlambdaSyntaxError: With the place where the text goes wrong.
    """
    source = Source(_decode(text), file)
    with uncollected(len(source.text)):
        root = cast(Node, _PARSER.parse(tokens(source, comments=comments)))
    root.source = source
    return root


def read_file(path: str | Path) -> str:
    """
    Return the text of a file, decoded as `parse` decodes bytes.

    Raises:
        OSError: It cannot be read.
    """
    return _decode(Path(path).read_bytes())


def _decode(text: str | bytes) -> str:
    if isinstance(text, bytes):
        for mark, encoding in _BYTE_ORDER_MARKS:
            if text.startswith(mark):
                return text[len(mark) :].decode(encoding, "replace")
        return text.decode("utf-8", "replace")
    text = text.removeprefix("\ufeff")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:  # half a surrogate pair, which no output can hold
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


# What each rule of the grammar makes; a block is a list of sibling nodes.


def _start(parts: list[Any]) -> Node:
    root = Node()
    if parts:
        root.adopt(parts[0])
    return root


def _first(parts: list[Any]) -> list[Node]:
    return [_node(parts[0])]


def _append(parts: list[Any]) -> list[Node]:
    block: list[Node] = parts[0]
    block.append(_node(parts[1]))
    return block


def _nest(parts: list[Any]) -> list[Node]:
    block: list[Node] = parts[0]
    parent: Node = block[-1]
    children: list[Node] = parts[2]
    for index, child in enumerate(children):
        child.parent = parent
        child.index = index
    parent.children = children
    return block


MAKERS = {"start": _start, "first": _first, "append": _append, "nest": _nest}
"""What each rule of grammar.lark makes of the values of its symbols."""

_PARSER = TableParser(TABLES, MAKERS)


def _node(token: NodeToken) -> Node:
    node = blank()
    node.name = token.name
    node.children = NO_CHILDREN
    node.parent = None
    node.source = token.source
    node.offset = token.offset
    node.version = 0
    node.index = 0
    kind = token.kind
    if kind is None:
        node.value = token.text
    elif kind == "x":
        node.value = _expression(token)
    else:
        node.value = _value(token, kind)
    return node


def _expression(token: NodeToken) -> Any:
    try:
        return compile_expression(token.text or "")
    except HyperlambdaError as error:
        raise _placed(error, token)  # noqa: B904 # see there


def _value(token: NodeToken, kind: str) -> Any:
    try:
        return parse_literal(token.text or "", kind)
    except HyperlambdaError as error:
        raise _placed(error, token)  # noqa: B904 # see there


def _placed(error: HyperlambdaError, token: NodeToken) -> HyperlambdaSyntaxError:
    """Say where the value stands that could not be read."""
    item = read_item(token.source, token.offset)
    if isinstance(error, UnknownTypeError):
        error.place = token.source.place(item.kind_at, len(error.name))
        return error
    # A value in quotes is longer in the text; the line's end is told by the excerpt.
    place = token.source.place(max(item.text_at, 0), max(1, len(token.text or "")))
    placed = HyperlambdaSyntaxError(error.message, help=error.help, place=place)
    placed.__cause__ = error  # mypyc leaves `from` out
    return placed


def _parse_value(text: str) -> Node:
    return parse(text, file="<node>")


def _print_value(node: Node) -> str:
    # The generator needs the table of types, and the table needs the generator for this
    # one type: it is looked up when it is first used.
    from .generator import generate

    return generate(node, newline="\r\n")


add_converter(Node, "node", _print_value, _parse_value)
