"""
Programs that want to hurt: each is stopped by a limit, and within twice of it.

A table for each limit, of the constructs that could go past it. Every program runs
inside of a [try] of its own, which must not see that it was stopped; afterwards the
evaluator still works.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from time import monotonic, process_time
from typing import Any

import pytest

from hyperlambda import Evaluator, HyperlambdaError, LimitError, Limits, Node, parse

from .test_docstrings import QuietHub


@pytest.fixture(autouse=True)
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what the programs log out of the report of the tests, which holds it all."""
    monkeypatch.setattr(logging.getLogger("hyperlambda"), "disabled", True)


def lines(*texts: str) -> str:
    return "\n".join(texts)


def below(head: str, body: str) -> str:
    """Put code below a node."""
    return "\n".join([head, *["   " + line for line in body.split("\n")]])


def attempt(program: str) -> str:
    """Return the program as one that would go on after any error."""
    tries = below("try", program) + "\n.catch\n   .swallowed"
    return below("while:bool:true", tries)


def stopped(program: str, limits: Limits, *, ticks: int | None = None) -> Node:
    """
    Run a hostile program that must end by a limit; return the tree that it left.

    It must end within twice its time, once out of three: others use the machine too.
    """
    for _ in range(3):
        root, used, message = _stopped(program, limits, ticks)
        if limits.timeout is None or used < 2 * limits.timeout:
            return root
    raise AssertionError(f"{used:.2f} seconds: {message}")


def _stopped(
    program: str, limits: Limits, ticks: int | None
) -> tuple[Node, float, str]:
    """Return the tree, the seconds that it took, and what stopped it."""
    evaluator = Evaluator(limits=limits, hub=QuietHub())
    calls = 0

    @evaluator.slot("tick")
    def tick(run: Evaluator, node: Node) -> None:
        nonlocal calls
        calls += 1

    root = parse(attempt(program))
    start, used = monotonic(), process_time()
    with pytest.raises(LimitError) as caught:
        evaluator.evaluate(root)
    # By the time of this process, since others may be using the machine; but by the clock
    # if that is less, since forks use several processors at once.
    taken = monotonic() - start
    used = min(process_time() - used, taken)
    if limits.timeout is not None:
        assert taken < 20 * limits.timeout
    if limits.max_steps is not None:
        assert calls <= limits.max_steps
    if ticks is not None:
        assert calls >= ticks
    assert caught.value.place is not None
    assert evaluator.run("return:ok").value == "ok"
    return root, used, caught.value.message


def all_nodes(root: Node) -> list[Node]:
    """Return all nodes of a tree, those that are values included, each once."""
    found: dict[int, Node] = {}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) not in found:
            found[id(node)] = node
            waiting.extend(node.children)
            if isinstance(node.value, Node):
                waiting.append(node.value)
    return list(found.values())


# Going on for ever: by steps, and by time

LIST = ".list\n   a:int:2\n   b:int:1"
LOOPS = {
    "while, short": "while:bool:true\n   tick",
    "while, long": "while\n   .:bool:true\n   .lambda\n      tick",
    "while of a slot": "while\n   not\n      .:bool:false\n   .lambda\n      tick",
    "for-each of what it adds": lines(
        ".list\n   .",
        "while:bool:true",
        "   for-each:x:@.list/*\n      tick",
    ),
    "while of for-each of for-each": lines(
        LIST,
        "while:bool:true",
        "   for-each:x:@.list/*\n      for-each:x:@.list/*\n         tick",
    ),
    "while of include": f"{LIST}\nwhile:bool:true\n   include:x:@.list/*\n      tick",
    "while of sort": lines(
        LIST,
        "while:bool:true",
        "   sort:x:@.list/*\n      tick\n      set-value:x:@.result\n         .:int:1",
    ),
    "sort that never decides": below(
        f"{LIST}\nsort:x:@.list/*", "while:bool:true\n   tick"
    ),
    "while of apply": f"{LIST}\nwhile:bool:true\n   apply:x:@.list\n   tick",
    "while of mixin": 'while:bool:true\n   strings.mixin:"{{tick}}{{return:1}}"',
    "while of join": "while:bool:true\n   join\n      fork\n         tick",
    "while of a slot made each time": lines(
        "while:bool:true",
        "   slots.create:f\n      tick",
        "   signal:f\n   slots.delete:f",
    ),
    "while of semaphore": "while:bool:true\n   semaphore:loops\n      tick",
    "while of try": "while:bool:true\n   try\n      tick\n      throw:a\n   .catch",
    "two forks and a while": lines(
        "join",
        "   fork\n      while:bool:true\n         tick",
        "   fork\n      while:bool:true\n         tick",
    ),
    "a fork left alone": lines(
        "fork\n   while:bool:true\n      tick", "while:bool:true\n   tick"
    ),
    "a fork of forks": lines(
        "slots.create:f",
        "   tick\n   join\n      fork\n         signal:f\n      fork\n         signal:f",
        "signal:f",
    ),
    "log entries": "while:bool:true\n   log.info:flood\n   tick",
    "validators": "while:bool:true\n   validators.integer:int:5\n   tick",
    "numbers": "while:bool:true\n   math.add:int:1\n      .:int:1\n   tick",
    "messages": "while:bool:true\n   sockets.signal:a\n   tick",
}


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize(
    "limits", [Limits(max_steps=600), Limits(timeout=0.25)], ids=str
)
def test_what_goes_on_for_ever(name: str, limits: Limits) -> None:
    unlimited = Limits(
        max_while_iterations=None, max_steps=limits.max_steps, timeout=limits.timeout
    )
    stopped(LOOPS[name], unlimited, ticks=2)


