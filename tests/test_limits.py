"""A program that uses up what it was given ends, whatever it does about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from time import monotonic, process_time

import pytest

from hyperlambda import (
    Evaluator,
    HyperlambdaError,
    LimitError,
    Limits,
    Node,
    is_accelerated,
    parse,
)

UNLIMITED = Limits(max_depth=None, max_while_iterations=None)


def limits(**changes: float | None) -> Limits:
    return dataclasses.replace(UNLIMITED, **changes)  # type: ignore[arg-type] # by name


def ends(program: str | Node, given: Limits) -> LimitError:
    """Return the error of a program; the evaluator must be usable afterwards."""
    evaluator = Evaluator(limits=given)
    root = program if isinstance(program, Node) else parse(program)
    with pytest.raises(LimitError) as caught:
        evaluator.evaluate(root)
    assert evaluator.run("return:ok").value == "ok"
    assert len(caught.value.message.splitlines()) == 1
    return caught.value


def nested(name: str, depth: int, value: object = None) -> Node:
    """Return a program of nodes within nodes."""
    root = leaf = Node()
    for _ in range(depth):
        leaf = leaf.add(Node(name, value))
    return root


def test_limits_are_frozen_and_none_means_none() -> None:
    given = Limits()
    assert (given.max_steps, given.max_nodes, given.timeout) == (None, None, None)
    assert (given.max_depth, given.max_while_iterations) == (1000, 5000)
    with pytest.raises(dataclasses.FrozenInstanceError):
        given.max_steps = 5  # type: ignore[misc] # what must not work


# Steps


@pytest.mark.parametrize("most", [1, 2, 10, 255, 256, 257, 1000])
def test_exactly_so_many_steps_are_allowed(most: int) -> None:
    evaluator = Evaluator(limits=limits(max_steps=most))
    evaluator.run("eval\n" * most)
    with pytest.raises(LimitError, match=f"the {most} steps"):
        evaluator.run("eval\n" * (most + 1))
    evaluator.run("eval\n" * most)


def test_steps_count_inside_of_blocks_and_dynamic_slots() -> None:
    program = "slots.create:a\n   eval\n   eval\nif:bool:true\n   signal:a"
    Evaluator(limits=limits(max_steps=5)).run(program)
    ends(program, limits(max_steps=4))


def test_conditions_are_steps() -> None:
    program = "and\n   eq\n      .:1\n      .:1\n   eq\n      .:1\n      .:1"
    Evaluator(limits=limits(max_steps=3)).run(program)
    ends(program, limits(max_steps=2))


# Depth


@pytest.mark.parametrize("most", [1, 2, 10, 1000])
def test_exactly_so_many_blocks_may_nest(most: int) -> None:
    # The program itself is a block, and a leaf runs no block.
    evaluator = Evaluator(limits=limits(max_depth=most))
    evaluator.evaluate(nested("eval", most))
    with pytest.raises(LimitError, match=f"than {most} deep"):
        evaluator.evaluate(nested("eval", most + 1))


def test_depth_is_given_back() -> None:
    evaluator = Evaluator(limits=limits(max_depth=3))
    evaluator.run("eval\n   eval\n      eval\n" * 50)
    evaluator.run("try\n   eval\n      throw:x\n.catch\n   eval\n      .x\n" * 20)


@pytest.mark.parametrize("name", ["eval", "if", "try", "else-if", "not", "case"])
def test_ten_thousand_levels_are_too_deep_by_default(name: str) -> None:
    evaluator = Evaluator()
    with pytest.raises(HyperlambdaError):
        evaluator.evaluate(nested(name, 10_000, True if name == "if" else None))
    assert evaluator.run("return:ok").value == "ok"


def test_more_levels_run_when_they_are_allowed() -> None:
    most = 1_000 if is_accelerated else 2_000  # see docs/api.md
    evaluator = Evaluator(limits=limits(max_depth=most))
    for name, value in (("eval", None), ("if", True), ("try", None)):
        evaluator.evaluate(nested(name, most - 1, value))


@pytest.mark.parametrize("most", [1_000] if is_accelerated else [1_000, 2_000])
@pytest.mark.parametrize(
    "body",
    [
        "   execute:f",
        "   signal:f\n      a:1",
        "   .l\n      a\n   for-each:x:@.l/*\n      execute:f",
        "   while:bool:true\n      execute:f",
        "   .l\n      a\n      b\n   sort:x:@.l/*\n      execute:f",
        "   switch:x\n      case:x\n         execute:f",
    ],
)
def test_functions_that_call_themselves_have_all_levels(body: str, most: int) -> None:
    """What Python can bear must not come before what the program may."""
    with pytest.raises(LimitError, match=f"more than {most} deep"):
        Evaluator(limits=limits(max_depth=most)).run(
            f"slots.create:f\n{body}\nexecute:f"
        )


# Nodes


@pytest.mark.parametrize(
    "body",
    [
        "add:x:@.a\n      get-nodes:x:@.a/*",
        "insert-after:x:@.a/0\n      get-nodes:x:@.a/*",
        "insert-before:x:@.a/0\n      get-nodes:x:@.a/*",
        "add:x:@.a\n      .\n         .x",
        "add:x:@.a/**\n      .\n         .x",
    ],
)
def test_a_growing_tree_ends(body: str) -> None:
    program = f".a\n   .x\nwhile:bool:true\n   {body}"
    start = process_time()
    ends(program, limits(max_nodes=5_000))
    assert process_time() - start < 20


@pytest.mark.parametrize("most", [500, 5_000])
def test_no_more_nodes_pass_than_an_eighth_more(most: int) -> None:
    root = parse(".a\n   .x\nwhile:bool:true\n   add:x:@.a\n      .\n         .x\n")
    evaluator = Evaluator(limits=limits(max_nodes=most))
    with pytest.raises(LimitError, match=f"{most} nodes"):
        evaluator.evaluate(root)
    present = sum(1 for _ in root.walk())
    assert most * 0.8 < present <= most * 1.25


def test_what_is_removed_does_not_count() -> None:
    evaluator = Evaluator(limits=limits(max_nodes=300))
    evaluator.run(
        ".i:int:0\n.a\nwhile\n   lt\n      get-value:x:@.i\n      .:int:500\n   .lambda\n"
        "      math.increment:x:@.i\n      add:x:@.a\n         .\n            .x\n"
        "            .y\n      remove-nodes:x:@.a/*"
    )


def test_dynamic_slots_that_grow_are_seen() -> None:
    program = (
        "slots.create:a\n   .x\n"
        "while:bool:true\n   .b\n      .c\n      .d\n   execute:a\n"
        "   add:x:../*/.keep\n      get-nodes:x:@.b/*\n.keep"
    )
    ends(program, limits(max_nodes=2_000))


def test_nodes_in_values_count_too() -> None:
    # A copy of a node copies the node that is its value: here three times as many
    # nodes a round, of which only two stand in a list of children.
    program = (
        ".a\n.t\n.i:int:0\nwhile\n   lt\n      get-value:x:@.i\n      .:int:12\n"
        "   .lambda\n      math.increment:x:@.i\n      add:x:@.t\n"
        "         get-nodes:x:@.a\n         get-nodes:x:@.a\n"
        "      for-each:x:@.t\n         set-value:x:@.a\n            get-value:x:@.dp\n"
    )
    ends(program, limits(max_nodes=1_000))


# While, for-each


@pytest.mark.parametrize("most", [1, 10, 5000])
def test_exactly_so_many_rounds(most: int) -> None:
    program = (
        ".i:int:0\nwhile\n   lt\n      get-value:x:@.i\n      .:int:{}\n"
        "   .lambda\n      math.increment:x:@.i"
    )
    evaluator = Evaluator(limits=limits(max_while_iterations=most))
    evaluator.run(program.format(most))
    with pytest.raises(LimitError, match=f"{most} rounds"):
        evaluator.run(program.format(most + 1))


def test_each_while_has_rounds_of_its_own() -> None:
    program = (
        ".i:int:0\nwhile\n   lt\n      get-value:x:@.i\n      .:int:3\n"
        "   .lambda\n      math.increment:x:@.i\n"
    )
    Evaluator(limits=limits(max_while_iterations=3)).run(program * 1)
    two = program + program.replace(".i:", ".j:").replace("@.i", "@.j")
    Evaluator(limits=limits(max_while_iterations=3)).run(two)


# A loop that calls no slot must end too: its rounds are all it does.
EMPTY_LOOPS = [
    "while:bool:true",
    "while:bool:true\n   .a",
    "while\n   .:bool:true\n   .lambda",
    "while\n   .:bool:true\n   .lambda\n      .a",
]


@pytest.mark.parametrize("program", EMPTY_LOOPS)
@pytest.mark.parametrize(
    "given", [{"max_steps": 1000}, {"timeout": 0.2}], ids=["steps", "timeout"]
)
@pytest.mark.timeout(2)
def test_a_loop_that_does_nothing_ends(program: str, given: dict[str, float]) -> None:
    ends(program, limits(**given))


# Time


@pytest.mark.parametrize(
    "program",
    [
        "while:bool:true\n   eval\n      .a",
        "slots.create:a\n   try\n      eval\n   .finally\n      eval\nwhile:bool:true\n   execute:a",
        "sleep:int:60000",
        "while:bool:true\n   sleep:int:1",
        ".a\n   .x\nfor-each:x:@.a/**\n   add:x:@.dp/#\n      .\n         .x",
    ],
)
def test_time_is_limited(program: str) -> None:
    start = monotonic()
    error = ends(program, limits(timeout=0.1))
    assert "0.1 seconds" in error.message
    assert monotonic() - start < 5


def test_time_is_looked_at_between_slow_steps() -> None:
    deep = ["."] + ["   " * level + ".a" for level in range(1, 250)]
    program = "\n".join([*deep, *["get-count:x:../**/**"] * 200])
    start = process_time()
    ends(program, limits(timeout=0.1))
    assert process_time() - start < 1.5


def test_time_is_limited_within_one_expression() -> None:
    # Each `**` multiplies what is found by the depth: millions from a hundred nodes.
    deep = ["."] + ["   " * level + ".a" for level in range(1, 100)]
    program = "\n".join([*deep, "get-count:x:../**/**/**/**"])
    start = process_time()
    ends(program, limits(timeout=0.1))
    assert process_time() - start < 3


def test_time_is_limited_in_python_slots_that_sleep() -> None:
    evaluator = Evaluator(limits=limits(timeout=0.1))
    evaluator.register("nap", lambda run, node: run.sleep(60))
    start = monotonic()
    with pytest.raises(LimitError):
        evaluator.run("nap")
    assert monotonic() - start < 5


def test_a_program_within_its_time_is_left_alone() -> None:
    evaluator = Evaluator(limits=limits(timeout=60))
    assert evaluator.run("sleep:int:1\nreturn:ok").value == "ok"


# Its own [try] cannot swallow it

OVER: dict[str, tuple[str, Limits]] = {
    "steps": ("while:bool:true\n   eval\n      .a", limits(max_steps=500)),
    "depth": ("signal:deep", limits(max_depth=50, max_steps=5000)),
    "nodes": (
        "while:bool:true\n   add:x:../*/.bag\n      .\n         .x",
        limits(max_nodes=500, max_steps=50_000),
    ),
    "rounds": ("while:bool:true\n   eval", limits(max_while_iterations=20)),
    "time": ("while:bool:true\n   eval\n      .a", limits(timeout=0.1)),
    "stopped by Python": ("recurse", limits(max_steps=5000)),
}


def _indented(text: str, levels: int) -> str:
    return "\n".join("   " * levels + line for line in text.split("\n"))


RETRIES: dict[str, Callable[[str], str]] = {
    "catch": lambda body: f"try\n{_indented(body, 1)}\n.catch\n   return:caught",
    "finally": lambda body: (
        f"try\n{_indented(body, 1)}\n.catch\n   return:caught\n.finally\n   return:final"
    ),
    "nested": lambda body: (
        f"try\n   try\n{_indented(body, 2)}\n   .catch\n      return:inner\n"
        ".catch\n   return:outer"
    ),
    "again and again": lambda body: (
        f"while:bool:true\n   try\n{_indented(body, 2)}\n   .catch\n      .again"
    ),
    "in a slot": lambda body: (
        f"slots.create:retry\n   try\n{_indented(body, 2)}\n   .catch\n"
        "      execute:retry\n   .finally\n      execute:retry\nexecute:retry"
    ),
    "in .catch": lambda body: (
        f"try\n   throw:x\n.catch\n   try\n{_indented(body, 2)}\n   .catch\n      return:no"
    ),
    "in .finally": lambda body: (
        f"try\n   .x\n.finally\n   try\n{_indented(body, 2)}\n   .catch\n      return:no"
    ),
    "or": lambda body: f"or\n   eval\n{_indented(body, 2)}\n   eval\n      return:no",
}


@pytest.mark.parametrize("retry", RETRIES)
@pytest.mark.parametrize("over", OVER)
def test_no_program_survives_its_limit(over: str, retry: str) -> None:
    body, given = OVER[over]
    evaluator = Evaluator(limits=given)

    @evaluator.slot("recurse")
    def recurse(run: Evaluator, node: Node) -> None:
        recurse(run, node)

    program = (
        f".bag\nslots.create:deep\n   eval\n      signal:deep\n{RETRIES[retry](body)}"
    )
    start = process_time()
    with pytest.raises(LimitError):
        evaluator.run(program)
    assert process_time() - start < 5
    assert evaluator.run("return:ok").value == "ok"


# Programs that lead to themselves


@pytest.mark.parametrize(
    "program",
    [
        "slots.create:a\n   execute:a\nexecute:a",
        "slots.create:a\n   signal:a\nsignal:a",
        "slots.create:a\n   execute:b\nslots.create:b\n   execute:a\nexecute:a",
        "slots.create:a\n   if:bool:true\n      try\n         execute:a\n      .catch\n"
        "         execute:a\n      .finally\n         execute:a\nexecute:a",
        ".a\n   eval:x:@.a\neval:x:@.a",
        ".a\n   if:bool:true\n      eval:x:@.a\neval:x:@.a",
        ".a\n   for-each:x:../*\n      eval:x:@.a\neval:x:@.a",
        "switch:1\n   case:1\n      eval:x:../*\neval:x:..",
        "eval:x:..",
    ],
)
@pytest.mark.parametrize("most", [None, 100, 1000])
def test_recursion_without_end_ends(program: str, most: int | None) -> None:
    evaluator = Evaluator(limits=limits(max_depth=most, timeout=3))
    with pytest.raises(LimitError):
        evaluator.run(program)
    assert evaluator.run("return:ok").value == "ok"


@pytest.mark.parametrize(
    "program",
    [
        "get-value:x:+/-",
        ".a:x:@.b\n.b:x:../0\nget-value:x:@.b",
        ".a:x:{../1}\n.b:x:{../0}\nget-value:x:../0",
        ".a:x:../*/={../0}\nget-value:x:../0",
        ".a:x:../*/{../0}\nif:x:../0\n   .x",
        ".a:x:../0\nset-value:x:@.a\n   .:x:../0\nget-value:x:@.a",
        ".a\n   .\nfor-each:x:@.a/*\n   add:x:@.a\n      .\n         .x",
        ".a\n   .\nfor-each:x:@.a/*\n   insert-before:x:@.dp/#\n      .\n         .x",
        ".a\n   .\neval:x:@.a/*\nget-nodes:x:@.a/*/{@get-nodes}",
    ],
)
def test_what_leads_to_itself_ends(program: str) -> None:
    evaluator = Evaluator(limits=Limits(timeout=20))
    start = process_time()
    try:
        evaluator.run(program)
    except HyperlambdaError:
        pass  # a result will do, and nothing else may escape
    assert process_time() - start < 5
    assert evaluator.run("return:ok").value == "ok"
