"""Arithmetic on any number of values (spec 03 §3.1–3.3); see also conformance/math_*."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperlambda import ArgumentError, Evaluator, Limits, Node, generate, parse
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


small = st.integers(-10_000, 10_000)


@given(small, st.lists(small, min_size=1, max_size=5))
def test_sums_agree_with_those_of_python(first: int, others: list[int]) -> None:
    node = Node("math.add", first, [Node(".", other) for other in others])
    Evaluator().signal("math.add", node)
    assert node.value == first + sum(others)
    node = Node("math.subtract", first, [Node(".", other) for other in others])
    Evaluator().signal("math.subtract", node)
    assert node.value == first - sum(others)


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=8))
def test_extremes_agree_with_those_of_python(numbers: list[float]) -> None:
    for name, best in (("math.max", max), ("math.min", min)):
        node = Node(name, None, [Node(".", number) for number in numbers])
        Evaluator().signal(name, node)
        assert repr(node.value) == repr(best(numbers))  # which of two zeros, too


@given(
    st.lists(st.floats(-1e100, 1e100), max_size=6),
    st.lists(st.floats(-1e100, 1e100), max_size=6),
)
def test_products_of_vectors_agree_with_those_of_python(
    first: list[float], second: list[float]
) -> None:
    vectors = [Node(".", None, [Node("", x) for x in each]) for each in (first, second)]
    node = Node("math.dot", None, vectors)
    Evaluator().signal("math.dot", node)
    total = 0.0
    for a, b in zip(first, second, strict=False):
        total += a * b
    assert node.value == total


wide = st.integers(-(2**31), 2**31 - 1)


@given(wide, wide)
def test_sums_fit_an_int_or_are_refused(a: int, b: int) -> None:
    for name, exact in (("math.add", a + b), ("math.subtract", a - b)):
        node = Node(name, a, [Node(".", b)])
        if -(2**31) <= exact <= 2**31 - 1:
            Evaluator().signal(name, node)
            assert node.value == exact
        else:
            with pytest.raises(OutOfRangeError):
                Evaluator().signal(name, node)


def test_a_plain_integer_beyond_32_bits_counts_as_a_long() -> None:
    node = Node("math.subtract", 2**31, [Node(".", 1)])
    Evaluator().signal("math.subtract", node)
    assert generate([node]) == "math.subtract:long:2147483647\n"


def test_a_text_of_many_parts_is_made_at_once() -> None:
    part = "a" * 1000
    node = Node("math.add", part, [Node(".", part) for _ in range(20_000)])
    Evaluator(limits=Limits(timeout=10)).signal("math.add", node)
    assert len(node.value) == 20_001_000


def test_a_vector_that_lost_a_child_while_it_ran_is_refused() -> None:
    evaluator = Evaluator()

    @evaluator.slot("shrink")
    def shrink(running: Evaluator, node: Node) -> None:
        assert node.parent is not None
        running.require_result().value = True
        node.parent.truncate(1)

    with pytest.raises(ArgumentError, match="has 1"):
        evaluator.run("math.dot\n   shrink\n   .")
