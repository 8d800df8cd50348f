"""Small objects are written on a way of their own, and come out the same."""

from __future__ import annotations

from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from hyperlambda import Node, json_writer
from hyperlambda.errors import HyperlambdaError
from hyperlambda.json_writer import write_json
from hyperlambda.numerals import Long

VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**63), 2**63 - 1).map(Long)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4)
    | st.sampled_from(["x" * 1_999, "x" * 2_001, "\x85", "\u2028", "\ud800"])
)
NAMES = st.sampled_from(["", ".", "a", "b", "é", '"', "\ud800", "n" * 2_001])
NODES = st.lists(
    st.builds(
        Node, NAMES, VALUES, st.lists(st.builds(Node, NAMES, VALUES), max_size=1)
    ),
    max_size=10,
)


def outcome(nodes: list[Node]) -> Any:
    try:
        return write_json(nodes)
    except HyperlambdaError as error:
        return type(error), error.message


@given(NODES)
def test_it_makes_no_difference_whether_an_object_is_small(nodes: list[Node]) -> None:
    with mock.patch.object(json_writer, "_VERY_FEW", 0):
        expected = outcome(nodes)
    assert outcome(nodes) == expected
