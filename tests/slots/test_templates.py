"""Templates that grow: what tables cannot show (spec 02 §3.6, §7)."""

from __future__ import annotations

import pytest

from hyperlambda import Evaluator, LimitError, Limits, parse


def doubling(levels: int) -> str:
    """Return a program whose result has two to the power of `levels` leaves."""
    arguments = "".join(
        f"   {level}\n      x:{{{level + 1}}}\n      x:{{{level + 1}}}\n"
        for level in range(levels)
    )
    return f".t\n   a:{{0}}\napply:x:@.t\n{arguments}   {levels}:end\n"


def test_arguments_may_contain_others() -> None:
    root = parse(doubling(5))
    Evaluator().evaluate(root)
    ends = [node for node in root.children[1].walk() if node.value == "end"]
    assert len(ends) == 32


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(max_steps=5000), "5000 steps"),
        (Limits(max_nodes=5000), "5000 nodes"),
        (Limits(timeout=0.1), r"0\.1 seconds"),
    ],
    ids=["steps", "nodes", "time"],
)
def test_arguments_that_grow_without_end_are_stopped(
    limits: Limits, message: str
) -> None:
    with pytest.raises(LimitError, match=message):
        Evaluator(limits=limits).run(doubling(60))


def test_templates_may_be_deep() -> None:
    depth = 3000
    lines = [f"{'   ' * level}a:{{p}}" for level in range(1, depth)]
    root = parse("\n".join([".t", *lines, "apply:x:@.t", "   p:1"]))
    Evaluator().evaluate(root)
    values = [node.value for node in root.children[1].walk()]
    assert values == [None] + ["1"] * (depth - 1)


def test_include_counts_what_it_runs() -> None:
    program = (
        ".d\n" + "   a\n" * 100 + "include:x:@.d/*\n   return\n" + "      b\n" * 100
    )
    Evaluator(limits=Limits(max_nodes=20_000)).run(program)
    with pytest.raises(LimitError, match="5000 nodes"):
        Evaluator(limits=Limits(max_nodes=5000)).run(program)
