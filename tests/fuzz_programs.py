"""
Random programs: half of them made of the names of all slots, half of known programs.

Program number N of a seed is always the same.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

from hyperlambda import Expression, HyperlambdaError, Node, generate, parse
from hyperlambda.registry import standard_slots
from hyperlambda.values import parse_literal

from .conformance_format import read_cases
from .test_docstrings import SLOTS, example

__all__ = ["EXCLUDED", "program"]

HERE = Path(__file__).parent
# It asks a server on the network.
EXCLUDED = {"validators.recaptcha"}
NAMES = sorted(set(standard_slots()) - EXCLUDED)


def _words(text: str) -> list[str]:
    return text.split()


# Values

TEXTS = [
    *("", " ", "a", "true", "5", "-3.5", "x,y;z", "Ada", "{title}", "{}", "{{.x}}"),
    *(
        "ünï😀",
        "[1,2,{}]",
        '{"a":[1,{"b":null}]}',
        "a+b",
        "(a|b)*c",
        "^\\w+$",
        "[",
        "$1",
    ),
    *(
        "string",
        "int",
        "date",
        "node",
        "x",
        "fn",
        "yyyy-MM-dd",
        "{0:0.00}",
        "{0,20:N2}",
    ),
    *("nb-NO", "UTC", "Europe/Oslo", "2030-01-02T03:04:05Z", "ada@example.com"),
    *("https://example.com/x?y=1", "root, admin", "a:int:5", "@.data/*", "a\n   b:x:-"),
    *("=%zz", "&#x41;&amp;&lt", "aGVsbG8=", "٣", "\0", "\ud800", "seconds", "x" * 300),
]
LITERALS = [
    *("int:0", "int:1", "int:-1", "int:3", "int:2147483647", "int:-2147483648"),
    *("long:9223372036854775807", "long:-9223372036854775808", "long:2", "ulong:7"),
    *("ulong:18446744073709551615", "uint:4294967295", "short:-32768", "ushort:65535"),
    *(
        "byte:255",
        "sbyte:-128",
        "double:0.1",
        "double:1e308",
        "double:NaN",
        "float:1.5",
    ),
    *("double:-Infinity", "float:3.4e38", "decimal:79228162514264337593543950335"),
    *("decimal:0.0000000000000000000000000001", "decimal:12.50", "bool:true"),
    *("bool:false", "char:x", "guid:5f0a1c6e-7d0c-4b8c-9d7e-2f6f1c1f3f10"),
    *(
        "date:2024-02-29T12:00:00",
        "date:9999-12-31T23:59:59",
        "date:0001-01-01T00:00:00",
    ),
    *("time:864000000000", "time:-1", "time:9223372036854775807", "bytes:aGVsbG8="),
    'node:"a:int:1\\nb\\n   c:x:-"',
]
STARTS = ["@.data", "@.number", "@.text", "@.json", "@.list", "@.code", "-", "+", ".."]
STARTS += ["", ".", "@.arguments", "@.dp", "^", "@.result", "../*/.list", "../0", "**"]
STEPS = ["*", "*", "*", "**", "#", "0", "1", "9", "-", "+", ".", "..", "a", "b", "c"]
STEPS += ["[0,2]", "[1,1]", "=5", "=x", "{@.text}", "={@.number}", "--", "!a", "~a"]
STEPS += ["\\a", "^", "@.data", "|", "%", "<", ">", "a|b", '"a b"', "=a/b", "[a|b]"]

FINDING = ["@.list/*", "@.data/*", "@.data/*/*", "@.number", "@.data/0", "@.data/*/a"]
FINDING += [
    "@.data/**",
    "-",
    "+",
    "@.code",
    "@.list/0",
    "@.dp/#",
    "@.arguments/*",
    "--",
]
NUMBERS = ["int", "long", "double", "decimal", "float", "byte", "short", "ulong"]

# What some slots look for below them.
ARGUMENTS = _words(
    """
    value type pattern culture format unit timezone args roles groups users clients
    vocabulary .lambda fork case default regex min max public status field message
    group filter offset limit exception strip comments apply-lists node_reference days
    hours seconds milliseconds signal .arguments .dp .catch .finally else else-if . ..
    title
    """
)
PRELUDE = """
.data
   a:int:5
      c:x:-
   b:x
      c:double:2.5
   a:text
