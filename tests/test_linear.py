"""Twice the program takes twice the time, or not much more, in each shape there is."""

from __future__ import annotations

import pytest

from benchmarks.measuring import timed
from benchmarks.shapes import KINDS, SHAPES, Shape
from hyperlambda import Evaluator, Limits, parse

# A quadratic program takes eight times as long for a piece of work when it grows
# eightfold, and a linear one as long as before. Between them there is room for a machine
# that is busy with other things.
GROWTH = 8
MOST = 3.0
ATTEMPTS = 4


def sizes(shape: Shape) -> tuple[int, int]:
    """Return a size where a step of a quadratic program counts, and a larger one."""
    smallest, middle, _ = shape.sizes
    if smallest < 20:  # the number whose Fibonacci number is wanted
        return smallest, middle
    small = min(300, smallest)
    return small, small * GROWTH


@pytest.mark.parametrize("shape", KINDS + SHAPES, ids=lambda shape: shape.name)
def test_time_for_each_piece_of_work_does_not_grow(shape: Shape) -> None:
    evaluator = Evaluator(limits=Limits(max_while_iterations=None))
    small, large = sizes(shape)
    texts = {size: shape.text(size) for size in (small, large)}
    best = dict.fromkeys(texts, float("inf"))
    for _ in range(ATTEMPTS):
        for size, text in texts.items():
            seconds = timed(evaluator.evaluate, lambda text=text: parse(text))  # type: ignore[misc] # bound to each text
            best[size] = min(best[size], seconds / shape.items(size))
        if best[large] < MOST * best[small]:
            return
    pytest.fail(f"{best[large] / best[small]:.1f} times as long for each piece of work")
