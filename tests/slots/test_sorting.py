"""Sorting: what tables cannot show (spec 02 §3.6, §7)."""

from __future__ import annotations

from random import Random

import pytest

from hyperlambda import Evaluator, LimitError, Limits, Node, parse

COMPARE = """
sort:x:@.list/*
   math.subtract
      get-value:x:@.lhs/#
      get-value:x:@.rhs/#
   set-value:x:@.result
      get-value:x:@math.subtract
"""


@pytest.mark.parametrize("seed", range(20))
def test_a_sorted_list_is_in_order_and_stable(seed: int) -> None:
    random = Random(seed)
    numbers = [random.randrange(10) for _ in range(random.randrange(2, 40))]
    root = parse(COMPARE)
    nodes = [Node(str(index), number) for index, number in enumerate(numbers)]
    root.insert(0, Node(".list", None, nodes))
    Evaluator().evaluate(root)
    found = [(node.value, int(node.name)) for node in root.children[1].children]
    assert found == sorted((number, index) for index, number in enumerate(numbers))
    assert [node.value for node in root.children[0].children] == numbers


def test_code_that_contradicts_itself_ends() -> None:
    root = parse(
        ".list\n"
        + "   a\n" * 50
        + "sort:x:@.list/*\n   set-value:x:@.result\n      .:int:1\n"
    )
    Evaluator().evaluate(root)
    assert len(root.children[1].children) == 50


def test_the_copies_count_while_they_are_sorted() -> None:
    """A list of 400 nodes, which 20 recursions would sort at the same time."""
    program = (
        "slots.create:s\n   .list\n"
        + "      a\n" * 400
        + "   sort:x:@.list/*\n      signal:s\nsignal:s\n"
    )
    with pytest.raises(LimitError, match="8000 nodes"):
        Evaluator(limits=Limits(max_nodes=8000)).run(program)


@pytest.mark.parametrize("depth", [1000, None])
def test_a_sort_within_a_sort_without_end_is_stopped(depth: int | None) -> None:
    program = (
        "slots.create:s\n   .list\n      a\n      b\n"
        "   sort:x:@.list/*\n      signal:s\nsignal:s\n"
    )
    with pytest.raises(LimitError, match="nested"):
        Evaluator(limits=Limits(max_depth=depth)).run(program)


def test_comparisons_take_steps() -> None:
    program = (
        ".list\n"
        + "   a\n" * 50
        + "sort:x:@.list/*\n   set-value:x:@.result\n      .:int:0\n"
    )
    Evaluator(limits=Limits(max_steps=100)).run(program)
    with pytest.raises(LimitError, match="90 steps"):
        Evaluator(limits=Limits(max_steps=90)).run(program)
