"""
Read the conformance tables: see conformance/README.md for their format.

Knows nothing of the language except the notation for values, for which it asks
`hyperlambda.values` how a value is spelled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hyperlambda import Node
from hyperlambda.values import literal_text, parse_literal, type_name

__all__ = [
    "KINDS",
    "Case",
    "ExpectedError",
    "flat_text",
    "read_cases",
    "read_tree",
    "read_value",
    "tree_text",
    "value_text",
]

# The words of the tables for the class names that [.catch] sees.
KINDS = {
    "HE": "magic.node.extensions.HyperlambdaException",
    "Argument": "System.ArgumentException",
    "ArgumentNull": "System.ArgumentNullException",
    "ArgumentOutOfRange": "System.ArgumentOutOfRangeException",
    "DivideByZero": "System.DivideByZeroException",
    "Format": "System.FormatException",
    "InvalidCast": "System.InvalidCastException",
    "InvalidOperation": "System.InvalidOperationException",
    "NullReference": "System.NullReferenceException",
    "Overflow": "System.OverflowException",
    "RuntimeBinder": "Microsoft.CSharp.RuntimeBinder.RuntimeBinderException",
}

_MARKS = {"⏎": "\n", "␍": "\r", "→": "\t", "·": " ", "⍽": "\u00a0"}
_MARK = re.compile("[" + "".join(_MARKS) + r"]|⟨U\+([0-9A-F]{4,6})⟩")
# The outcomes of the other calls have escapes of their own.
MARKED_OUTCOMES = ("gen", "regen", "run")
_PLAIN_NAME = re.compile(r"[\w.@*#/+-]+", re.ASCII)
_ERROR = re.compile(r"=> error(?: (\w+)(?: (\d+):(\d+))?)?")


@dataclass(frozen=True, slots=True)
class ExpectedError:
    """
    How a case must fail.

    Attributes:
        name: A word of `KINDS`, or the name of our class; None allows any.
        place: Line and column, from 1; None allows any.
    """

    name: str | None
    place: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Case:
    """
    One case of a table.

    Attributes:
        file: The table's name.
        line: Where the case begins there, from 1.
        title: What must hold, in a sentence.
        call: What is done with the input: ``run``, ``parse`` …
        options: Further words of the case's `@` line.
        text: The input.
        outcome: What comes out; None after an error if the tree does not matter.
        result: What the program returned; None if it must return nothing.
        error: How it must fail, or None.
        setting: The tree that all cases of the table share, or "".
    """

    file: str
    line: int
    title: str
    call: str
    options: tuple[str, ...]
    text: str
    outcome: str | None
    result: str | None
    error: ExpectedError | None
    setting: str


def read_cases(path: Path) -> list[Case]:
    """
    Return the cases of a table.

    Raises:
        ValueError: The table is malformed; the message says in which line.
    """
    return parse_cases(path.read_bytes().decode(), path.name)


def parse_cases(table: str, file: str) -> list[Case]:
    """Return the cases of a table that is at hand as text."""
    chunks = list(_chunks(table))
    call: list[str] = ["run"]
    setting = ""
    if not any(line.startswith("=>") for line in chunks[0][1]):
        _, lines = chunks.pop(0)
        lines = [line for line in lines if not line.startswith("//")]
        if lines and lines[0].startswith("@ "):
            call = lines.pop(0)[2:].split()
        setting = "\n".join(lines)
    return [_case(file, start, lines, call, setting) for start, lines in chunks]


def _chunks(table: str) -> Iterable[tuple[int, list[str]]]:
    start = 1
    chunk: list[str] = []
    lines = table.removesuffix("\n").split("\n")
    for number, line in enumerate(lines, 1):
        if line == "---":
            yield start, chunk
            start, chunk = number + 1, []
        else:
            chunk.append(line)
    yield start, chunk


def _case(
    file: str, start: int, lines: list[str], call: list[str], setting: str
) -> Case:
    if not lines or not lines[0].startswith("// "):
        raise ValueError(f"{file}:{start}: a case begins with '// ' and its title")
    body = lines[1:]
    if body and body[0].startswith("@ "):
        call = body.pop(0)[2:].split()
    heads = [index for index, line in enumerate(body) if line.startswith("=>")]
    if not heads:
        raise ValueError(f"{file}:{start}: the case has no '=>'")
    marked = "marks" in call
    # What [gen] writes is given as a tree, which has escapes of its own.
    text = _joined(body[: heads[0]], marked and call[0] != "gen")
    outcome: str | None = None
    result: str | None = None
    error: ExpectedError | None = None
    for head, stop in zip(heads, [*heads[1:], len(body)], strict=True):
        section = body[head + 1 : stop]
        failure = _ERROR.fullmatch(body[head])
        if body[head] == "=>":
            outcome = _joined(section, marked and call[0] in MARKED_OUTCOMES)
        elif body[head] == "=> result":
            result = "\n".join(section)
        elif failure:
            name, line, column = failure.groups()
            place = (int(line), int(column)) if line else None
            error = ExpectedError(name, place)
            outcome = "\n".join(section) if section else None
        else:
            raise ValueError(f"{file}:{start}: what is '{body[head]}'?")
    title, options = lines[0][3:], tuple(call[1:])
    return Case(
        file, start, title, call[0], options, text, outcome, result, error, setting
    )


def _joined(lines: list[str], marked: bool) -> str:
    if not marked:
        return "\n".join(lines)
    return _MARK.sub(_unmarked, "".join(lines))


def _unmarked(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else _MARKS[match[0]]


# The notation for trees and values


def value_text(value: Any) -> str:
    """Return a value in the tables' notation: ``null``, ``"text"`` or ``int 5``."""
    if value is None:
        return "null"
    if type(value) is str:
        return _quoted(value)
    if isinstance(value, Node):
        return f"node{_inline(value)}"
    text = literal_text(value) or ""
    plain = text.isprintable() and text == text.strip() and not text.startswith('"')
    return f"{type_name(value)} {text if plain and text else _quoted(text)}"