.number:int:3
.text:a,b,c
.json:{json}
.list
   .:int:3
   .:int:1
   .:x:@.number
.code
   get-value:x:@.number
   return:x:-
slots.create:fn
   math.add:x:@.arguments/*
      .:int:1
   return:x:-
"""


# What slots take, so that they come far more often than not: how many children at
# least and at most, and arguments by name. What stands nowhere has code below it.
COUNTS = {
    **dict.fromkeys(("eq", "neq", "lt", "lte", "mt", "mte", "math.dot"), (2, 2)),
    **dict.fromkeys(("strings.regex-replace", "strings.replace-not-of"), (2, 2)),
    **dict.fromkeys(("strings.replace", "strings.substring"), (1, 2)),
    **dict.fromkeys(("strings.contains", "strings.matches"), (1, 1)),
    **dict.fromkeys(("strings.starts-with", "strings.ends-with", "convert"), (1, 1)),
    **dict.fromkeys(("not", "set-value", "set-x", "set-name", "strings.join"), (1, 1)),
    **dict.fromkeys(("strings.trim", "strings.trim-start", "strings.trim-end"), (0, 1)),
    **dict.fromkeys(("strings.split", "strings.concat", "compose"), (1, 3)),
    **dict.fromkeys(("math.increment", "math.decrement"), (0, 1)),
    **dict.fromkeys(("return", "validators.enum", "include", "sort", "apply"), (0, 2)),
    **{name: (2, 3) for name in NAMES if name in ("and", "or", "get-first-value")},
    **{f"math.{name}": (2, 3) for name in ("add", "subtract", "multiply", "divide")},
    **{f"math.{name}": (2, 3) for name in ("modulo", "max", "min")},
}
KEYWORDS = {
    "format": "pattern culture",
    "date.format": "format timezone",
    "time.format": "format",
    "time": "days hours seconds",
    "date.unix": "unit",
    "date.from-unix": "unit",
    "throw": "public status field",
    "unwrap": "apply-lists",
    "strings.mixin": "strip title",
    "hyper2lambda": "comments",
    "lambda2hyper": "comments a",
    "lambda2json": "format a",
    "context": "value .lambda",
    "whitelist": "vocabulary .lambda",
    "validators.integer": "min max",
    "validators.string": "min max",
    "validators.date": "min max",
    "validators.regex": "regex",
    "validators.default": "a b",
    "sockets.signal": "args roles",
    "sockets.user.add-to-group": "group",
    "sockets.users": "filter offset limit",
    "join": "fork fork",
    "switch": "case default",
    "if": "eq .lambda",
    "while": "lt .lambda",
    "execute": "a b",
    "log.error": "exception",
}
KEYWORD_VALUES = {
    "culture": "string nb-NO en-US de-DE",
    "pattern": "string {0} {0:N2} {0,9} {0:0.##} {0:yyyy-MM} {0:X} {0:E3}{0}",
    "format": "string yyyy-MM-ddTHH:mm:ss dddd hh\\:mm c G",
    "timezone": "string UTC Europe/Oslo",
    "unit": "string seconds milliseconds",
    "min": "int 0 1 -5",
    "max": "int 0 5 99",
    "days": "int 0 1 -99999",
    "hours": "int 0 1 2147483647",
    "seconds": "int 0 59 -1",
    "regex": "string \\w+ ^a|b$ (x*)*y [0-9]{2,}",
    "group": "string readers",
    "offset": "int 0 1",
    "limit": "int 0 3",
    "status": "int 200 404",
    "public": "bool true false",
    "strip": "bool true false",
    "comments": "bool true false",
    "apply-lists": "bool true false",
    "roles": "string root,admin guest",
    "case": "string a b",
}
# Those whose value must be an expression that finds nodes.
FINDERS = _words(
    """
    add apply convert exists floatArray2bytes for-each get-count get-name get-nodes
    include insert-after insert-before invoke lambda2json math.decrement
    math.increment not-exists not-null null reference remove-nodes return-nodes
    set-name set-value set-x sort strings.join type unwrap validators.default yield
    """
)
DYNAMIC = {"signal", "execute", "try-signal", "slots.get", "slots.delete"}
WITHOUT_VALUE = {*COUNTS, "switch", "if", "while", "join", "whitelist", "eval", "case"}
WITHOUT_VALUE -= {name for name in NAMES if name.startswith(("strings", "validators"))}


def _value(choice: random.Random) -> object:
    kind = choice.random()
    if kind < 0.2:
        return None
    if kind < 0.5:
        return _expression(choice)
    if kind < 0.7:
        return choice.choice(TEXTS)
    name, _, literal = choice.choice(LITERALS).partition(":")
    if name == "node":
        return parse(f".:{name}:{literal}").children[0].value
    return parse_literal(literal, name)


def _fitting_value(choice: random.Random, name: str) -> object:
    if name in FINDERS:
        return Expression(choice.choice(FINDING))
    if name in DYNAMIC:
        return "fn"
    if name in WITHOUT_VALUE or (name.startswith("math.") and choice.random() < 0.3):
        return None
    if name.startswith("math."):
        return parse_literal(choice.choice("0123"), choice.choice(NUMBERS))
    if name.startswith(("strings", "json", "hyper")):
        return choice.choice([*TEXTS, Expression("@.text"), Expression("@.json")])
    return _value(choice)


def _expression(choice: random.Random) -> Expression | str:
    parts = [choice.choice(STARTS)]
    parts += choice.choices(STEPS, k=choice.choice((0, 1, 1, 1, 2, 3)))
    try:
        return Expression("/".join(parts))
    except HyperlambdaError:
        return "/".join(parts)


def _node(choice: random.Random, depth: int) -> Node:
    kind = choice.random()
    if kind < (0.9 if depth < 2 else 0.5):
        return _slot(choice, choice.choice(NAMES), depth)
    if kind < 0.93:
        return Node(".", _value(choice))
    name = choice.choice([*ARGUMENTS, "", ".x", "nosuch", "a", "b"])
    return _with_children(choice, Node(name, _value(choice)), depth)


def _slot(choice: random.Random, name: str, depth: int) -> Node:
    if choice.random() < 0.2:  # as if nobody knew what it takes
        return _with_children(choice, Node(name, _value(choice)), depth)
    node = Node(name, _fitting_value(choice, name))
    names = KEYWORDS.get(name.replace("socket.", "sockets."))
    if names is not None and choice.random() < 0.9:
        node.extend(_keyword(choice, each, depth + 1) for each in names.split())
    elif name in COUNTS:
        count = choice.randint(*COUNTS[name])
        node.extend(_operand(choice, depth) for _ in range(count))
    elif depth < 4:
        _with_children(choice, node, depth)
    return node


def _keyword(choice: random.Random, name: str, depth: int) -> Node:
    if name in NAMES and depth < 4:
        return _slot(choice, name, depth)
    known = KEYWORD_VALUES.get(name)
    if known is not None and choice.random() < 0.8:
        kind, _, literals = known.partition(" ")
        return Node(name, parse_literal(choice.choice(literals.split(" ")), kind))
    if name in (".lambda", "args", "vocabulary"):
        return _with_children(choice, Node(name), depth)
    return _with_children(choice, Node(name, _value(choice)), depth)


def _operand(choice: random.Random, depth: int) -> Node:
    if depth < 4 and choice.random() < 0.3:
        return _node(choice, depth + 1)
    if choice.random() < 0.5:
        return Node(".", parse_literal(choice.choice("0123"), choice.choice(NUMBERS)))
    return Node(".", choice.choice([_value(choice), *TEXTS]))


def _with_children(choice: random.Random, node: Node, depth: int) -> Node:
    if depth < 4:
        count = choice.choice((0, 0, 1, 1, 2, 2, 3, 6 - depth))
        node.extend(_node(choice, depth + 1) for _ in range(count))
    return node


def _from_names(choice: random.Random) -> str:
    prelude = PRELUDE.replace("{json}", json.dumps('{"k":[1,2.5,"x",null]}'))
    nodes = [_node(choice, 1) for _ in range(choice.randint(2, 6))]
    if choice.random() < 0.7:  # what fails first must not hide the others
        tries = [(Node("try", None, [node]), Node(".catch")) for node in nodes]
        nodes = [node for pair in tries for node in pair]
    return prelude + generate(nodes)


# Known programs, changed


@cache
def corpus() -> list[str]:
    """Return the programs of the samples, the slots' examples and the tables."""
    texts = [path.read_text("utf-8") for path in (HERE.parent / "samples").glob("*.hl")]
    texts += [example(name)[0] for name in SLOTS]
    for path in sorted((HERE / "conformance").glob("*.txt")):
        texts += [case.text for case in read_cases(path) if case.call == "run"]
    return [text for text in sorted(texts) if len(text) < 5_000]


def _mutated(choice: random.Random) -> str:
    text = choice.choice(corpus())
    if choice.random() < 0.1:
        return _scrambled(choice, text)
    try:
        root = parse(text)
    except HyperlambdaError:
        return text
    for _ in range(choice.choice((1, 1, 2, 3, 5))):
        nodes = list(root.walk())[1:]
        if not nodes:
            break
        choice.choice(MUTATIONS)(choice, choice.choice(nodes))
    return generate(root)


def _scrambled(choice: random.Random, text: str) -> str:
    for _ in range(choice.randint(1, 5)):
        start = choice.randrange(len(text) + 1)
        end = start + choice.choice((0, 0, 1, 3))
        text = text[:start] + choice.choice('":/\\{}*@x5 \n\0') + text[end:]
    return text


def _set_value(choice: random.Random, node: Node) -> None:
    node.value = _value(choice)


def _rename(choice: random.Random, node: Node) -> None:
    node.name = choice.choice(NAMES if choice.random() < 0.8 else ARGUMENTS)


def _remove(choice: random.Random, node: Node) -> None:
    node.untie()


def _repeat(choice: random.Random, node: Node) -> None:
    if node.parent is not None:
        node.insert_after(node.clone())


def _wrap(choice: random.Random, node: Node) -> None:
    node.adopt([Node(choice.choice(NAMES), node.value, node.take_children())])


def _grow(choice: random.Random, node: Node) -> None:
    node.add(_node(choice, 3))


def _loop(choice: random.Random, node: Node) -> None:
    if node.parent is not None:
        position = node.position()
        parent = node.parent
        loop = Node(*choice.choice(LOOPS), [node.untie()])
        parent.insert(position, loop)


def _splice(choice: random.Random, node: Node) -> None:
    try:
        other = parse(choice.choice(corpus()))
    except HyperlambdaError:
        return
    node.adopt(other.take_children())


MUTATIONS: list[Callable[[random.Random, Node], None]] = [
    *(
        _set_value,
        _set_value,
        _rename,
        _rename,
        _remove,
        _repeat,
        _wrap,
        _grow,
        _splice,
    ),
    _loop,
]
LOOPS: list[tuple[str, object]] = [
    ("while", True),
    ("for-each", Expression("../*")),
    ("for-each", Expression("../**/**")),
    ("slots.create", "fn"),
    ("fork", None),
]


def program(seed: int, number: int) -> str:
    """Return one of the programs of a seed."""
    choice = random.Random(f"{seed}/{number}")
    return _from_names(choice) if number % 2 else _mutated(choice)
