"""Nodes that are values of nodes that are values: few of them, and endless to write."""

from __future__ import annotations

from time import process_time

import pytest

from hyperlambda import Expression, Node, generate
from hyperlambda.errors import TreeError


def doubled(times: int) -> Node:
    """Return a node whose text is twice as long for each time, from few nodes."""
    node = Node("", None, [Node("a", "x" * 20)])
    for _ in range(times):
        node = Node("", None, [Node("a", node), Node("b", node)])
    return node


def test_what_would_be_written_without_end_is_an_error() -> None:
    start = process_time()
    with pytest.raises(TreeError):
        generate(doubled(15))
    assert process_time() - start < 20


def test_a_filter_by_value_does_not_write_it() -> None:
    holder = Node("", None, [Node("v", doubled(15)), Node("w", "x")])
    start = process_time()
    assert Expression("*/=x").evaluate(holder) == [holder.children[1]]
    assert process_time() - start < 1


def test_a_filter_by_value_still_finds_nodes() -> None:
    inner = Node("", None, [Node("a", 1)])
    holder = Node("", None, [Node("v", inner), Node("w")])
    assert Expression('*/"=a:int:1\r\n"').evaluate(holder) == [holder.children[0]]
    assert Expression("*/=").evaluate(holder) == [holder.children[1]]


def test_values_in_values_are_written_and_read() -> None:
    root = Node("", None, [Node("v", doubled(3))])
    assert generate(root).count("x" * 20) == 8
