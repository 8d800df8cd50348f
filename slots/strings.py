"""Joining, splitting, cutting, searching and measuring texts (spec 03 §2.1–2.3, §2.7)."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heapreplace

from hyperlambda import ArgumentError, Evaluator, Node, slot
from hyperlambda.conversions import to_int
from hyperlambda.errors import NullArgumentError, PositionError
from hyperlambda.expressions import expression_of, resolve, resolve_text

from . import texts
from .texts import (
    check_children,
    own_text,
    parameter_text,
    units,
)

# What counts as white space: Unicode's, without U+001C to U+001F.
WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B)))
WHITE_SPACE += "\u2028\u2029\u202f\u205f\u3000"


@slot("strings.concat")
def concat(evaluator: Evaluator, node: Node) -> None:
    """
    Join texts into one.

    Children are run first. All of them are joined, those that do not run too; null adds
    nothing, and values that are not text are joined as the text they are read as.

    Reads:
        children: the parts. If there are any, the value is not looked at.
        value: without children, an expression that finds the parts.
    Leaves:
        value: str. Children are removed.
    Raises:
        ExpressionError: There are no children, and the value is not an expression.
        ConversionError: A part, such as a time or a node, cannot be read as text.
        LimitError: The text would be longer than it may be.
    Source:
        Spec 03 §2.1.

    Example::

        .tea:oolong
        strings.concat
           .:"cup of "
           get-value:x:@.tea
           .:int:2
        // becomes
        .tea:oolong
        strings.concat:cup of oolong2
    """
    parts: Sequence[Node]
    if node.children:
        evaluator.run_children(node)
        parts = node.children
    else:
        parts = expression_of(node).evaluate(node)
    node.value = texts.join(evaluator, [resolve_text(part) or "" for part in parts])
    node.clear()


@slot("strings.join")
def join(evaluator: Evaluator, node: Node) -> None:
    """
    Join the values that an expression finds, with a separator between them.

    Reads:
        value: an expression that finds the parts; null is an empty one.
        children: run first; the first one is the separator, by default "".
    Leaves:
        value: str. Children are removed.
    Raises:
        ExpressionError: The value is not an expression.
        ConversionError: A part, such as a time or a node, cannot be read as text.
        LimitError: The text would be longer than it may be.
    Source:
        Spec 03 §2.1.

    Example::

        .teas
           .:sencha
           .:assam
        strings.join:x:-/*
           .:" + "
        // becomes
        .teas
           .:sencha
           .:assam
        strings.join:sencha + assam
    """
    expression = expression_of(node)
    evaluator.run_children(node)
    separator = (resolve_text(node.children[0]) or "") if node.children else ""
    parts = [resolve_text(part) or "" for part in expression.evaluate(node)]
    node.value = texts.join(evaluator, parts, separator)
    node.clear()


@slot("strings.split")
def split(evaluator: Evaluator, node: Node) -> None:
    """
    Split a text at its separators, and drop empty parts.

    Where several separators match, the first of them is taken. An empty one splits
    nothing.

    Reads:
        value: str, or an expression that leads to it.
        children: the separators, run first; one without a value is any white space.
    Leaves:
        value: as it is.
        children: a nameless one for each part.
    Raises:
        ArgumentError: There is no text, or no child.
        LimitError: There would be more nodes than the program may have.
    Source:
        Spec 03 §2.1, §15 Q8.

    Example::

        .csv:a;b,,c
        strings.split:x:-
           .:,
           .:;
        // becomes
        .csv:a;b,,c
        strings.split:x:-
           "":a
           "":b
           "":c
    """
    if not node.children:
        raise ArgumentError(f"'{node.name}' needs a separator as its child")
    evaluator.run_children(node)
    text = own_text(node)
    separators: list[str] = []
    for child in node.children:
        separator = resolve_text(child)
        separators += WHITE_SPACE if separator is None else [separator]
    parts = [part for part in _split(text, separators) if part]
    evaluator.charge_nodes(len(parts))
    evaluator.charge_texts(len(text))
    node.clear()
    node.adopt([Node("", part) for part in parts])


def _split(text: str, separators: list[str]) -> list[str]:
    """Return the parts between separators; of those at one place the first counts."""
    known = [each for each in dict.fromkeys(separators) if each and each in text]
    if len(known) == 1:
        return text.split(known[0])
    parts = []
    start = 0
    # Where each stands next: every separator is looked for once along the text.
    places = [(text.find(each), index) for index, each in enumerate(known)]
    heapify(places)
    while places:
        at, first = places[0]
        separator = known[first]
        if at >= start:
            parts.append(text[start:at])
            start = at + len(separator)
        at = text.find(separator, start)
        if at < 0:
            heappop(places)
        else:
            heapreplace(places, (at, first))
    parts.append(text[start:])
    return parts


@slot("strings.substring")
def substring(evaluator: Evaluator, node: Node) -> None:
    """
    Cut a part out of a text.

    Reads:
        value: str, or an expression that leads to it.
        children: run first. The first is where the part begins, from 0. The second is
            how long it is, by default and for -1 to the end of the text; what goes
            beyond is cut. Both are int, in UTF-16 code units.
    Leaves:
        value: str. Children are removed.
    Raises:
        ArgumentError: There is no text or no child, or a child has no value.
        PositionError: The part begins outside of the text, or its length is negative.
    Source:
        Spec 03 §2.7, §15 Q7 and Q13.

    Example::

        .s:chamomile
        strings.substring:x:-
           .:int:2
           .:int:4
        // becomes
        .s:chamomile
        strings.substring:amom
    """
    if not node.children:
        raise ArgumentError(f"'{node.name}' needs a position as its child")
    evaluator.run_children(node)
    text = own_text(node)
    start = _number(node, 0, "position")
    count = _number(node, 1, "length") if len(node.children) > 1 else -1
    length = units(text)
    if not 0 <= start <= length:
        raise PositionError(
            f"'{node.name}' cannot begin at {start} in a text of {length} characters"
        )
    if count < -1:
        raise PositionError(f"'{node.name}' cannot take {count} characters")
    end = length if count == -1 else min(length, start + count)
    if length == len(text):
        evaluator.charge_text(end - start)
        node.value = text[start:end]
    else:
        evaluator.charge_text(end - start)
        cut = text.encode("utf-16-le", "surrogatepass")[2 * start : 2 * end]
        node.value = cut.decode("utf-16-le", "surrogatepass")
    node.clear()


def _number(node: Node, position: int, meaning: str) -> int:
    value = resolve(node.children[position])
    if value is None:
        raise ArgumentError(f"'{node.name}' needs a number as its {meaning}")
    return to_int(value)


@slot("strings.contains")
def contains(evaluator: Evaluator, node: Node) -> None:
    """
    Find out whether a text contains another.

    Reads:
        value: str, or an expression that leads to it.
        children: one, run first: what to look for.
    Leaves:
        value: bool; false if there is no text. Children are removed.
    Raises:
        ArgumentError: There is not exactly one child.
        NullArgumentError: What to look for is null.
    Source:
        Spec 03 §2.2.

    Example::

        .word:kettle
        strings.contains:x:@.word
           .:ettl
        // becomes
        .word:kettle
        strings.contains:bool:true
    """
    text, wanted = _search(evaluator, node)
    node.value = text is not None and wanted in text
    node.clear()


@slot("strings.starts-with")
def starts_with(evaluator: Evaluator, node: Node) -> None:
    """
    Find out whether a text begins with another, character by character.

    Reads:
        value: str, or an expression that leads to it.
        children: one, run first: the beginning.
    Leaves:
        value: bool; false if there is no text. Children are removed.
    Raises:
        ArgumentError: There is not exactly one child.
        NullArgumentError: The beginning is null.
    Source:
        Spec 03 §2.2, §15 Q6.

    Example::

        .word:kettle
        strings.starts-with:x:@.word
           .:ket
        // becomes
        .word:kettle
        strings.starts-with:bool:true
    """
    text, wanted = _search(evaluator, node)
    node.value = text is not None and text.startswith(wanted)
    node.clear()


@slot("strings.ends-with")
def ends_with(evaluator: Evaluator, node: Node) -> None:
    """
    Find out whether a text ends with another, character by character.

    Reads:
        value: str, or an expression that leads to it.
        children: one, run first: the end.
    Leaves:
        value: bool; false if there is no text. Children are removed.
    Raises:
        ArgumentError: There is not exactly one child.
        NullArgumentError: The end is null.
    Source:
        Spec 03 §2.2, §15 Q6.

    Example::

        .word:kettle
        strings.ends-with:x:@.word
           .:TLE
        // becomes
        .word:kettle
        strings.ends-with:bool:false
    """
    text, wanted = _search(evaluator, node)
    node.value = text is not None and text.endswith(wanted)
    node.clear()


def _search(evaluator: Evaluator, node: Node) -> tuple[str | None, str]:
    """Return the text and what to look for, which does not matter without a text."""
    check_children(node, 1, 1)
    evaluator.run_children(node)
    text = resolve_text(node)
    return text, "" if text is None else parameter_text(node, 0, "child")


@slot("strings.length")
def length(evaluator: Evaluator, node: Node) -> None:
    """
    Count the characters of a text.

    Reads:
        value: str, or an expression that leads to it.
    Leaves:
        value: int, in UTF-16 code units: a character beyond U+FFFF counts as two.
        children: as they are.
    Raises:
        ArgumentError: There is no text.
    Source:
        Spec 03 §2.3, §15 Q7.

    Example::

        .word:té Noir
        strings.length:x:@.word
        // becomes
        .word:té Noir
        strings.length:int:7
    """
    node.value = units(own_text(node))


@slot("strings.byte-count")
def byte_count(evaluator: Evaluator, node: Node) -> None:
    """
    Count the bytes of a text in UTF-8.

    Reads:
        value: str, or an expression that leads to it.
    Leaves:
        value: int.
        children: as they are.
    Raises:
        NullArgumentError: There is no text.
    Source:
        Spec 03 §2.3.

    Example::

        .word:té Noir
        strings.byte-count:x:@.word
        // becomes
        .word:té Noir
        strings.byte-count:int:8
    """
    node.value = len(own_text(node, NullArgumentError).encode("utf-8", "surrogatepass"))
