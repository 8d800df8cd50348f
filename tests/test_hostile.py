"""
Hostile texts and trees: a result or an error of ours, in time, and never a crash.

Each case runs in a process of its own with bounded memory, for what is asked is that the
interpreter survives. Times are of the CPU, and ten times what was measured.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from time import process_time

import pytest

from hyperlambda import Expression, HyperlambdaError, HyperlambdaSyntaxError, parse

MEGA = 1_000_000

# Texts of five megabytes, and of what length they are asked for in all.
TEXTS: dict[str, str] = {
    "one name": "'a' * n",
    "one value": "'a:' + 'b' * n",
    "an unclosed quote": "'a:\"' + 'b' * n",
    "an unclosed name": "'\"' + 'b' * n",
    "an unclosed verbatim text": "'a:@\"' + 'b' * n",
    "unclosed quotes on each line": "'a:\"b\\n' * (n // 5)",
    "spaces": "' ' * n",
    "spaces and a name": "' ' * n + 'a'",
    "lines of one space": "' \\n' * (n // 2)",
    "tabs": "'\\t' * n",
    "colons": "':' * n",
    "colons on each line": "':\\n' * (n // 2)",
    "line feeds": "'\\n' * n",
    "carriage returns": "'\\r' * n",
    "both": "'\\r\\n' * (n // 2)",
    "empty comments": "'//\\n' * (n // 3)",
    "comments": "'// a\\n' * (n // 5)",
    "block comments": "'/* a */\\n' * (n // 8)",
    "openings of comments": "'/*' * (n // 2)",
    "one comment of many lines": "'/*' + '*\\n' * (n // 2) + '*/'",
    "an unclosed comment": "'/*' + '*\\n' * (n // 2)",
    "unclosed backslashes": "'a:\"' + '\\\\' * n",
    "backslashes": "'a:\"' + '\\\\' * n + '\"'",
    "raw backslashes": "'a:' + '\\\\' * n",
    "a bad escape at the end": "'a:\"' + '\\\\n' * (n // 2) + '\\\\q\"'",
    "quotes": "'\"' * n",
    "apostrophes": '"\'" * n',
    "doubled quotes": "'a:@\"' + '\"' * (n // 2 * 2 + 1)",
    "unclosed doubled quotes": "'a:@\"' + '\"' * (n // 2 * 2)",
    "quoted lines": "'a:\"b\"\\n' * (n // 6)",
    "blanks after a value": "'a:b' + ' ' * n",
    "blanks within a value": "'a:b' + ' ' * n + 'c'",
    "no-break spaces": "'a: ' + '\\xa0' * n + 'b'",
    "line separators": "'a:' + '\\u2028' * n",
    "byte-order marks": "'\\ufeff' * n",
    "null characters": "'\\0' * n",
    "half surrogate pairs": "'\\ud800' * n",
    "bytes that are no UTF-8": "b'\\xff' * n",
    "a type name": "'a:' + 'b' * n + ':c'",
    "an int": "'a:int:' + '9' * n",
    "leading zeros": "'a:int:' + '0' * n + '1'",
    "a quoted int of blanks": "'a:int:\"' + ' ' * n + 'x\"'",
    "a long": "'a:long:' + '9' * n",
    "a decimal": "'a:decimal:' + '9' * n",
    "a decimal fraction": "'a:decimal:0.' + '9' * n",
    "a decimal of commas": "'a:decimal:' + '1,' * (n // 2)",
    "a double": "'a:double:' + '9' * n",
    "a double fraction": "'a:double:0.' + '9' * n",
    "an exponent": "'a:double:1e' + '9' * n",
    "a float": "'a:float:' + '9' * n",
    "a date": "'a:date:' + '9' * n",
    "a date of dashes": "'a:date:' + '1-' * (n // 2)",
    "a date of blanks": "'a:date:\"1' + ' ' * n + '1\"'",
    "a time": "'a:time:' + '9' * n",
    "a guid": "'a:guid:' + '9' * n",
    "a guid of braces": "'a:guid:' + '{' * n",
    "a base64 text": "'a:bytes:' + '9' * (n // 4 * 4)",
    "a base64 text of padding": "'a:bytes:' + '= ' * (n // 2)",
    "a char": "'a:char:' + '9' * n",
    "a bool": "'a:bool:' + '9' * n",
    "braces": "'a:x:' + '{' * n",
    "closed braces": "'a:x:' + '{' * (n // 2) + '}' * (n // 2)",
    "braces and slashes": "'a:x:' + '{/' * (n // 2)",
    "closing braces": "'a:x:' + '}' * n",
    "brackets": "'a:x:' + '[' * n",
    "names in brackets": "'a:x:[' + 'a|' * (n // 2) + ']'",
    "numbers in brackets": "'a:x:[' + '1,' * (n // 2) + '1]'",
    "an index": "'a:x:' + '9' * n",
    "an unclosed quote in an expression": "\"a:x:'\" + '\"' + 'b' * n + \"'\"",
    "a quoted iterator": '"a:x:\'" + \'"b"\' * (n // 3) + "\'"',
    "quotes and braces": "'a:x:' + 'a{\"' * (n // 3)",
    "a node in a value": "'a:node:@\"' + 'b:c\\n' * (n // 4) + '\"'",
    "an error on the last line": "'a\\n' * (n // 2) + ' b'",
    "depth": "''.join(' ' * (3 * d) + 'a\\n' for d in range(int((n / 1.5) ** 0.5)))",
    "up and down": "''.join(' ' * (3 * d) + 'a\\n' for d in range(300)) * (n // 135_000)",
}

# Each iterator is made, even if there are millions: slower, but no quadratic time.
MANY_ITERATORS: dict[str, str] = {
    "slashes": "'a:x:' + '/' * n",
    "stars": "'a:x:' + '*/' * (n // 2)",
    "pairs of braces": "'a:x:' + '{a}' * (n // 3)",
    "values": "'a:x:' + '=a/' * (n // 3)",
}

SCRIPT = """
import sys, time
from hyperlambda import *
from hyperlambda.errors import *
n = {length}
start = time.process_time()
try:
    text = {text}
    {action}
    outcome = "ok"