# Calling itself: by depth, and whatever else is limited

RECURSIONS = {
    "signal": "signal:f",
    "execute": "execute:f",
    "try-signal": "try-signal:f",
    "eval": "eval\n   execute:f",
    "eval of an expression": ".code\n   execute:f\neval:x:@.code",
    "invoke": ".code\n   execute:f\ninvoke:x:@.code",
    "include": f"{LIST}\ninclude:x:@.list\n   execute:f",
    "sort": f"{LIST}\nsort:x:@.list/*\n   execute:f",
    "for-each": f"{LIST}\nfor-each:x:@.list/*\n   execute:f",
    "if": "if:bool:true\n   execute:f",
    "else": "if:bool:false\nelse\n   execute:f",
    "a condition": "if\n   execute:f\n   .lambda",
    "switch": "switch:a\n   case:a\n      execute:f",
    "and": "and\n   execute:f\n   execute:f",
    "not": "not\n   execute:f",
    "eq": "eq\n   execute:f\n   execute:f",
    "get-first-value": "get-first-value\n   execute:f",
    "add": f"{LIST}\nadd:x:@.list\n   execute:f",
    "set-value": f"{LIST}\nset-value:x:@.list\n   execute:f",
    "math.add": "math.add\n   execute:f\n   execute:f",
    "strings.concat": "strings.concat\n   execute:f",
    "strings.builder": "strings.builder\n   execute:f",
    "strings.mixin": 'strings.mixin:"{{execute:f}}"',
    "try": "try\n   execute:f\n.catch\n   execute:f\n.finally\n   execute:f",
    "catch": "try\n   throw:a\n.catch\n   execute:f",
    "finally": "try\n   .\n.finally\n   execute:f",
    "context": "context:a\n   value:1\n   .lambda\n      execute:f",
    "whitelist": lines(
        "whitelist",
        "   vocabulary\n      execute\n      signal:f",
        "   .lambda\n      execute:f",
    ),
    "join": "join\n   fork\n      execute:f",
    "while": "while:bool:true\n   execute:f",
    "log": "log.info\n   execute:f",
}


@pytest.mark.parametrize("name", RECURSIONS)
@pytest.mark.parametrize(
    "limits",
    [
        Limits(max_depth=40, max_steps=20_000),
        Limits(max_steps=2_000),
        Limits(max_nodes=1_000, timeout=2),
        Limits(max_depth=None, timeout=2),
    ],
    ids=["depth", "steps", "nodes", "time"],
)
def test_what_calls_itself(name: str, limits: Limits) -> None:
    program = below("slots.create:f", f"tick\n{RECURSIONS[name]}") + "\nexecute:f"
    stopped(program, limits, ticks=2)


# More and more nodes

TREE = ".t\n   a\n   b"


def growing(body: str, before: str = TREE) -> str:
    return f"{before}\n" + below("while:bool:true", body)


