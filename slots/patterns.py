"""Regular expressions (spec 03 §2.6)."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from hyperlambda import Evaluator, Node, slot
from hyperlambda.errors import NullArgumentError

from .texts import (
    Buffer,
    check_children,
    own_text,
    parameter_text,
)

if TYPE_CHECKING:
    from .matching import Pattern

# Parts of a replacement that are no group: what stands before and behind the match, and
# the whole text.
_BEFORE, _BEHIND, _WHOLE = -1, -2, -3
_PARTS = {"`": _BEFORE, "'": _BEHIND, "_": _WHOLE, "&": 0}


@slot("strings.regex-replace")
def regex_replace(evaluator: Evaluator, node: Node) -> None:
    """
    Replace whatever matches a pattern.

    Patterns are written as in .NET, `(?<name>…)` included. `^` and `$` match at every
    line; capitals count unless `(?i)` says otherwise. A pattern that could take long is
    matched in a process of its own when the program's time is limited, and ends with it.

    Reads:
        value: str, or an expression that leads to it.
        children: two, run first: the pattern, and what takes the place of a match. In
            it, `$1`, `${1}` and `${name}` are groups, `$0` and `$&` the match, `` $` ``
            and `$'` what stands before and behind it, `$+` the last group, `$_` the
            whole text, and `$$` a dollar.
    Leaves:
        value: str. Children are removed.
    Raises:
        ArgumentError: There are not exactly two children.
        NullArgumentError: The text, the pattern or the replacement is null.
        PatternError: The pattern is malformed, or has what is not known here:
            balancing groups, named blocks, look-behind without a fixed width, `\\\\G`.
        LimitError: The text would be longer than it may be, or the time is over.
    Source:
        Spec 03 §2.6.

    Example::

        .line:"oolong=3\\nsencha=12"
        strings.regex-replace:x:@.line
           .:"^(\\\\w+)=(\\\\d+)$"
           .:"$2 of $1"
        // becomes
        .line:"oolong=3\\nsencha=12"
        strings.regex-replace:"3 of oolong\\n12 of sencha"
    """
    check_children(node, 2, 2)
    evaluator.run_children(node)
    text = own_text(node, NullArgumentError)
    expression = parameter_text(node, 0, "pattern")
    template = parameter_text(node, 1, "replacement")
    # Only programs that have patterns pay for loading this, here and below.
    from .matching import compile_pattern

    pattern = compile_pattern(expression, multiline=True)
    node.value = _replace(evaluator, pattern, text, _template(template, pattern))
    node.clear()


@slot("strings.matches")
def matches(evaluator: Evaluator, node: Node) -> None:
    """
    Find whatever matches a pattern.

    Patterns are those of [strings.regex-replace], but `^` and `$` match only at the ends
    of the text unless `(?m)` says otherwise.

    Reads:
        value: str, or an expression that leads to it.
        children: one, run first: the pattern.
    Leaves:
        value: null; also when the pattern is malformed.
        children: one named `.` for each match, empty ones too.
    Raises:
        ArgumentError: There is not exactly one child.
        NullArgumentError: The text or the pattern is null.
        PatternError: The pattern is malformed, or has what is not known here.
        LimitError: There would be more nodes than the program may have, or the time is
            over.
    Source:
        Spec 03 §2.6.

    Example::

        .line:"oolong=3\\nsencha=12"
        strings.matches:x:@.line
           .:"\\\\d+"
        // becomes
        .line:"oolong=3\\nsencha=12"
        strings.matches
           .:3
           .:12
    """
    check_children(node, 1, 1)
    evaluator.run_children(node)
    text = own_text(node, NullArgumentError)
    expression = parameter_text(node, 0, "pattern")
    node.value = None
    node.clear()
    from .matching import compile_pattern, find_all

    found = list(find_all(evaluator, compile_pattern(expression), text))
    evaluator.charge_nodes(len(found))
    evaluator.charge_texts(sum([end - start for ((start, end),) in found]))
    node.adopt([Node(".", text[start:end]) for ((start, end),) in found])


@cache
def _placeholder() -> re.Pattern[str]:
    return re.compile(r"\$(?:([0-9]+)|\{(\w+)\}|([$&`'+_]))")


def _template(template: str, pattern: Pattern) -> list[str | int]:
    """Return the parts of a replacement; what names no group is a text as it stands."""
    parts: list[str | int] = []
    position = 0
    for match in _placeholder().finditer(template):
        number, name, sign = match.groups()
        part: str | int | None
        if sign == "$":
            part = "$"
        elif sign == "+":
            part = pattern.groups.last
        elif sign:
            part = _PARTS[sign]
        else:
            part = pattern.groups.find(number or name)
        if part is not None:
            parts += [template[position : match.start()], part]
            position = match.end()
    parts.append(template[position:])
    return [part for part in parts if part != ""]


def _replace(
    evaluator: Evaluator, pattern: Pattern, text: str, template: list[str | int]
) -> str:
    from .matching import find_all

    groups = sorted({part for part in template if isinstance(part, int) and part > 0})
    place = {group: index for index, group in enumerate([0, *groups])}
    buffer = Buffer(evaluator)
    position = 0
    for spans in find_all(evaluator, pattern, text, tuple(place)):
        start, end = spans[0]
        buffer.append_part(text, position, start)
        for part in template:
            if isinstance(part, str):
                buffer.append(part)
            elif part >= 0:
                buffer.append_part(text, *spans[place[part]])
            elif part == _BEFORE:
                buffer.append_part(text, 0, start)
            elif part == _BEHIND:
                buffer.append_part(text, end, len(text))
            else:
                buffer.append_part(text, 0, len(text))
        position = end
    buffer.append_part(text, position, len(text))
    return buffer.text()
