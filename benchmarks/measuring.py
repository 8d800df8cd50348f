"""
Timings taken in turns, and the ratios that they give.

A figure means something only beside another one of the same run: whatever slows the
machine down for a while then slows both. So contestants take turns, round after round,
and what is reported is the median of the rounds' ratios with the smallest and largest.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import comb
from statistics import median
from time import process_time
from typing import Any

__all__ = [
    "Plot",
    "Result",
    "Row",
    "Times",
    "figure",
    "median_bounds",
    "median_rate",
    "ratios",
    "table",
    "take_turns",
    "timed",
]

Times = dict[str, list[float]]
"""Of each contestant, the seconds that each of its rounds took."""


@dataclass(frozen=True, slots=True)
class Row:
    """
    One line of the table.

    Attributes:
        part: What it belongs to: parse, evaluate, deliver, …
        what: What we did.
        beside: What it is compared with.
        ratios: Our speed in units of the other's, of each round; above 1 we are faster.
        aim: The least ratio that we want, or None.
        note: More to know, in a few words.
        least: What the best round must reach in a quick run, or None. This is far below
            the usual ratio: it catches what has become several times slower, on machines
            that are busy with other things.
    """

    part: str
    what: str
    beside: str
    ratios: Sequence[float]
    aim: float | None = None
    note: str = ""
    least: float | None = None

    @property
    def has_failed(self) -> bool:
        """Whether even the best round is below what it must be."""
        return self.least is not None and max(self.ratios) < self.least


@dataclass(frozen=True, slots=True)
class Plot:
    """
    A picture of figures that a table cannot show.

    Attributes:
        name: Of the file, without its ending.
        title: What it shows.
        x: What is on the horizontal axis, with its unit.
        y: What is on the vertical axis, with its unit.
        series: Of each line its points; x may be texts, which makes bars.
        is_logarithmic: Whether both axes are.
    """

    name: str
    title: str
    x: str
    y: str
    series: Mapping[str, Sequence[tuple[Any, float]]]
    is_logarithmic: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """
    What one part of the benchmarks found.

    Attributes:
        rows: Of its table.
        plots: Its pictures.
        peers: Packages that took part, whose versions are told.
    """

    rows: Sequence[Row]
    plots: Sequence[Plot] = field(default_factory=tuple)
    peers: Sequence[str] = ()


def timed(job: Callable[[Any], object], prepare: Callable[[], Any]) -> float:
    """
    Return the seconds of processor time that a job takes.

    Args:
        job: Is given what `prepare` returned.
        prepare: Makes the input; its time does not count.
    """
    given = prepare()
    gc.collect()
    start = process_time()
    result = job(given)
    seconds = process_time() - start
    del result  # to free a large tree is not part of making it
    return seconds


def take_turns(contestants: Mapping[str, Callable[[], float]], rounds: int) -> Times:
    """
    Let each contestant measure itself once a round.

    A round that does not count goes first: it fills caches and loads modules.
    """
    times: Times = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, measure in contestants.items():
            seconds = measure()
            if number:
                times[name].append(seconds)
    return times


def ratios(times: Times, ours: str, theirs: str) -> list[float]:
    """Return, for each round, how many times as fast as the other we were."""
    return [other / own for own, other in zip(times[ours], times[theirs], strict=True)]


def median_bounds(found: Sequence[float]) -> tuple[float, float]:
    """
    Return between which of some figures their true median is, with a certainty of 95 %.

    Each figure is as likely above the true median as below it, however they are spread,
    so the bounds are two of the figures. Of fewer than six, all do not make it certain:
    then they are the smallest and the largest.
    """
    ordered = sorted(found)
    count = len(ordered)
    outside = 0
    skipped = 0
    # As long as the median is outside of the rest in one case of 40 on either side.
    while True:
        outside += comb(count, skipped)
        if outside / 2**count > 0.025:
            break
        skipped += 1
    skipped = max(0, skipped - 1)
    return ordered[skipped], ordered[count - 1 - skipped]


def median_rate(times: Sequence[float], amount: int) -> int:
    """Return how many a second the median round did, to three digits."""
    rate = int(amount / median(times))
    return round(rate, 3 - len(str(rate)))


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text, a line each under a heading for each part."""
    lines = []
    width = max(len(_label(row)) for row in rows)
    part = ""
    for row in rows:
        if row.part != part:
            part = row.part
            lines += ["", f"{part:{width + 2}}   ratio   spread         aim"]
        spread = f"{figure(min(row.ratios))}–{figure(max(row.ratios))}"
        aim = "" if row.aim is None else f"≥ {row.aim:g}"
        ratio = f"{figure(median(row.ratios))}×"
        lines.append(
            f"  {_label(row):{width}}  {ratio:>6}   {spread:13}  {aim:5}  {row.note}".rstrip()
        )
    return "\n".join(lines[1:])


def _label(row: Row) -> str:
    return f"{row.what} / {row.beside}"


def figure(ratio: float) -> str:
    """Write a ratio with at least two digits that count."""
    if ratio >= 10:
        return f"{ratio:.1f}"
    return f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.3f}"