def tree_text(nodes: Iterable[Node], margin: str = "") -> str:
    """Return nodes in the tables' notation, one a line, children indented."""
    parts = []
    for node in nodes:
        parts.append(f"{margin}{_line(node)}\n")
        parts.append(tree_text(node.children, margin + "   "))
    return "".join(parts)


def flat_text(nodes: Iterable[Node]) -> str:
    """Return nodes in the tables' notation, without their children."""
    return "".join(f"{_line(node)}\n" for node in nodes)


def _line(node: Node) -> str:
    name = node.name if _PLAIN_NAME.fullmatch(node.name) else _quoted(node.name)
    return name if node.value is None else f"{name} = {value_text(node.value)}"


def _inline(node: Node) -> str:
    parts = [
        _line(child) + (f" {_inline(child)}" if child.children else "")
        for child in node.children
    ]
    return "(" + "; ".join(parts) + ")"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=not text.isprintable())


def read_value(text: str) -> Any:
    """Return the value of the tables' notation; a node is ``node "its text"``."""
    if text == "null":
        return None
    if text.startswith('"'):
        return json.loads(text)
    kind, _, spelled = text.partition(" ")
    if spelled.startswith('"'):
        spelled = json.loads(spelled)
    return parse_literal(spelled, kind)


def read_tree(text: str) -> list[Node]:
    """Return the nodes of the tables' notation."""
    root = Node()
    path = [root]
    for line in text.split("\n"):
        bare = line.lstrip(" ")
        depth = (len(line) - len(bare)) // 3
        name, value = _read_line(bare)
        node = path[depth].add(Node(name, value))
        path[depth + 1 :] = [node]
    return root.take_children()


def _read_line(line: str) -> tuple[str, Any]:
    if line.startswith('"'):
        name, end = json.JSONDecoder().raw_decode(line)
    else:
        name = line.partition(" ")[0]
        end = len(name)
    rest = line[end:].removeprefix(" = ")
    return name, read_value(rest) if rest else None
