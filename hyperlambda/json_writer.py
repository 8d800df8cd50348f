"""
Nodes to JSON (spec 04 §3.2).

A list of nodes is an array when all of them are nameless or named ``.``, otherwise an
object. A node with children is a container, and its value is dropped.
"""

from __future__ import annotations

import math
import re
from binascii import b2a_base64
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from .dates import LOCAL, UTC, ZONES, Time, normal_date
from .errors import ArgumentError, ConversionError
from .expressions import Expression
from .node import Node
from .numerals import (
    Byte,
    Long,
    SByte,
    Short,
    Single,
    UInt,
    ULong,
    UShort,
    decimal_text,
    integer_text,
    single_text,
)
from .values import known_type, type_name

if TYPE_CHECKING:
    from .run import Run

__all__ = ["write_json"]

# Far beyond what readers of JSON accept.
_MAX_DEPTH = 1000
_NAMELESS = frozenset(("", "."))
# Parts between looks at what a program may use up: about a millisecond.
_PARTS_BETWEEN_LOOKS = 4096


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
    names = _MemberNames(": " if indent else ":")
    expressions = _Expressions(nodes, evaluator)
    parts: list[str] = [] if evaluator is None else _Parts(evaluator)
    append = parts.append
    margin = "\n" if indent else ""
    waiting = []  # what is left of the containers around this one
    named = _is_object(nodes, [])
    left = iter(nodes)
    append("{" if named else "[")
    lead = margin = margin + "  " if indent else ""
    while True:
        for node in left:
            append(lead + names[node.name] if named else lead)
            lead = "," + margin
            children = node.children
            if children:
                waiting.append((node, left, named))
                if len(waiting) >= _MAX_DEPTH:
                    raise ArgumentError(
                        f"the nodes are nested more than {_MAX_DEPTH} deep"
                    )
                named = _is_object(children, waiting)
                left = iter(children)
                append("{" if named else "[")
                lead = margin = margin + "  " if indent else ""
                break
            value = node.value
            if type(value) is str:
                append(_text(value))
            elif type(value) is Expression:
                append(_scalar(expressions.value(node), node))
            else:
                append(_scalar(value, node))
        else:
            margin = margin[:-2]
            append(margin + ("}" if named else "]"))
            if not waiting:
                return "".join(parts)
            _, left, named = waiting.pop()
            lead = "," + margin


def _is_object(nodes: Sequence[Node], around: list[tuple[Node, Any, bool]]) -> bool:
    names = {node.name for node in nodes}
    if names <= _NAMELESS:
        return False
    if len(names) < len(nodes):
        raise _repeated(nodes, [node for node, _, _ in around])
    return True


def _repeated(nodes: Iterable[Node], around: list[Node]) -> ArgumentError:
    seen: set[str] = set()
    twice = ""
    for node in nodes:
        if node.name in seen:
            twice = node.name
            break
        seen.add(node.name)
    path = "/".join([node.name for node in around[:8]] + ["…"] * (len(around) > 8))
    where = f"'{path}'" if around else "the same object"
    return ArgumentError(f"the member '{twice}' stands twice in {where}")


class _Parts(list[str]):
    """Parts of a text that must not grow beyond what a program may have."""

    def __init__(self, evaluator: Run) -> None:
        super().__init__()
        self._evaluator = evaluator
        most = evaluator.limits.max_text
        self._left = math.inf if most is None else most
        self._until_look = _PARTS_BETWEEN_LOOKS

    def append(self, text: str) -> None:
        """Add a text."""
        self._left -= len(text)
        self._until_look -= 1
        if self._left < 0:
            self._evaluator.charge_text(sum(map(len, self)) + len(text))
        if self._until_look < 0:
            self._evaluator.time_left()
            self._until_look = _PARTS_BETWEEN_LOOKS
        super().append(text)