except HyperlambdaError as error:
    outcome = type(error).__name__
    assert len(error.message) < 1000, len(error.message)
    assert len(error.render()) < 2000
    if error.place:
        assert error.place.line >= 1 and error.place.column >= 1
print(outcome, time.process_time() - start)
"""


def survive(script: str, *, seconds: float, gigabytes: float = 3) -> str:
    """Run a script with bounded memory and time; return the outcome that it prints."""
    # In the child, between fork and exec: the parent keeps its own bounds.
    memory = int(gigabytes * 2**30)

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        most = int(seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (most, most))

    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=bound,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    outcome, used = done.stdout.split()
    assert float(used) < seconds, f"{used} seconds of CPU"
    return outcome


# In this process: what takes no time


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_text_is_a_tree_or_an_error(name: str) -> None:
    text = eval(TEXTS[name], {"n": 300_000})
    start = process_time()
    try:
        root = parse(text)
    except HyperlambdaSyntaxError as error:
        messages = [error.message, error.render()]
        assert error.place is not None  # noqa: PT017 # either outcome is right
    else:
        messages = []
        assert root.parent is None
    assert process_time() - start < 5
    assert all(len(message) < 2000 for message in messages)


@pytest.mark.parametrize("name", MANY_ITERATORS)
def test_many_iterators_are_a_tree_or_an_error(name: str) -> None:
    text = eval(MANY_ITERATORS[name], {"n": 300_000})
    start = process_time()
    try:
        parse(text).children[0].resolve()
    except HyperlambdaError as error:
        assert len(error.render()) < 2000  # noqa: PT017 # either outcome is right
    assert process_time() - start < 5


# Fifty megabytes, in a process of its own


@pytest.mark.parametrize(
    "name",
    [
        "an unclosed quote",
        "spaces",
        "colons",
        "a decimal",
        "a date",
        "an unclosed comment",
        "closed braces",
    ],
)
def test_fifty_megabytes(name: str) -> None:
    script = SCRIPT.format(length=50 * MEGA, text=TEXTS[name], action="parse(text)")
    survive(script, seconds=20)


def test_fifty_megabytes_of_ordinary_lines() -> None:
    text = "('some-name:a value of some length, like most\\n' * (n // 44))"
    script = SCRIPT.format(
        length=50 * MEGA,
        text=text,
        action="assert len(parse(text).children) == n // 44",
    )
    assert survive(script, seconds=40) == "ok"


def test_fifty_megabytes_of_slashes_are_an_error_or_an_expression_in_time() -> None:
    # Fifty million iterators; a text of this kind is no program that anybody wrote.
    script = SCRIPT.format(
        length=50 * MEGA, text=MANY_ITERATORS["slashes"], action="parse(text)"
    )
    survive(script, seconds=30)


# Deep trees


DEEP = """
root = leaf = Node()
for _ in range(n):
    leaf = leaf.add(Node(NAME, VALUE))
