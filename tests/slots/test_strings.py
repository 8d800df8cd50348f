"""The slot strings.concat (spec 03 §2.1, §13 rows 1–5)."""

from __future__ import annotations

import pytest

from hyperlambda import Evaluator, Node, parse
from hyperlambda.errors import ConversionError, ExpressionError


def run(program: str) -> Node:
    """Run a program and return its last node."""
    root = parse(program)
    Evaluator().evaluate(root)
    return root.children[-1]


@pytest.mark.parametrize(
    ("program", "text"),
    [
        ("strings.concat\n   .:a\n   .:b", "ab"),
        (
            "strings.concat:ignored\n   .:x\n   .:bool:true\n   .\n   .:double:1.50",
            "xTrue1.5",
        ),
        ("strings.concat\n   .", ""),
        ("strings.concat:x:@.nope/*", ""),
        ("strings.concat\n   .:x:@.nope\n   .:z", "z"),
        (".l\n   .:a\n   .:int:2\n   .\nstrings.concat:x:-/*", "a2"),
        (".a:1\n.l\n   .:x:@.a\n   .:2\nstrings.concat:x:-/*", "12"),
        (".a:tea\nstrings.concat\n   get-value:x:@.a\n   .named:x:@.a", "teatea"),
        ("strings.concat\n   .:decimal:1.50\n   .:bytes:YQ==\n   .:char:c", "1.50ac"),
        ('strings.concat\n   .:date:"2024-03-05T01:02:03"', "03/05/2024 01:02:03"),
    ],
)
def test_parts_are_joined(program: str, text: str) -> None:

    node = run(program)
    assert node.value == text
    assert not node.children


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("strings.concat", ExpressionError),
        ("strings.concat:literal", ExpressionError),
        ("strings.concat\n   .:time:10000000", ConversionError),
        (".l\n   a\n   a\nstrings.concat\n   .:x:@.l/*/a", ExpressionError),
    ],
)
def test_what_cannot_be_joined_is_an_error(
    program: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        run(program)
