"""Trimming texts, and replacing parts of them (spec 03 §2.4–2.5)."""

from __future__ import annotations

from hyperlambda import ArgumentError, Evaluator, Node, slot
from hyperlambda.errors import InvalidArgumentError
from hyperlambda.expressions import resolve_text

from .strings import WHITE_SPACE
from .texts import check_children, own_text, parameter_text


@slot("strings.trim")
def trim(evaluator: Evaluator, node: Node) -> None:
    """
    Remove white space, or other characters, from both ends of a text.

    Reads:
        value: str, or an expression that leads to it.
        children: at most one, run first: the characters to remove; white space when it
            is null or "".
    Leaves:
        value: str. Children are removed.
    Raises:
        ArgumentError: There is no text, or more than one child.
    Source:
        Spec 03 §2.4.

    Example::

        strings.trim:"  tea "
        // becomes
        strings.trim:tea
    """
    text, characters = _trimming(evaluator, node)
    node.value = _charged(evaluator, text.strip(characters))
    node.clear()


@slot("strings.trim-start")
def trim_start(evaluator: Evaluator, node: Node) -> None:
    """
    Remove white space, or other characters, from the beginning of a text.

    Reads:
        value: str, or an expression that leads to it.
        children: at most one, run first: the characters to remove; white space when it
            is null or "".
    Leaves:
        value: str. Children are removed.
    Raises:
        ArgumentError: There is no text, or more than one child.
    Source:
        Spec 03 §2.4.

    Example::

        strings.trim-start:"..tea.."
           .:.
        // becomes
        strings.trim-start:tea..
    """
    text, characters = _trimming(evaluator, node)
    node.value = _charged(evaluator, text.lstrip(characters))
    node.clear()


@slot("strings.trim-end")
def trim_end(evaluator: Evaluator, node: Node) -> None:
    """
    Remove white space, or other characters, from the end of a text.

    Reads:
        value: str, or an expression that leads to it.
        children: at most one, run first: the characters to remove; white space when it
            is null or "".
    Leaves:
        value: str. Children are removed.
    Raises:
        ArgumentError: There is no text, or more than one child.
    Source:
        Spec 03 §2.4.

    Example::

        strings.trim-end:"tea?!"
           .:"!?"
        // becomes
        strings.trim-end:tea
    """
    text, characters = _trimming(evaluator, node)
    node.value = _charged(evaluator, text.rstrip(characters))
    node.clear()


def _charged(evaluator: Evaluator, text: str) -> str:
    evaluator.charge_text(len(text))
    return text


def _trimming(evaluator: Evaluator, node: Node) -> tuple[str, str]:
    """Return the text, and the characters to remove."""
    check_children(node, 0, 1)
    evaluator.run_children(node)
    characters = resolve_text(node.children[0]) if node.children else None
    return own_text(node), characters or WHITE_SPACE


@slot("strings.replace")
def replace(evaluator: Evaluator, node: Node) -> None:
    """
    Replace every occurrence of a text in another.

    Reads:
        value: str, or an expression that leads to it.
        children: run first. The first is what to replace, the second what takes its
            place, by default nothing.
    Leaves:
        value: str.
        children: as they are; those that were run show their results.
    Raises:
        ArgumentError: There is no text, or not one or two children.
        NullArgumentError: What to replace is null.
        InvalidArgumentError: What to replace is "".
        LimitError: The text would be longer than it may be.
    Source:
        Spec 03 §2.5.

    Example::

        .line:two cups, two spoons
        strings.replace:x:@.line
           .:two
           .:three
        // becomes
        .line:two cups, two spoons
        strings.replace:three cups, three spoons
           .:two
           .:three
    """
    check_children(node, 1, 2)
    evaluator.run_children(node)
    text = own_text(node)
    what = parameter_text(node, 0, "first child")
    if not what:
        raise InvalidArgumentError(f"'{node.name}' cannot replace an empty text")
    by = (resolve_text(node.children[1]) or "") if len(node.children) > 1 else ""
    if evaluator.limits.max_text is not None:
        evaluator.charge_text(len(text) + text.count(what) * (len(by) - len(what)))
    node.value = text.replace(what, by)


@slot("strings.replace-not-of")
def replace_not_of(evaluator: Evaluator, node: Node) -> None:
    """
    Replace every character that is not among those allowed.

    Reads:
        value: str, or an expression that leads to it.
        children: two, run first. The first has the characters that stay, the second is
            what takes the place of each other one; null is "". A character beyond U+FFFF
            is replaced twice, once for each of its UTF-16 code units.
    Leaves:
        value: str.
        children: as they are; those that were run show their results.
    Raises:
        ArgumentError: There is no text, no text of allowed characters, or not two
            children.
        LimitError: The text would be longer than it may be.
    Source:
        Spec 03 §2.5.

    Example::

        .line:Two cups
        strings.replace-not-of:x:@.line
           .:"abcdefghijklmnopqrstuvwxyz "
           .:*
        // becomes
        .line:Two cups
        strings.replace-not-of:*wo cups
           .:"abcdefghijklmnopqrstuvwxyz "
           .:*
    """
    check_children(node, 2, 2)
    evaluator.run_children(node)
    text = own_text(node)
    allowed = resolve_text(node.children[0])
    if allowed is None:
        raise ArgumentError(f"'{node.name}' needs the allowed characters")
    by = resolve_text(node.children[1]) or ""
    if evaluator.limits.max_text is not None:
        kept = sum(map(text.count, set(allowed)))
        evaluator.charge_text(kept + (len(text) - kept) * len(by))
    pieces = {
        each: each if each in allowed else by * (1 + (each > "\uffff"))
        for each in set(text)
    }
    node.value = "".join([pieces[each] for each in text])
