"""
JSON to nodes (spec 04 §3.1).

Members become children of their name, elements children named ``.``. The reader takes
RFC 8259 and the words ``NaN``, ``Infinity`` and ``-Infinity``.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from itertools import repeat
from typing import TYPE_CHECKING, Any

from .childless import NO_CHILDREN
from .dates import LOCAL, ZONES, normal_date
from .errors import HyperlambdaError, LiteralError
from .node import Node, blank
from .numerals import Long

if TYPE_CHECKING:
    from json import JSONDecoder

__all__ = ["MAX_DEPTH", "read_json"]

MAX_DEPTH = 64

# The scanner calls itself for each level, on the machine's stack: a text with more
# brackets than this is first looked at, lest it is nested so deeply that this runs out.
_SURELY_SHALLOW = 1_000

_new_int = int.__new__


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
    if text.count("[") + text.count("{") > _SURELY_SHALLOW:
        _check_quickly(text, max_depth)
    return _tree(_scanned(text, max_depth), text, max_depth)


# Scanning


@cache
def _decoder() -> JSONDecoder:
    # Only programs that read JSON pay for loading the module.
    from json import JSONDecoder

    return JSONDecoder()


def _scanned(text: str, max_depth: int) -> Any:
    """Return the value of a JSON text, made of Python's own types."""
    try:
        return _decoder().decode(text)
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
_BETWEEN_BRACKETS = rf'(?s)(?:[^\[\]{{}}"]++|{_STRING})++'
_BRACKETS = rf"(?s){_STRING}|([\[{{])|([\]}}])"
_LONG_NUMBER = rf"(?s){_STRING}|([0-9]{{640,}}+)(?![0-9.eE])"


def _check_quickly(text: str, max_depth: int) -> None:
    """Do what `_check_depth` does, with less work for texts that are all right."""
    brackets = re.sub(_BETWEEN_BRACKETS, "", text)
    for _ in range(max_depth):
        if not brackets:
            return
        brackets = brackets.replace("[]", "").replace("{}", "")
    if brackets:
        _check_depth(text, max_depth)


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
    if _can_be_encoded(text) and _SURROGATE_ESCAPE.search(text) is None:
        return text
    # As long as what it replaces, so that offsets stay right.
    return re.sub(
        _LONE_SURROGATE,
        lambda match: match[1] or ("\\ufffd" if len(match[0]) > 1 else "\ufffd"),
        text,
    )


def _can_be_encoded(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# Building the tree


def _tree(data: Any, text: str, max_depth: int) -> Node:
    root = Node()
    kind = type(data)
    if kind is not dict and kind is not list:
        root.value = _scalar(data)
        return root
    waiting = [(root, data, 1)]
    while waiting:
        parent, data, depth = waiting.pop()
        if depth > max_depth:
            _check_depth(text, max_depth)  # which knows where, and raises
        items = data.items() if type(data) is dict else zip(repeat("."), data)
        children = []
        for index, (name, value) in enumerate(items):
            node = blank()
            node.name = name
            node.value = None
            node.children = NO_CHILDREN
            node.parent = parent
            node.source = None
            node.offset = 0
            node.version = 0
            node.index = index
            children.append(node)
            kind = type(value)
            if kind is str:
                node.value = (
                    _text_value(value)
                    if len(value) > 18 and value[10] == "T"
                    else value
                )
            elif kind is int:
                node.value = _integer(value)
            elif kind is dict or kind is list:
                waiting.append((node, value, depth + 1))
            else:
                node.value = value
        if children:
            parent.children = children
    return root


def _scalar(value: Any) -> Any:
    if type(value) is int:
        return _integer(value)
    return _text_value(value) if type(value) is str else value


def _integer(value: int) -> Long | Decimal:
    if -0x8000000000000000 <= value <= 0x7FFFFFFFFFFFFFFF:
        return _new_int(Long, value)  # the range was just looked at
    return Decimal(value)


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