"""


DEEP_ACTIONS = [
    "root.clone()",
    "assert sum(1 for _ in root.walk()) == n + 1",
    "assert len(Expression('**').evaluate(root)) == n + 1",
    "assert sum(1 for _ in Expression('**').iterate(root)) == n + 1",
    "assert len(Expression('--').evaluate(leaf)) == n",
    "assert Expression('@x').evaluate(leaf) == []",
    "assert leaf.root is root",
    "Evaluator().evaluate(root)",
    "leaf.add(Node('x')); root.clear()",
]


def test_a_hundred_thousand_levels() -> None:
    build = DEEP.replace("NAME", "'.a'").replace("VALUE", "None")
    action = "\n    ".join([*build.split("\n"), *DEEP_ACTIONS])
    script = SCRIPT.format(length=100_000, text="''", action=action)
    assert survive(script, seconds=20) == "ok"


def test_a_hundred_thousand_levels_as_text_are_an_error() -> None:
    # Three spaces a level: fifteen gigabytes.
    build = DEEP.replace("NAME", "'a'").replace("VALUE", "None").replace("\n", "\n    ")
    script = SCRIPT.format(length=100_000, text="''", action=f"{build}generate(root)")
    assert survive(script, seconds=20) != "ok"


@pytest.mark.parametrize("name", ["eval", "if", "try", "and", "not", "set-value"])
def test_a_deep_program_ends_in_an_error_of_ours(name: str) -> None:
    value = "True" if name == "if" else "None"
    build = DEEP.replace("NAME", repr(name)).replace("VALUE", value)
    action = (
        build.replace("\n", "\n    ")
        + "evaluator = Evaluator(limits=Limits(max_depth=None))\n    try:\n"
        "        evaluator.evaluate(root)\n    finally:\n"
        "        assert evaluator.run('return:ok').value == 'ok'"
    )
    script = SCRIPT.format(length=50_000, text="''", action=action)
    assert survive(script, seconds=20) != "ok"


@pytest.mark.parametrize("way", ["partial", "method", "evaluate", "sorted", "async"])
@pytest.mark.parametrize("depth", [None, 1000])
def test_recursion_through_python_slots_ends(way: str, depth: int | None) -> None:
    action = f"""
    import functools
    evaluator = Evaluator(limits=Limits(max_depth={depth}))
    def partial(first, run, node):
        run.run_children(parse("rec"))
    class Slot:
        def method(self, run, node):
            run.run_children(parse("rec"))
    def evaluate(run, node):
        run.evaluate(parse("rec"))
    def through_c(run, node):
        sorted([1], key=lambda _: run.run_children(parse("rec")))
    async def coroutine(run, node):
        run.run_children(parse("rec"))
    evaluator.register("rec", {{
        "partial": functools.partial(partial, 1), "method": Slot().method,
        "evaluate": evaluate, "sorted": through_c, "async": coroutine,
    }}[{way!r}])
    evaluator.run("rec")"""
    script = SCRIPT.format(length=0, text="''", action=action)
    assert survive(script, seconds=30, gigabytes=12) != "ok"


@pytest.mark.parametrize("depth", [None, 1000])
@pytest.mark.parametrize(
    "body",
    [
        "sort:x:@.list/*\n      execute:a\n      return:int:1",
        "fork\n      execute:a",
        "include:x:@.list\n      execute:a",
        "for-each:x:@.list/*\n      execute:a",
        "context:c\n      value:1\n      .lambda\n         execute:a",
        "whitelist\n      vocabulary\n         execute\n         signal:a\n      .lambda\n"
        "         execute:a",
        "semaphore:s\n      execute:a",
    ],
)
def test_recursion_through_every_kind_of_block_ends(
    body: str, depth: int | None
) -> None:
    program = (
        f"slots.create:a\n   .list\n      x:int:2\n      y:int:1\n   {body}\nexecute:a"
    )
    action = f"""
    from concurrent.futures import ThreadPoolExecutor
    evaluator = Evaluator(limits=Limits(max_depth={depth}, timeout=5))
    try:
        evaluator.run(text)
    except HyperlambdaError:
        pass
    with ThreadPoolExecutor(1) as pool:  # threads have less room than the first one
        pool.submit(evaluator.run, text).result()"""
    script = SCRIPT.format(length=0, text=repr(program), action=action)
    survive(script, seconds=30)


# Small texts, long work


@pytest.mark.parametrize(
    "program",
    [
        "get-count:x:../**/**/**/**/**/**",
        "get-count:x:@.deep/**/--/**/--/**/--",
        "for-each:x:../**/**/**/**/**/**\n   .x",
        "remove-nodes:x:@.deep/**/**/**/**/**",
    ],
)
def test_an_expression_that_finds_billions_ends(program: str) -> None:
    levels = [".deep"] + ["   " * level + ".a" for level in range(1, 120)]
    text = "\n".join([*levels, program])
    action = "Evaluator(limits=Limits(timeout=1, max_nodes=100_000)).run(text)"
    script = SCRIPT.format(length=0, text=repr(text), action=action)
    assert survive(script, seconds=4, gigabytes=2) != "ok"


@pytest.mark.parametrize(
    "program",
    [
        "get-nodes:x:@.a",
        "lambda2hyper:x:../*/.a",
        "return-nodes:x:@.a",
        "add:x:@.b\n   get-nodes:x:@.a",
        "slots.create:s\n   .x\nexecute:s\n   a:x:@.a/*",
        "get-count:x:../**/#/#/#/#",
        "get-count:x:../**/=x",
        "for-each:x:@.a\n   while:bool:true\n      return:x:@.a",
        "convert:x:@.a\n   type:string",
        "lambda2json:x:../*/.a",
        "strings.concat\n   get-value:x:@.a\n   .:x",
    ],
)
def test_a_value_that_contains_its_holder_does_no_harm(program: str) -> None:
    text = (
        ".a\n.b\nfor-each:x:@.a\n   set-value:x:@.dp/#\n      get-value:x:@.dp\n"
        + program
    )
    action = "Evaluator(limits=Limits(timeout=5)).run(text)"
    survive(SCRIPT.format(length=0, text=repr(text), action=action), seconds=10)


def test_an_error_far_down_a_large_program_is_placed_in_time() -> None:
    # Each slot that it passed through has a place, and only the first one is shown.
    levels = "\n".join("   " * level + "if:bool:true" for level in range(64))
    text = f"'.a\\n' * (n // 3) + {levels!r} + '\\n' + '   ' * 64 + 'nosuch'"
    action = (
        "root = parse(text)\n    last = root.children[-1].untie()\n"
        "    Evaluator().evaluate(Node('', None, [last]))"
    )
    script = SCRIPT.format(length=3 * MEGA, text=text, action=action)
    assert survive(script, seconds=6) == "UnknownSlotError"


def test_an_expression_of_a_hundred_thousand_braces_is_an_error() -> None:
    for text in ("{" * 100_000, "{" * 100_000 + "}" * 100_000, "={" * 100_000):
        with pytest.raises(HyperlambdaError, match=r"nested too deeply|never closed"):
            Expression(text)


def test_node_values_within_node_values_are_a_tree_or_an_error() -> None:
    # Quotes double with each level: this is as deep as a megabyte goes.
    text = "leaf"
    while len(text) < MEGA:
        text = 'a:node:@"' + text.replace('"', '""') + '"'
    node = parse(text).children[0]
    depth = 0
    while node.value is not None:
        node = node.value.children[0]
        depth += 1
    assert depth > 10