COPY = "add:x:@.t\n   get-nodes"
GROWING = {
    "add": growing("add:x:@.t\n   get-nodes:x:@.t/*"),
    "add everywhere": growing("add:x:@.t/**\n   .\n      c"),
    "insert-before": growing("insert-before:x:@.t/0\n   get-nodes:x:@.t/*"),
    "insert-after": growing("insert-after:x:@.t/0\n   get-nodes:x:@.t/*"),
    "get-nodes": growing("get-nodes:x:@.t/**\nadd:x:@.t\n   get-nodes:x:-/*"),
    "unwrap": growing(
        f"add:x:@.t\n   .\n      u:x:@.t/*\nunwrap:x:@.t/*/u\n   apply-lists:true\n{COPY}:x:@.t"
    ),
    "return": growing(
        "execute:f\n   k:x:@.t/*\nadd:x:@.t\n   get-nodes:x:@execute/*",
        f"{TREE}\nslots.create:f\n   return:x:@.arguments/*",
    ),
    "yield": growing(
        "invoke:x:@.code\nadd:x:@.t\n   get-nodes:x:@invoke/*",
        f"{TREE}\n.code\n   yield\n      a\n      b\n      c",
    ),
    "return-nodes": growing(
        f"include:x:@.t/*\n   return-nodes:x:@.dp/#\n{COPY}:x:@.t/*"
    ),
    "apply": growing(
        "apply:x:@.page\n   k\n      a\n      b\nadd:x:@.t\n   get-nodes:x:@apply/*",
        f"{TREE}\n.page\n   x:{{k}}\n   y:{{k}}",
    ),
    "one apply": "\n".join(
        [
            ".t\n   {a}\napply:x:@.t",
            *(
                f"   {here}:x\n      {{{after}}}\n      {{{after}}}"
                for here, after in zip("abcdefghijklm", "bcdefghijklmn", strict=True)
            ),
            "   n:x",
        ]
    ),
    "sort": growing(
        "sort:x:@.t/*\n   add:x:@.t\n      get-nodes:x:@.t/*\n"
        "   set-value:x:@.result\n      .:int:1"
    ),
    "values": growing(
        "reference:x:@.t\nadd:x:@.t\n   .\n      k:x:@reference\n"
        "add:x:@.t\n   get-nodes:x:@reference"
    ),
    "values that nothing else holds": growing(
        "reference:x:@.t\nadd:x:@.t\n   get-nodes:x:@reference\n"
        "set-value:x:@.v\n   get-value:x:@reference\nset-value:x:@.t/0\n"
        "   get-nodes:x:@.v",
        f"{TREE}\n.v",
    ),
    "values of arguments": growing(
        "reference:x:@.t\nexecute:f\n   k:x:@reference\n"
        "add:x:@.t\n   .\n      k:x:@execute\nunwrap:x:@.t/*/k\n"
        "add:x:@.t\n   get-nodes:x:@.t/*",
        f"{TREE}\nslots.create:f\n   return:x:@.arguments/*",
    ),
    "context": growing(
        "reference:x:@.t\ncontext:c\n   value:x:@reference\n   .lambda\n"
        "      get-context:c\n      set-value:x:@.v\n         get-value:x:@get-context\n"
        f"{COPY}:x:@.v",
        f"{TREE}\n.v",
    ),
    "validators.default": growing(
        "validators.default:x:@.t/**\n   k:v\nset-name:x:@.t/**/k\n   .:q"
    ),
    "vocabulary": growing("vocabulary\nadd:x:@.t\n   get-nodes:x:@vocabulary/*"),
    "types": growing("types\nadd:x:@.t\n   get-nodes:x:@types/*"),
    "slots.get": growing(
        "slots.get:f\nadd:x:@.t\n   get-nodes:x:@slots.get/*",
        f"{TREE}\nslots.create:f\n   a\n      b",
    ),
    "slots.create of itself": growing(
        "slots.get:f\nadd:x:@.t\n   get-nodes:x:@slots.get/*\n"
        "slots.create:f\n   a\n   b",
        f"{TREE}\nslots.create:f\n   a\n      b",
    ),
    "slots.create": growing(
        "math.increment:x:@.n\nconvert:x:@.n\n   type:string\n"
        "slots.create:x:@convert\n   a\n      b",
        ".n:int:0",
    ),
    "json2lambda": "json2lambda:[" + "1," * 3_000 + "1]",
    "hyper2lambda": 'hyper2lambda:"' + "a\\n" * 3_000 + '"',
    "strings.split": "strings.split:" + "a;" * 3_000 + "\n   .:;",
    "strings.matches": "strings.matches:" + "a" * 3_000 + "\n   .:a",
    "fork": growing(
        "join\n   fork\n      .\n   fork\n      .\nadd:x:@.t\n   get-nodes:x:@join/*"
    ),
    "forks at a time": "join\n"
    + 4
    * (
        "   fork\n      .t\n         a\n      while:bool:true\n"
        "         add:x:@.t\n            get-nodes:x:@.t/*\n"
    ),
    "lambda2json": growing(
        f"lambda2json\n   a:x:@.t/0\njson2lambda:x:@lambda2json\n{COPY}:x:@.t/*"
    ),
}


@pytest.mark.parametrize("name", GROWING)
def test_what_grows(name: str) -> None:
    most = 1_500
    limits = Limits(
        max_nodes=most, max_while_iterations=None, max_steps=100_000, timeout=20
    )
    start = process_time()
    root = stopped(GROWING[name], limits)
    assert process_time() - start < 5
    assert len(all_nodes(root)) <= 2 * most


