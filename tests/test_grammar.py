"""What `parse` walks is what Lark makes of grammar.lark, and reads what Lark reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperlambda import Node, generate, parse
from hyperlambda import _tables as kept
from hyperlambda.grammar import lark_parser, made_tables, module_text
from hyperlambda.parser import MAKERS
from hyperlambda.source import Source

ROOT = Path(__file__).parent.parent
LARK = lark_parser(MAKERS)


def read_by_lark(text: str) -> Node:
    root: Node = LARK.parse(Source(text))  # type: ignore[arg-type] # our lexer takes it
    return root


def places(root: Node) -> list[tuple[str, object, int, int]]:
    return [(node.name, node.value, node.offset, node.index) for node in root.walk()]


def test_the_tables_are_those_that_lark_makes_of_the_grammar() -> None:
    text = Path(kept.__file__).read_text("utf-8")
    assert text == module_text(made_tables()), "run: python -m hyperlambda.grammar"


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("samples/**/*.hl")), ids=lambda path: path.stem
)
def test_lark_reads_every_sample_as_parse_does(path: Path) -> None:
    text = path.read_text("utf-8")
    assert places(read_by_lark(text)) == places(parse(text))


@given(
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["a", "b:1"])), max_size=12)
)
def test_lark_reads_every_shape_of_tree_as_parse_does(
    lines: list[tuple[int, str]],
) -> None:
    text, level = "", -1
    for wanted, line in lines:
        level = min(wanted, level + 1)
        text += "   " * level + line + "\n"
    assert generate(read_by_lark(text)) == generate(parse(text)) == text
