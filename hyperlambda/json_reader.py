"""
JSON to nodes (spec 04 §3.1).

Members become children of their name, elements children named ``.``. The reader takes
RFC 8259 and the words ``NaN``, ``Infinity`` and ``-Infinity``.
"""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from .dates import LOCAL, ZONES, normal_date
from .errors import HyperlambdaError, LiteralError
from .garbage import uncollected
from .node import NO_CHILDREN, Node, blank
from .numerals import Long

if TYPE_CHECKING:
    from json import JSONDecoder

__all__ = ["MAX_DEPTH", "read_json"]

MAX_DEPTH = 64

# The scanner calls itself for each level, on the machine's stack, of which a level takes
# some 150 bytes. It stops where Python's limit of recursion is; if that is higher than
# this, a text with more brackets than this is first looked at.
_SURELY_SHALLOW: Final = 15_000

# Arrays of arrays, which are built by calls inside of calls.
_DEEPEST_ARRAYS: Final = 500

_new_int: Final = int.__new__


def read_json(text: str | bytes, *, max_depth: int = MAX_DEPTH) -> Node:
    """
    Read a JSON text.

    Args:
        text: One value; bytes are UTF-8. A byte order mark is dropped.
        max_depth: How deep arrays and objects may be nested.

    Returns:
        A nameless node with the members or elements as children, or the scalar as value.

    Raises:
        LiteralError: The text is no JSON, or is nested deeper; the message says where.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    text = _without_surrogates(text.removeprefix("\ufeff"))
    if sys.getrecursionlimit() > _SURELY_SHALLOW < len(text):
        _check_depth(text, max_depth)
    with uncollected(len(text)):
        root = _scanned(text, max_depth)
    if root.offset > max_depth:
        _check_depth(text, max_depth)
    root.offset = 0
    return root


# Scanning


@cache
def _decoder() -> JSONDecoder:
    # Only programs that read JSON pay for loading the module.
    from json import JSONDecoder

    return JSONDecoder(object_hook=_members)


def _scanned(text: str, max_depth: int) -> Node:
    """Return the node of what a text holds; its offset says how deep that is nested."""
    try:
        return _root(_decoder().decode(text))
    except RecursionError as error:
        _check_depth(text, max_depth)
        raise LiteralError(
            "bad JSON: arrays and objects are nested too deeply"
        ) from error
    except ValueError as error:
        offset = getattr(error, "pos", None)
        if offset is None:  # Python refuses to read integers of thousands of digits
            raise _failure(
                text, _find_long_number(text), "the number has too many digits"
            ) from error
        if not text.strip():
            raise LiteralError("there is no JSON to read: the text is empty") from error
        problem = getattr(error, "msg", "").rstrip(" :")
        sentence = _PROBLEMS.get(problem, "the text is malformed")
        raise _failure(text, offset, sentence) from error


_PROBLEMS = {
    "Expecting value": "a value is expected",
    "Expecting ',' delimiter": "a ',' or a closing bracket is expected",
    "Expecting ':' delimiter": "a ':' is expected",
    "Expecting property name enclosed in double quotes": (
        "a name in double quotes is expected"
    ),
    "Illegal trailing comma before end of object": "a value is expected",
    "Illegal trailing comma before end of array": "a value is expected",
    "Unterminated string starting at": "a text is never closed",
    "Invalid control character at": "a line end or control character must be escaped",
    "Invalid \\escape": "a backslash is followed by what it cannot escape",
    "Invalid \\uXXXX escape": "'\\u' is not followed by four hexadecimal digits",
    "Extra data": "more text follows the value",
}


def _failure(text: str, offset: int, sentence: str) -> HyperlambdaError:
    line = text.count("\n", 0, offset) + 1
    column = offset - text.rfind("\n", 0, offset)
    return LiteralError(f"bad JSON at line {line}, column {column}: {sentence}")


# Most programs need none of these: `re` compiles each when it is first used. They are
# possessive, so that no text makes matching slower than its length.
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_BRACKETS = rf"(?s){_STRING}|([\[{{])|([\]}}])"
_LONG_NUMBER = rf"(?s){_STRING}|([0-9]{{640,}}+)(?![0-9.eE])"


def _check_depth(text: str, max_depth: int) -> None:
    depth = 0
    for match in re.finditer(_BRACKETS, text):
        if match[1]:
            depth += 1
            if depth > max_depth:
                raise _failure(
                    text,
                    match.start(),
                    f"arrays and objects are nested more than {max_depth} deep",
                )
        elif match[2]:
            depth -= 1


def _find_long_number(text: str) -> int:
    for match in re.finditer(_LONG_NUMBER, text):
        if match[1]:
            return match.start()
    return 0


_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_LONE_SURROGATE = (
    r"(?s)(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\[^u])"
    r"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|[\ud800-\udfff]"
)


def _without_surrogates(text: str) -> str:
    """Replace halves of surrogate pairs, which no output can hold."""
    if _can_be_encoded(text) and (
        "\\u" not in text or _SURROGATE_ESCAPE.search(text) is None
    ):
        return text
    # As long as what it replaces, so that offsets stay right.
    return re.sub(
        _LONE_SURROGATE,
        lambda match: match[1] or ("\\ufffd" if len(match[0]) > 1 else "\ufffd"),
        text,
    )


def _can_be_encoded(text: str) -> bool:
    for encoding in ("latin-1", "utf-8"):  # the first is a mere copy, or fails at once
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            continue
        return True
    return False


# Building the tree


# While it is built, a node that is an array or object says in its offset how deep it is
# nested: 1 if it holds no other. Who takes it in sets that to 0, as it is to be.


def _root(data: Any) -> Node:
    root: Node
    if type(data) is Node:
        root = data
    else:
        root = Node()
        if type(data) is list:
            root.children = _elements(data, root, _DEEPEST_ARRAYS)
        else:
            root.value = _scalar(data)
    root.name = ""
    root.parent = None
    root.index = 0
    return root


def _members(members: dict[str, Any]) -> Node:
    """
    Return the node of an object; its name, parent and index are for the caller to set.

    The scanner calls this when it comes to the end of an object: members that are
    objects are nodes already.
    """
    parent = blank()
    parent.value = None
    parent.source = None
    parent.version = 0
    if not members:
        parent.children = NO_CHILDREN
        parent.offset = 1
        return parent
    children: list[Node] = []
    deepest = 0
    node: Node  # or else it is anything, when compiled, and three times as slow
    for index, (name, value) in enumerate(members.items()):
        kind = type(value)
        if kind is Node:
            node = value
            if node.offset > deepest:
                deepest = node.offset
        else:
            # A call for each node would take half as long again.
            node = blank()
            node.children = NO_CHILDREN
            node.source = None
            node.version = 0
            if kind is str:
                if len(value) > 18 and value[10] == "T":
                    value = _text_value(value)
            elif kind is int:
                value = _LONGS[value] if 0 <= value <= _MANY else _integer(value)
            elif kind is list:
                node.children = _elements(value, node, _DEEPEST_ARRAYS)
                if node.offset > deepest:
                    deepest = node.offset
                value = None
            node.value = value
        node.name = name
        node.parent = parent
        node.index = index
        node.offset = 0
        children.append(node)
    parent.children = children
    parent.offset = deepest + 1
    return parent


def _elements(values: list[Any], parent: Node, room: int) -> list[Node]:
    """
    Return the nodes of an array, whose elements may be nodes already.

    Args:
        values: The elements.
        parent: The node of the array, which gets its offset here.
        room: How many more arrays may stand inside of each other.
    """
    if not values:
        parent.offset = 1
        return NO_CHILDREN
    if not room:
        raise RecursionError
    children: list[Node] = []
    deepest = 0
    node: Node
    for index, value in enumerate(values):
        kind = type(value)
        if kind is Node:
            node = value
            if node.offset > deepest:
                deepest = node.offset
        else:
            node = blank()
            node.children = NO_CHILDREN
            node.source = None
            node.version = 0
            if kind is list:
                node.children = _elements(value, node, room - 1)
                if node.offset > deepest:
                    deepest = node.offset
                value = None
            else:
                value = _scalar(value)
            node.value = value
        node.name = "."
        node.parent = parent
        node.index = index
        node.offset = 0
        children.append(node)
    parent.offset = deepest + 1
    return children


def _scalar(value: Any) -> Any:
    if type(value) is str:
        return _text_value(value) if len(value) > 18 and value[10] == "T" else value
    return _integer(value) if type(value) is int else value


def _integer(value: int) -> Long | Decimal:
    if -0x8000000000000000 <= value <= 0x7FFFFFFFFFFFFFFF:
        return _new_int(Long, value)  # the range was just looked at
    return Decimal(value)


# Most integers are small ones: they are made once.
_MANY: Final = 256
_LONGS: Final = [_new_int(Long, value) for value in range(_MANY + 1)]


# Dates. Years and months out of range are seen by `datetime`.
_DATE = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,7}))?"
    r"(?:([Zz])|([+-])([0-9]{2})(?::?([0-9]{2}))?)?"
)
_KINDS = {"none": None, "utc": UTC, "local": LOCAL}


def _text_value(text: str) -> str | datetime:
    """Return the date that a text spells, or the text."""
    match = _DATE.fullmatch(text)
    if match is None:
        return text
    seconds, fraction, mark, sign, hours, minutes = match.groups()
    try:
        when = datetime.fromisoformat(seconds)
        if fraction:
            # A seventh digit is finer than Python's dates are, and is cut.
            when = when.replace(microsecond=int(fraction[:6].ljust(6, "0")))
        if mark:
            return when.replace(tzinfo=UTC)
        if sign is None:
            return when.replace(tzinfo=_KINDS[ZONES.default])
        if int(minutes or 0) > 59:
            return text
        shift = timedelta(hours=int(hours), minutes=int(minutes or 0))
        zone = timezone(-shift if sign == "-" else shift)
        return normal_date(when.replace(tzinfo=zone))
    except (ValueError, HyperlambdaError):
        return text  # no such day, or an instant outside of the years 1 … 9999