def test_dynamic_slots_stay_but_not_more_than_a_program_may_have() -> None:
    evaluator = Evaluator(limits=Limits(max_nodes=500))
    program = (
        "guid.new\nconvert:x:-\n   type:string\nslots.create:x:-\n" + "   a\n" * 20
    )
    for _ in range(500 // 21):
        evaluator.run(program)
    with pytest.raises(LimitError, match="dynamic slots have more than the 500"):
        evaluator.run(program)
    assert sum(len(all_nodes(made)) for made in evaluator.dynamic_slots.values()) <= 500
    evaluator.run("slots.create:tiny")
    for name in list(evaluator.dynamic_slots):
        evaluator.run(f"slots.delete:{name}")
    evaluator.run(program)


def test_the_same_dynamic_slot_may_be_made_again_and_again() -> None:
    program = "while:bool:true\n   slots.create:f\n" + "      a\n" * 50
    evaluator = Evaluator(limits=Limits(max_nodes=300))
    with pytest.raises(LimitError, match="5000 rounds"):
        evaluator.run(program)


# Longer and longer texts

LONG = 20_000
TEXT = ".t:" + "x" * 200
BACK = "set-value:x:@.t\n   get-value:x:@"


def nested_values(levels: int, count: int, leaf: str = "x") -> str:
    """Return a program that makes `count` to the power of `levels` nodes of a few."""
    program = f".v0\n   a:'{leaf}'\n"
    for level in range(1, levels + 1):
        program += f".v{level}\n" + "   k\n" * count
        program += f"set-value:x:@.v{level}/*\n   reference:x:@.v{level - 1}\n"
    return program


def longer(slot: str, rest: str = "") -> str:
    name = slot.partition(":")[0]
    return f"{TEXT}\n" + below("while:bool:true", f"{slot}{rest}\n{BACK}{name}")


TEXTS = {
    "math.add": longer("math.add:x:@.t", "\n   get-value:x:@.t"),
    "math.increment": f"{TEXT}\n"
    + below("while:bool:true", "math.increment:x:@.t\n   get-value:x:@.t"),
    "strings.concat": longer(
        "strings.concat", "\n   get-value:x:@.t\n   get-value:x:@.t"
    ),
    "strings.concat of many": f"{TEXT}\n.l\n"
    + "   .:x:@.t\n" * 20
    + below("while:bool:true", f"strings.concat:x:@.l/*\n{BACK}strings.concat"),
    "strings.join": longer("strings.join:x:@.l/*", "\n   get-value:x:@.t").replace(
        "while", ".l\n   .\n   .\n   .\nwhile"
    ),
    "strings.replace": longer("strings.replace:x:@.t", "\n   .:x\n   .:xx"),
    "strings.replace-not-of": longer(
        "strings.replace-not-of:x:@.t", "\n   .:y\n   .:xx"
    ),
    "strings.regex-replace": longer(
        "strings.regex-replace:x:@.t", "\n   .:x\n   .:$0$0"
    ),
    "the whole text": longer("strings.regex-replace:x:@.t", "\n   .:x\n   .:$_"),
    "strings.url-encode": f".t:{'%' * 200}\n"
    + below(
        "while:bool:true",
        "strings.concat\n   .:%%%\n   get-value:x:@.t\n   .:%\n"
        f"strings.url-encode:x:@strings.concat\n{BACK}strings.url-encode",
    ),
    "strings.html-encode": longer("strings.html-encode:x:@.t").replace(
        TEXT, ".t:" + "&" * 4_500
    ),
    "strings.builder": longer(
        "strings.builder",
        "\n   strings.builder.append:x:@.t\n   strings.builder.append:x:@.t",
    ),
    "one builder": f"{TEXT}\n"
    + below("strings.builder\n   while:bool:true", "   strings.builder.append:x:@.t"),
    "strings.mixin": longer(
        'strings.mixin:"{{return:x:@.arguments/0}}{{return:x:@.arguments/0}}"',
        "\n   k:x:@.t",
    ).replace("   strings.mixin", "   unwrap:x:+/*\n   strings.mixin"),
    "format": longer("format:int:5", '\n   pattern:"{0,99999}"'),
    "many formats": longer("format:int:5", f'\n   pattern:"{"{0,999}" * 30}"'),
    "date.format": longer(
        'date.format:date:"2024-01-03T00:00:00"', f"\n   format:{'dddd ' * 3_000}"
    ),
    "convert to base64": longer("convert:x:@.t", "\n   type:base64"),
    "convert a node": nested_values(6, 20) + "convert:x:@.v6/0\n   type:string",
    "convert quotes": nested_values(14, 1, '"') + "convert:x:@.v14/0\n   type:string",
    "lambda2hyper of values": nested_values(6, 20) + "lambda2hyper:x:@.v6",
    "math.add of values": nested_values(6, 20) + "math.add:a\n   .:x:@.v6/0",
    "lambda2json": longer("lambda2json", "\n   a:x:@.t\n   b:x:@.t"),
    "lambda2json of many": f"{TEXT}\n.l\n"
    + "   .:x:@.t\n" * 200
    + "lambda2json:x:@.l/*",
    "lambda2hyper": longer("lambda2hyper:x:../**"),
    "lambda2hyper of a deep tree": ".d\n"
    + "\n".join("   " * level + "a" for level in range(1, 150))
    + "\nlambda2hyper:x:@.d/**",
    "a message": f"{TEXT}\nsockets.signal:m\n   args\n" + "      .:x:@.t\n" * 200,
    "a log entry": f"{TEXT}\n.l\nlog.info\n" + "   .:x:@.t\n" * 200,
    "a log entry's data": f"{TEXT}\nlog.info:a\n"
    + "".join(f"   k{i}:x:@.t\n" for i in range(200)),
    "compose": f"{TEXT}\ncompose\n" + "   .:x:@.t\n" * 200,
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_gets_longer(name: str) -> None:
    limits = Limits(
        max_text=LONG, max_while_iterations=None, max_steps=20_000, timeout=20
    )
    start = process_time()
    root = stopped(TEXTS[name], limits)
    assert process_time() - start < 5
    assert longest(all_nodes(root)) <= LONG


def longest(nodes: Iterable[Node]) -> int:
    return max(len(n.value) if isinstance(n.value, str | bytes) else 0 for n in nodes)


KEPT = "add:x:@.bag\n   get-nodes:x:@"
MANY_TEXTS = {
    "strings.concat": "strings.concat\n   get-value:x:@.t\n   .:y",
    "strings.to-upper": "strings.to-upper:x:@.t",
    "strings.to-lower": "strings.to-lower:x:@.t",
    "strings.capitalize": "strings.capitalize:x:@.t",
    "strings.trim": "strings.trim:x:@.t\n   .:y",
    "strings.trim-start": "strings.trim-start:x:@.t\n   .:y",
    "strings.trim-end": "strings.trim-end:x:@.t\n   .:y",
    "strings.substring": "strings.substring:x:@.t\n   .:int:1",
    "strings.replace": "strings.replace:x:@.t\n   .:y\n   .:z",
    "strings.replace-not-of": "strings.replace-not-of:x:@.t\n   .:y\n   .:z",
    "strings.regex-replace": "strings.regex-replace:x:@.t\n   .:^y\n   .:z",
    "strings.url-encode": "strings.url-encode:x:@.t",
    "strings.url-decode": "strings.url-decode:x:@.t",
    "strings.html-encode": "strings.html-encode:x:@.t",
    "strings.html-decode": "strings.html-decode:x:@.t",
    "strings.builder": "strings.builder\n   strings.builder.append:x:@.t\n   strings.builder.append:z",
    "strings.mixin": "strings.mixin:x:@.m",
    "strings.split": "strings.split:x:@.t\n   .:y",
    "strings.matches": "strings.matches:x:@.t\n   .:^y[^z]{4000}",
    "convert to bytes": "convert:x:@.t\n   type:bytes",
    "convert to base64": "convert:x:@.t\n   type:base64",
    "format": "format:x:@.t\n   pattern:{0}y",
    "math.add": "math.add:x:@.t\n   .:y",
    "lambda2json": "lambda2json\n   a:x:@.t",
    "json2lambda": "lambda2json\n   a:x:@.t\njson2lambda:x:@lambda2json",
    "lambda2hyper": "lambda2hyper:x:@.t",
    "hyper2lambda": "hyper2lambda:x:@.h",
}


@pytest.mark.parametrize("name", MANY_TEXTS)
def test_many_long_texts(name: str) -> None:
    most = 10_000
    body = MANY_TEXTS[name]
    made = body.split("\n")[-1 if body.count("\nj") else 0].partition(":")[0]
    program = (
        f'.bag\n.t:y+&amp;{"x" * (most // 2)}y\n.m:{"x" * most}{{{{nosuch}}}}\n.h:"k:{"x" * most}"\n'
        + below("while:bool:true", f"{body}\n{KEPT}{made}\n{KEPT}{made}/*")
    )
    limits = Limits(
        max_text=most, max_while_iterations=None, max_steps=50_000, timeout=20
    )
    root = stopped(program, limits)
    texts = [text for node in all_nodes(root) for text in (node.name, node.value)]
    held = {id(text): text for text in texts if isinstance(text, str | bytes)}
    total = sum(map(len, held.values()))
    assert 50 * most < total <= 100 * most * 9 // 8


def test_names_of_dynamic_slots_are_texts_too() -> None:
    program = f".n:int:0\n.t:{'x' * 9_000}\n" + below(
        "while:bool:true",
        "math.increment:x:@.n\nstrings.concat\n   get-value:x:@.t\n   get-value:x:@.n\n"
        "slots.create:x:@strings.concat",
    )
    stopped(
        program, Limits(max_text=10_000, max_steps=50_000, max_while_iterations=None)
    )


# Long waits and slow steps: by time

WAITS = {
    "sleep": "sleep:int:60000",
    "sleep again and again": "while:bool:true\n   sleep:int:1",
    "sleep in a fork that is awaited": "join\n   fork\n      sleep:int:60000",
    "sleep in forks": "while:bool:true\n   fork\n      sleep:int:60000\n   sleep:int:50",
    "two forks for one semaphore": lines(
        "join",
        "   fork\n      semaphore:hostile-a\n         sleep:int:60000",
        "   fork\n      semaphore:hostile-a\n         sleep:int:60000",
    ),
    "a deadlock": lines(
        "join",
        "   fork\n      semaphore:hostile-b\n         sleep:int:20",
        "         semaphore:hostile-c\n            .",
        "   fork\n      semaphore:hostile-c\n         sleep:int:20",
        "         semaphore:hostile-b\n            .",
    ),
    "a semaphore that a fork keeps": lines(
        "fork\n   semaphore:hostile-d\n      sleep:int:60000",
        "sleep:int:20\nsemaphore:hostile-d\n   .",
    ),
}
HUGE = 100_000
VALLEY = ".d\n" + "\n".join("   " * level + "a" for level in range(1, 300))
SLOW = {
    "a pattern that backtracks": f"strings.matches:{'a' * 40}b\n   .:(a+)+$",
    "another": f"strings.regex-replace:{'a' * 40}b\n   .:(a|aa)+$\n   .:x",
    "one that is asked": f"validators.regex:{'a' * 40}b\n   regex:(a*)*$",
    "one of long texts": f"strings.matches:{'a' * HUGE}\n   .:a*b",
    "one again and again": f"while:bool:true\n   strings.matches:{'a' * 25}b\n      .:(a+)+$",
    "many patterns": 'while:bool:true\n   strings.matches:aaa\n      .:"\\\\p{L}+\\\\P{Lu}"',
    "splitting": f".t:{'ax' * 50_000}\nwhile:bool:true\n   strings.split:x:@.t\n      .:x",
    "many separators": "while:bool:true\n   strings.split:"
    + "".join(f"k{i};" for i in range(2_000)) * 5
    + "\n"
    + "".join(f"      .:k{i};\n" for i in range(2_000)),
    "ordering": f".t:{'é' * 30_000}x\n.u:{'é' * 30_000}y\n"
    + below("while:bool:true", "lt:x:@.t\n   .:x:@.u"),
    "comparing": f".t:{'é' * HUGE}x\n.u:{'é' * HUGE}y\n"
    + below("while:bool:true", "eq:x:@.t\n   .:x:@.u"),
    "capitals": below(f".t:{'é' * HUGE}\nwhile:bool:true", "strings.to-upper:x:@.t"),
    "trimming": below(
        f".t:{'é' * HUGE}\nwhile:bool:true", "strings.trim:x:@.t\n   .:é"
    ),
    "counting bytes": below(
        f".t:{'é' * HUGE}\nwhile:bool:true", "strings.byte-count:x:@.t"
    ),
    "decoding URLs": below(
        f".t:{'%41' * 30_000}\nwhile:bool:true", "strings.url-decode:x:@.t"
    ),
    "decoding HTML": below(
        f".t:{'&amp;' * 20_000}\nwhile:bool:true", "strings.html-decode:x:@.t"
    ),
    "converting to a type": below(
        f".t:{'9' * HUGE}\nwhile:bool:true",
        "try\n   convert:x:@.t\n      type:decimal\n.catch",
    ),
    "converting to an expression": below(
        f".t:{'a/' * 50_000}\nwhile:bool:true",
        "try\n   convert:x:@.t\n      type:x\n.catch",
    ),
    "converting to nodes": below(
        '.t:"' + "a\\n" * 10_000 + '"\nwhile:bool:true', "convert:x:@.t\n   type:node"
    ),
    "reading Hyperlambda": below(
        '.t:"' + "a\\n" * 10_000 + '"\nwhile:bool:true', "hyper2lambda:x:@.t"
    ),
    "reading JSON": below(
        f".t:[{'1,' * 20_000}1]\nwhile:bool:true", "json2lambda:x:@.t"
    ),
    "writing Hyperlambda": f"{VALLEY}\nwhile:bool:true\n   lambda2hyper:x:@.d/**",
    "writing JSON": f".d\n{'   .:x' * 1}\n"
    + "\n".join("   " * level + "." for level in range(1, 300))
    + "\nwhile:bool:true\n   lambda2json:x:@.d/**",
    "an expression": f"{VALLEY}\nget-count:x:@.d/**/**/**/**",
    "expressions": f"{VALLEY}\nwhile:bool:true\n   get-count:x:@.d/**/**",
    "an expression in a loop": f"{VALLEY}\nfor-each:x:@.d/**/**/**/**\n   .",
    "expressions that climb": f"{VALLEY}\nget-count:x:@.d/**/--/**/--",
    "setting values": f"{VALLEY}\nwhile:bool:true\n   set-value:x:@.d/**/**\n      .:y",
    "inserting": f".d\n{'   b' * 1}\n"
    + "   b\n" * 300
    + "while:bool:true\n   insert-before:x:@.d/*\n      .\n         c",
    "numbers with many digits": below(
        "while:bool:true", f'format:double:1e308\n   pattern:"{{0:{"0" * 9_000}.#}}"'
    ),
    "decimals": below(
        "while:bool:true",
        "math.divide:decimal:79228162514264337593543950335\n   .:decimal:0.7",
    ),
    "dates": below(
        "while:bool:true",
        'try\n   math.add:date:"9999-12-31T23:59:59"\n      .:time:864000000000\n.catch',
    ),
    "near names": below("while:bool:true", "try\n   strings.concatt\n.catch"),
    "near names of dynamic slots": below(
        "while:bool:true", f"try\n   signal:{'x' * 90}\n.catch"
    ),
    "long messages": below(
        f".t:{'x' * HUGE}\nwhile:bool:true", "try\n   throw:x:@.t\n.catch"
    ),
    "log entries": below(f".t:{'x' * HUGE}\nwhile:bool:true", "log.info:x:@.t"),
    "templates": below("while:bool:true", f'strings.mixin:"{"{{nosuch}}" * 3_000}"'),
    "many cases": below(
        "while:bool:true", "switch:z\n" + "   case:a\n      .\n" * 3_000
    ),
    "arrays of numbers": ".l\n"
    + "   .:double:1\n" * 3_000
    + "while:bool:true\n   floatArray2bytes:x:@.l/*",
    "e-mail addresses": below(
        "while:bool:true", f'try\n   validators.email:"{"a." * 30_000}@"\n.catch'
    ),
    "URLs": below(
        "while:bool:true", f'try\n   validators.url:"http://{"a." * 30_000}"\n.catch'
    ),
    "sorting": ".l\n"
    + "   a:int:1\n" * 3_000
    + "while:bool:true\n   sort:x:@.l/*\n      set-value:x:@.result\n         .:int:1",
    "unwrapping": ".l\n"
    + "   a:x:@.l/*\n" * 300
    + "while:bool:true\n   get-nodes:x:@.l\n   unwrap:x:-/*/*\n      apply-lists:true",
}


@pytest.mark.parametrize("name", WAITS)
def test_what_waits(name: str) -> None:
    stopped(WAITS[name], Limits(timeout=0.3, max_while_iterations=None))


@pytest.mark.parametrize("name", SLOW)
def test_what_is_slow(name: str) -> None:
    # With limits such as a host would set that runs what others wrote.
    limits = Limits(
        timeout=0.5, max_while_iterations=None, max_nodes=100_000, max_text=1_000_000
    )
    stopped(SLOW[name], limits)


# Too much at a time

AT_A_TIME = {
    "forks": "while:bool:true\n   fork\n      sleep:int:60000",
    "one join": "join\n" + "   fork\n      .\n" * 65,
    "joins of joins": lines(
        "slots.create:f",
        "   join\n" + "      fork\n         signal:f\n" * 8 + "signal:f",
    ),
}


@pytest.mark.parametrize("name", AT_A_TIME)
def test_what_is_too_much_at_a_time(name: str) -> None:
    evaluator = Evaluator(limits=Limits(timeout=5))
    with pytest.raises(LimitError, match="64 forks"):
        evaluator.run(attempt(AT_A_TIME[name]))
    assert evaluator.run("return:ok").value == "ok"


# What is refused, or is no trouble at all

REFUSED = {
    "a format of many digits": 'format:double:1\n   pattern:"{0:N99999999}"',
    "a format that is wide": 'format:double:1\n   pattern:"{0,99999999}"',
    "JSON that is deep": f'json2lambda:"{"[" * 100_000}{"]" * 100_000}"',
    "a number of many digits": f"json2lambda:{'9' * 100_000}",
    "a pattern that is long": f"strings.matches:a\n   .:{'(a|b)' * 10_000}",
    "a pattern that is deep": f"strings.matches:a\n   .:{'(' * 9_000}{')' * 9_000}",
    "a pattern that is large": 'strings.matches:a\n   .:"((a{1,999}){1,999}){1,999}"',
    "code that is deep": f'hyper2lambda:"{" " * 300_000}a"',
    "the last date": 'math.add:date:"9999-12-31T23:59:59"\n   .:time:9223372036854775807',
    "the first date": 'math.subtract:date:"0001-01-01T00:00:00"\n   .:time:864000000000',
    "the largest decimal": lines(
        "math.multiply:decimal:79228162514264337593543950335", "   .:decimal:10"
    ),
    "the largest long": "math.multiply:long:9223372036854775807\n   .:long:2",
    "the smallest int": "math.abs:int:-2147483648",
    "minus one": "math.divide:long:-9223372036854775808\n   .:long:-1",
    "a duration": "time\n   days:int:2147483647",
    "a template that is in itself": lines(
        ".t\n   a:{k}", "apply:x:@.t\n   k\n      b:{k}"
    ),
    "a semaphore twice": "semaphore:hostile-e\n   semaphore:hostile-e\n      .",
    "an address": f'validators.email:"{"a@" * 50_000}"',
    "a host": f'validators.url:"http://{"@:" * 50_000}"',
    "an enumeration": "validators.enum:x\n" + f"   .:{'y' * 1_000}\n" * 1_000,
    "a time zone": f'date.format:date:"2024-01-01T00:00:00"\n   format:d\n   timezone:{"x" * HUGE}',
    "a name": f"signal:{'x' * HUGE}",
    "a base64 text": f"convert:{'=' * HUGE}\n   type:from-base64".replace(
        "convert:", ".t:"
    ).replace("\n   type", "\nconvert:x:@.t\n   type"),
    "a time": "sleep:int:-1",
    "an index": "strings.substring:abc\n   .:int:2147483647\n   .:int:2147483647",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    evaluator = Evaluator(limits=Limits(timeout=5))
    start = process_time()
    error: HyperlambdaError | None = None
    try:
        evaluator.run(REFUSED[name])
    except HyperlambdaError as caught:
        error = caught
    assert process_time() - start < 1
    if error is not None:
        assert not isinstance(error, LimitError)
        assert error.place is not None
        assert len(error.render()) < 1_500
    assert evaluator.run("return:ok").value == "ok"


# What a whitelist keeps in

CAGES = {
    "eval": "eval\n   forbidden",
    "if": "if:bool:true\n   forbidden",
    "a condition": "if\n   forbidden\n   .lambda",
    "else": "if:bool:false\nelse\n   forbidden",
    "switch": "switch:a\n   case:a\n      forbidden",
    "while": "while:bool:true\n   forbidden",
    "for-each": ".l\n   a\nfor-each:x:@.l/*\n   forbidden",
    "try": "try\n   throw:a\n.catch\n   forbidden",
    "finally": "try\n   .\n.finally\n   forbidden",
    "and": "and\n   forbidden\n   .:bool:true",
    "or": "or\n   forbidden\n   .:bool:true",
    "not": "not\n   forbidden",
    "eq": "eq\n   forbidden\n   .:1",
    "add": ".l\nadd:x:@.l\n   forbidden",
    "set-value": ".l\nset-value:x:@.l\n   forbidden",
    "get-first-value": "get-first-value\n   forbidden",
    "invoke": ".c\n   forbidden\ninvoke:x:@.c",
    "include": ".l\n   a\ninclude:x:@.l/*\n   forbidden",
    "sort": ".l\n   a\n   b\nsort:x:@.l/*\n   forbidden",
    "context": "context:a\n   value:1\n   .lambda\n      forbidden",
    "semaphore": "semaphore:cage\n   forbidden",
    "join": "join\n   fork\n      forbidden",
    "math.add": "math.add\n   forbidden\n   .:1",
    "strings.concat": "strings.concat\n   forbidden",
    "strings.builder": "strings.builder\n   forbidden",
    "log.info": "log.info\n   forbidden",
    "whitelist": "whitelist\n   vocabulary\n      forbidden\n   .lambda\n      forbidden",
    "a slot of its own": "slots.create:f\n   forbidden\nsignal:f",
    "code that was read": 'hyper2lambda:"forbidden"\neval:x:@hyper2lambda',
    "a name that was set": ".c\n   x\nset-name:x:@.c/0\n   .:forbidden\neval:x:@.c",
    "arguments": ".c\n   eval:x:@.arguments\ninvoke:x:@.c\n   forbidden",
}


@pytest.mark.parametrize("cage", CAGES)
@pytest.mark.parametrize("way", ["whitelist", "allow"])
def test_what_is_forbidden_is_never_called(cage: str, way: str) -> None:
    called: list[Any] = []
    words = {node.name for node in parse(CAGES[cage]).walk()} - {"forbidden", ""}
    program = CAGES[cage]
    if way == "whitelist":
        vocabulary = below("vocabulary", lines(*sorted(words)))
        program = below("whitelist", f"{vocabulary}\n{below('.lambda', program)}")
        evaluator = Evaluator(limits=Limits(timeout=5))
    else:
        evaluator = Evaluator(limits=Limits(timeout=5), allow=words)
    evaluator.register("forbidden", lambda run, node: called.append(node))
    with pytest.raises(HyperlambdaError):
        evaluator.run(program)
    assert not called


def test_a_template_cannot_call_what_is_forbidden() -> None:
    called: list[Any] = []
    evaluator = Evaluator(allow=["strings.mixin"])
    evaluator.register("forbidden", lambda run, node: called.append(node))
    evaluator.run('strings.mixin:"{{forbidden}}"')
    assert not called
