"""
What the slots that work on texts share: reading, measuring and joining.

Positions and lengths count UTF-16 code units, as in the reference, where lengths that
programs have stored were counted that way: a character beyond U+FFFF counts as two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from hyperlambda import ArgumentError, Evaluator, Node
from hyperlambda.errors import NullArgumentError
from hyperlambda.expressions import resolve_text

__all__ = [
    "Buffer",
    "charge_written",
    "check_children",
    "join",
    "own_text",
    "parameter_text",
    "shortened",
    "units",
]


def check_children(node: Node, least: int, most: int) -> None:
    """
    See that a slot has as many children as it takes.

    Raises:
        ArgumentError: It has fewer or more.
    """
    count = len(node.children)
    if not least <= count <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        noun = "child" if wanted == "1" else "children"
        raise ArgumentError(f"'{node.name}' takes {wanted} {noun}, not {count}")


def own_text(node: Node, missing: type[ArgumentError] = ArgumentError) -> str:
    """
    Return the text that a slot works on: its own value, resolved.

    Raises:
        ArgumentError: There is none; `missing` is its class.
        ConversionError: The value has no text form.
    """
    text = resolve_text(node)
    if text is None:
        raise missing(f"'{node.name}' needs a text as its value")
    return text


def parameter_text(node: Node, position: int, meaning: str) -> str:
    """
    Return the resolved text of a child that must have one.

    Raises:
        NullArgumentError: It has none; `meaning` says what it would be.
        ConversionError: The value has no text form.
    """
    text = resolve_text(node.children[position])
    if text is None:
        raise NullArgumentError(f"'{node.name}' needs a text as its {meaning}")
    return text


def units(text: str) -> int:
    """Return the length of a text in UTF-16 code units."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


# Both halves of a character, which parts that were cut between them bring back together.
_TORN = r"[\ud800-\udbff][\udc00-\udfff]"


def join(evaluator: Evaluator, parts: Sequence[str], separator: str = "") -> str:
    """
    Join texts; halves of a character that meet are the character again.

    Raises:
        LimitError: The text would be longer than it may be.
    """
    if evaluator.limits.max_text is not None and parts:
        length = sum(map(len, parts)) + (len(parts) - 1) * len(separator)
        evaluator.charge_text(length)
    text = separator.join(parts)
    if not text.isascii() and re.search(_TORN, text) is not None:
        text = text.encode("utf-16-le", "surrogatepass").decode(
            "utf-16-le", "surrogatepass"
        )
    return text


class Buffer:
    """
    A text that grows, but not beyond what a text of the program may have.

    Attributes:
        parts: The texts that it is made of.
        length: Of all of them, in characters.
    """

    __slots__ = ("_most", "evaluator", "length", "parts")

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.parts: list[str] = []
        self.length = 0
        self._most = evaluator.limits.max_text

    def append(self, text: str) -> None:
        """Add a text."""
        self._grow(len(text))
        self.parts.append(text)

    def append_part(self, text: str, start: int, end: int) -> None:
        """Add a part of a text, which is not copied if there is no room for it."""
        if end > start:
            self._grow(end - start)
            self.parts.append(text[start:end])

    def _grow(self, more: int) -> None:
        self.length += more
        if self._most is not None and self.length > self._most:
            self.evaluator.charge_text(self.length)

    def text(self) -> str:
        """Return what there is."""
        return join(self.evaluator, self.parts)


def charge_written(evaluator: Evaluator, nodes: Iterable[Node]) -> None:
    """
    Say that nodes are about to be written as Hyperlambda.

    Counts what that takes at least. A node that is a value is written as a text, whose
    quotes and backslashes double with each level: few nodes may be gigabytes.

    Raises:
        LimitError: The text would be longer than it may be.
    """
    most = evaluator.limits.max_text
    if most is None:
        return
    length = 0
    waiting = [
        (node, 0, 0) for node in nodes
    ]  # with the margin, and the level of value
    while waiting and length <= most:
        node, margin, level = waiting.pop()
        value = node.value
        length += margin + len(node.name) + 1
        if type(value) is str:
            length += len(value)
            if level:
                length += (value.count('"') + value.count("\\")) << level
        elif type(value) is Node:
            waiting.extend([(child, 0, level + 1) for child in value.children])
        waiting.extend([(child, margin + 3, level) for child in node.children])
    evaluator.charge_text(length)


def shortened(text: str) -> str:
    """Return what a message quotes of a text: one line, and not all of a long one."""
    line = " ".join(text[:201].splitlines())
    return line if len(line) <= 200 else line[:200] + "…"