class _MemberNames(dict[str, str]):
    """The quoted form of each name, with the colon; the same few names come up often."""

    def __init__(self, colon: str) -> None:
        self.colon = colon

    def __missing__(self, name: str) -> str:
        written = self[name] = _text(name) + self.colon
        return written


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


# Values


def _scalar(value: Any, node: Node) -> str:
    printer = _PRINTERS.get(type(value))
    if printer is None:
        printer = _PRINTERS.get(known_type(value) or object)
        if printer is None:
            raise ConversionError(
                f"the value of '{node.name}', a '{type_name(value)}', has no form in JSON"
            )
    return printer(value)


@cache
def _quote() -> Callable[[str], str]:
    # Only programs that write JSON pay for loading the module.
    from json.encoder import encode_basestring

    return encode_basestring


_BEYOND_ASCII = re.compile("[\x85\u2028\u2029\ud800-\udfff]")


def _text(value: str) -> str:
    text = _quote()(value)
    return text if text.isascii() else _BEYOND_ASCII.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    # Half a surrogate pair is no character, and cannot be sent.
    return "\N{REPLACEMENT CHARACTER}" if code >= 0xD800 else f"\\u{code:04x}"


def _null(value: None) -> str:
    return "null"


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _double(value: float) -> str:
    text = float.__repr__(value)
    if len(text) < 18 and "e" not in text and "n" not in text:
        return text
    return _number(text)


def _single(value: float) -> str:
    return _number(single_text(value))


_SPECIAL = {
    "nan": '"NaN"',
    "inf": '"Infinity"',
    "-inf": '"-Infinity"',
    "NaN": '"NaN"',
    "Infinity": '"Infinity"',
    "-Infinity": '"-Infinity"',
}


def _number(text: str) -> str:
    """Lay the shortest digits of a floating point number out as JSON.NET does."""
    special = _SPECIAL.get(text)
    if special is not None:
        return special
    sign = "-" if text.startswith("-") else ""
    mantissa, _, power = text.lstrip("-").upper().partition("E")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # The number is 0.DIGITS times ten to the power of `point`.
    point = int(power or 0) + len(whole) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if not digits:
        return sign + "0.0"
    if -4 < point <= max(15, len(digits)):
        if point <= 0:
            return f"{sign}0.{'0' * -point}{digits}"
        digits = digits.ljust(point, "0")
        return f"{sign}{digits[:point]}.{digits[point:] or '0'}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    exponent = point - 1
    return (
        f"{sign}{digits[0]}{fraction}E{'-' if exponent < 0 else '+'}{abs(exponent):02}"
    )


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        return _number(str(value))
    if value.as_tuple().exponent == 0 and not -(2**63) <= value < 2**63:
        return str(value)  # an integer that JSON brought (spec 04 §19)
    text = decimal_text(value)
    return text if "." in text else text + ".0"


def _date(value: datetime) -> str:
    value = normal_date(value)
    zone: object = value.tzinfo
    if zone is None:
        zone = {"utc": UTC, "local": LOCAL}.get(ZONES.default)
    mark = "Z" if zone is UTC else "+00:00" if zone is LOCAL else ""
    text = value.replace(tzinfo=None).isoformat()
    return f'"{text.rstrip("0") if value.microsecond else text}{mark}"'


def _bytes(value: bytes) -> str:
    return f'"{b2a_base64(value, newline=False).decode("ascii")}"'


def _quoted(value: Time | UUID) -> str:
    return f'"{value}"'


_PRINTERS: dict[type, Callable[[Any], str]] = {
    type(None): _null,
    str: _text,
    bool: _bool,
    **dict.fromkeys((int, Short, UShort, UInt, Long, ULong, Byte, SByte), integer_text),
    float: _double,
    Single: _single,
    Decimal: _decimal,
    datetime: _date,
    Time: _quoted,
    UUID: _quoted,
    bytes: _bytes,
    bytearray: _bytes,
}
