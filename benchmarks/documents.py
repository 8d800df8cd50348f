"""
The same document as Hyperlambda and as YAML, made by chance and always the same.

In YAML a text of nodes is a sequence of mappings with one entry each, for order counts and
names may be repeated; children are a sequence below the name, and if their node has a
value too it stands first there. This is the least YAML that says the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

__all__ = ["Line", "lines", "to_hyperlambda", "to_yaml"]

_DEEPEST = 6

_SLOTS = [
    "for-each", "if", "else", "eq", "set-value", "get-value", "strings.concat",
    "math.add", "add", "return", ".lambda", ".data", "execute", "arguments",
]  # fmt: skip
_FIELDS = ["name", "city", "street", "amount", "price", "role", "message", ".", "title"]
_TEXTS = ["Ada Lovelace", "kitchen", "root, admin", "foo.bar", "a longer value of text"]
_QUOTED = ["Hello: world", "see https://example.com/a", "10:30 to 11:15", " padded "]
_EXPRESSIONS = [
    "@.data/*/name",
    "@.dp/#",
    "@.dp/#/*/city",
    "@.sum",
    "-/*",
    "../*/.data",
]
_COMMENTS = ["What follows is for guests.", "Counted once a day", "See the handbook"]


@dataclass(frozen=True, slots=True)
class Line:
    """
    One line of the document.

    Attributes:
        depth: Its level, from 0.
        kind: "comment", "none" (a node without value), "text", "quoted", "int" or "x".
        name: The node's name; empty for a comment.
        value: The value as it is written, without quotes; empty if there is none.
    """

    depth: int
    kind: str
    name: str
    value: str


def lines(count: int, seed: int = 1) -> list[Line]:
    """Return so many lines of an ordinary program: slots, data, a few comments."""
    random = Random(seed)
    made: list[Line] = []
    depth = -1  # of the last node
    while len(made) < count:
        depth = random.choice(range(min(depth + 1, _DEEPEST) + 1))
        if random.random() < 0.05:
            made.append(Line(depth, "comment", "", random.choice(_COMMENTS)))
        made.append(_node(random, depth))
    return made[:count]


def _node(random: Random, depth: int) -> Line:
    kind = random.choices(["none", "text", "quoted", "int", "x"], [25, 25, 10, 15, 25])[
        0
    ]
    name = random.choice(_SLOTS if kind in ("none", "x") else _FIELDS)
    if kind == "int":
        return Line(depth, kind, name, str(random.randrange(100_000)))
    values = {"text": _TEXTS, "quoted": _QUOTED, "x": _EXPRESSIONS}.get(kind, [""])
    return Line(depth, kind, name, random.choice(values))


def to_hyperlambda(document: list[Line]) -> str:
    """Return the document as Hyperlambda."""
    return "".join([f"{'   ' * line.depth}{_hyperlambda(line)}\n" for line in document])


def _hyperlambda(line: Line) -> str:
    match line.kind:
        case "comment":
            return f"// {line.value}"
        case "none":
            return line.name
        case "quoted":
            return f'{line.name}:"{line.value}"'
        case "text":
            return f"{line.name}:{line.value}"
    return f"{line.name}:{line.kind}:{line.value}"


def to_yaml(document: list[Line]) -> str:
    """Return the document as YAML."""
    out = []
    below = -1  # the depth of the node that comes after the line
    for line in reversed(document):
        pad = "  " * line.depth
        if line.kind == "comment":
            out.append(f"{pad}# {line.value}\n")
            continue
        value = _yaml(line)
        if below <= line.depth:
            out.append(f"{pad}- {line.name}:{value and ' '}{value}\n")
        else:
            own = f"{pad}  - {value}\n" if value else ""
            out.append(f"{pad}- {line.name}:\n{own}")
        below = line.depth
    return "".join(reversed(out))


def _yaml(line: Line) -> str:
    if line.kind == "quoted":
        return f'"{line.value}"'
    # An @ cannot begin a plain scalar, and a hyphen should not.
    return f"'{line.value}'" if line.kind == "x" else line.value
