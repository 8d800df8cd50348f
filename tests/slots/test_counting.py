"""Changing values step by step (spec 03 §3.3); see also conformance/math_counting.txt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperlambda import ArgumentError, Evaluator, Expression, Node, generate, parse
from hyperlambda.errors import (
    ExpressionError,
    OperandError,
    OutOfRangeError,
    UnknownSlotError,
)


def run(program: str) -> Node:
    """Run a program in one line: ` ; ` begins a node, ` › ` a child of that node."""
    root = parse(program.replace(" › ", "\n   ").replace(" ; ", "\n"))
    Evaluator().evaluate(root)
    return root


@pytest.mark.parametrize(
    ("value", "call", "left"),
    [
        (":int:10", "math.increment:x:@.v", ":int:11"),
        (":int:10", "math.decrement:x:@.v", ":int:9"),
        (":int:10", "math.increment:x:@.v › .:int:5", ":int:15"),
        (":int:10", "math.increment:x:@.v › .", ":int:11"),
        (":int:10", "math.increment:x:@.v › .:x:@.s", ":int:14"),  # improved
        (":int:10", "math.decrement:x:@.v › get-value:x:@.s", ":int:6"),
        (":short:4", "math.increment:x:@.v", ":int:5"),
        (":long:4", "math.increment:x:@.v", ":long:5"),
        (":double:0.5", "math.decrement:x:@.v", ":double:-0.5"),
        (":4", "math.increment:x:@.v", ":41"),
        ("", "math.increment:x:@.v", ""),
        (":int:1", "math.increment:x:@.missing", ":int:1"),
        (
            ':date:"2024-01-01T00:00:00.000Z"',
            "math.increment:x:@.v › .:time:10000000",
            ':date:"2024-01-01T00:00:01.000Z"',
        ),
    ],
)
def test_values_are_changed_in_place(value: str, call: str, left: str) -> None:
    root = run(f".s:int:4 ; .v{value} ; {call}")
    call_text = call.partition(" ")[0]
    assert generate(root) == f".s:int:4\n.v{left}\n{call_text}\n"


def test_all_nodes_that_are_found_are_changed() -> None:
    root = run(".v › a:int:1 › b › c:double:2 ; math.increment:x:@.v/*")
    assert generate(root.children[0]) == "a:int:2\nb\nc:double:3\n"


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("math.increment:int:5", ExpressionError),
        ("math.increment", ExpressionError),
        (".v:4 ; math.decrement:x:@.v", OperandError),
        (".v:int:4 ; math.increment:x:@.v › .:x:@.nope", ArgumentError),
        (".v:int:4 ; math.increment:x:@.v › step:int:2", UnknownSlotError),
        (".v:int:2147483647 ; math.increment:x:@.v", OutOfRangeError),
    ],
)
def test_bad_step_or_target_is_an_error(program: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        run(program)


wide = st.integers(-(2**31), 2**31 - 1)


@given(wide, wide)
def test_counting_agrees_with_adding(value: int, step: int) -> None:
    for name, exact in (
        ("math.increment", value + step),
        ("math.decrement", value - step),
    ):
        root = Node("", None, [Node(".v", value)])
        node = root.add(Node(name, Expression("@.v"), [Node(".", step)]))
        if -(2**31) <= exact <= 2**31 - 1:
            Evaluator().signal(name, node)
            assert root.children[0].value == exact
        else:
            with pytest.raises(OutOfRangeError):
                Evaluator().signal(name, node)
            assert root.children[0].value == value
