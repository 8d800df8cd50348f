"""
How the time of programs grows with their size: each shape at three sizes.

Twice the size should take twice the time. The ratio is the time that a piece of work
takes at the smallest size, beside what it takes at the largest: 1 is linear, and a
quadratic program that grows sixteenfold has 1/16.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import log
from statistics import mean, median

from hyperlambda import Evaluator, Limits, parse

from .measuring import Plot, Result, Row, Times, take_turns, timed
from .shapes import KINDS, SHAPES, Shape

__all__ = ["exponent", "measure"]

# What even a busy machine does not make of a linear program in its best round.
_WORST_EXPONENT = 1.4


def measure(
    rounds: int,
    shrunk: int = 1,
    kinds: Sequence[Shape] = KINDS,
    shapes: Sequence[Shape] = SHAPES,
) -> Result:
    """
    Measure shapes.

    Args:
        rounds: How often each size is measured.
        shrunk: By how much to divide the sizes.
        kinds: What people write: all, mostly.
        shapes: What is easily quadratic.
    """
    rows: list[Row] = []
    plots: list[Plot] = []
    for title, name, these in (
        ("Six kinds of programs", "kinds", kinds),
        ("What is easily quadratic", "shapes", shapes),
    ):
        series: dict[str, list[tuple[int, float]]] = {}
        for shape in these:
            sizes = _sizes(shape, shrunk)
            times = _times(shape, sizes, rounds)
            rows.append(_row(name, shape, sizes, times))
            series[shape.name] = [
                (size, min(times[str(size)]) / shape.items(size) * 1e6)
                for size in sizes
            ]
        plots.append(
            Plot(
                f"bench-growth-{name}",
                title,
                "size",
                "µs for each piece of work",
                series,
                is_logarithmic=True,
            )
        )
    return Result(rows, plots)


def _sizes(shape: Shape, shrunk: int) -> list[int]:
    if shape.sizes[0] < 20:  # a number whose Fibonacci number is wanted
        return [size - shrunk // 4 for size in shape.sizes]
    return [max(10, size // shrunk) for size in shape.sizes]


def _times(shape: Shape, sizes: Iterable[int], rounds: int) -> Times:
    evaluator = Evaluator(limits=Limits(max_while_iterations=None, max_depth=None))

    def once(text: str) -> float:
        return timed(evaluator.evaluate, lambda: parse(text))

    texts = {str(size): shape.text(size) for size in sizes}
    return take_turns(
        {size: lambda text=text: once(text) for size, text in texts.items()},  # type: ignore[misc] # bound to each text
        rounds,
    )


def _row(part: str, shape: Shape, sizes: Sequence[int], times: Times) -> Row:
    least, most = sizes[0], sizes[-1]
    each = {
        size: [seconds / shape.items(size) for seconds in times[str(size)]]
        for size in sizes
    }
    ratios = [
        small / large for small, large in zip(each[least], each[most], strict=True)
    ]
    best = [min(each[size]) * shape.items(size) for size in sizes]
    growth = shape.items(most) / shape.items(least)
    found = exponent([shape.items(size) for size in sizes], best)
    return Row(
        part,
        shape.name,
        f"itself, {sizes[0]:,} to {sizes[-1]:,}",
        ratios,
        note=f"exponent {found:.2f}; {median(each[most]) * 1e6:.2g} µs each",
        least=growth ** (1 - _WORST_EXPONENT),
    )


def exponent(sizes: Sequence[float], times: Sequence[float]) -> float:
    """Return the power of the size that times grow with, fitted by least squares."""
    xs, ys = [log(size) for size in sizes], [log(seconds) for seconds in times]
    x, y = mean(xs), mean(ys)
    slope = sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True))
    return slope / sum((a - x) ** 2 for a in xs)
