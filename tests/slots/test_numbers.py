"""Arithmetic (spec 03 §3.1–3.3, §13 rows 48–68, 76–77)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperlambda import ArgumentError, Evaluator, Node, generate, parse
from hyperlambda.errors import (
    DivisionByZeroError,
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
    ("program", "result"),
    [
        (".n:int:10 ; math.add:x:@.n › .:int:5 › .:double:0.5", "double:15.5"),
        ("math.subtract:int:10 › .:int:3", "int:7"),
        ("math.multiply:int:10 › .:long:3", "long:30"),
        ("math.divide:int:10 › .:int:4", "int:2"),
        ("math.divide:int:-7 › .:int:2", "int:-3"),
        ("math.add › .:int:1 › .:int:2 › .:int:3", "int:6"),
        ("math.add › math.add:int:1 › .:int:2", "int:3"),
        ("math.add:int:5", "int:5"),
        ("math.add › .:int:5", "int:5"),
        ("math.add:int:1 › .:decimal:2.5 › .:int:1", "decimal:4.5"),
        ("math.add:short:1 › .:short:2", "int:3"),
        ("math.add:uint:1 › .:int:1", "long:2"),
        ("math.add:char:a › .:int:1", "int:98"),
        ("math.divide:double:7 › .:int:0", "double:Infinity"),
        ("math.multiply:decimal:1.10 › .:int:2", "decimal:2.20"),
        ("math.add:a › .:int:1 › .:b", "a1b"),
        ("math.add:a › . › .:b", "ab"),
        (".s:int:2 ; math.subtract:int:9 › .:x:@.s › .any:x:@.s", "int:5"),
        (
            'math.subtract:date:"2024-01-31T00:00:00.000Z" › '
            '.:date:"2024-01-30T12:00:00.000Z"',
            "time:432000000000",
        ),
    ],
)
def test_operands_are_folded_from_left_to_right(program: str, result: str) -> None:
    node = run(program).children[-1]
    assert generate([node]) == f"{node.name}:{result}\n"
    assert not node.children


def test_children_are_run_before_they_are_read() -> None:
    root = parse("math.multiply\n   math.add:int:1\n      .:int:2\n   .:int:5")
    Evaluator().evaluate(root)
    assert generate(root) == "math.multiply:int:15\n"


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("math.add", ArgumentError),
        ("math.add › . › .:int:2", ArgumentError),
        ("math.add:x:@.nope › .:int:2", ArgumentError),
        ("math.add:int:1 › .:x:@.nope › .:int:2", ArgumentError),
        (".l › a:int:1 ; math.add:int:1 › get-nodes:x:@.l/*", ArgumentError),
        (".l › a › a ; math.add:x:@.l/*", ExpressionError),
        ("math.add › .:5 › .:7", OperandError),
        ("math.subtract:8 › .:int:5", OperandError),
        ("math.add:decimal:1 › .:double:2.5", OperandError),
        ("math.add:ulong:1 › .:int:2", OperandError),
        ("math.add:bool:true › .:int:2", OperandError),
        ("math.add:int:2147483647 › .:int:1", OutOfRangeError),
        ("math.divide:int:7 › .:int:0", DivisionByZeroError),
        ("math.divide:decimal:7 › .:int:0", DivisionByZeroError),
        ("math.add › no-such-slot", UnknownSlotError),
    ],
)
def test_what_cannot_be_computed_is_an_error(
    program: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        run(program)


def test_null_operand_is_named() -> None:
    with pytest.raises(ArgumentError, match=r"'\.price' of 'math\.add' is null"):
        run("math.add:int:1 › .price")


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


small = st.integers(-10_000, 10_000)


@given(small, st.lists(small, min_size=1, max_size=5))
def test_sums_agree_with_those_of_python(first: int, others: list[int]) -> None:
    node = Node("math.add", first, [Node(".", other) for other in others])
    Evaluator().signal("math.add", node)
    assert node.value == first + sum(others)
    node = Node("math.subtract", first, [Node(".", other) for other in others])
    Evaluator().signal("math.subtract", node)
    assert node.value == first - sum(others)
