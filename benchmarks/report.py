"""
Puts what was measured into docs/benchmarks.md and docs/img.

The page has a place for each part, between ``<!-- measured: PART -->`` and
``<!-- end -->``, which is written anew; all else on it is written by people.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from .machine import versions
from .measuring import Plot, Result, Row, figure

__all__ = ["PAGE", "markdown", "write"]

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"

_END = "<!-- end -->"


def write(part: str, result: Result, machine: str, page: Path = PAGE) -> None:
    """
    Write the table and the pictures of a part.

    Args:
        part: Its name; the page has a place for it.
        result: What was found.
        machine: What it was found with.
        page: Where; pictures go to `img` beside it.

    Raises:
        SystemExit: The page has no such place, or matplotlib is missing.
    """
    text = page.read_text("utf-8")
    start = f"<!-- measured: {part} -->\n"
    before, found, rest = text.partition(start)
    _, ends, after = rest.partition(_END)
    if not found or not ends:
        raise SystemExit(f"{page.name} has no place for '{part}': {start.strip()}")
    for plot in result.plots:
        _draw(plot, page.parent / "img" / f"{plot.name}.svg")
    body = markdown(result, machine)
    page.write_text(f"{before}{start}{body}{_END}{after}", "utf-8")


def markdown(result: Result, machine: str) -> str:
    """Return a table under the machine's description, and the pictures below it."""
    peers = ", ".join(f"{name} {it}" for name, it in versions(result.peers).items())
    lines = [machine + (f"; {peers}" if peers else "") + ".", ""]
    lines += [
        "| | beside | ratio | spread | aim | |",
        "| --- | --- | ---: | ---: | ---: | --- |",
    ]
    part = ""
    for row in result.rows:
        if row.part != part:
            part = row.part
            lines.append(f"| **{part}** | | | | | |")
        lines.append(f"| {' | '.join(_cells(row))} |")
    for plot in result.plots:
        lines += ["", f"![{plot.title}](img/{plot.name}.svg)"]
    return "\n".join(lines) + "\n"


def _cells(row: Row) -> Sequence[str]:
    low, high = figure(min(row.ratios)), figure(max(row.ratios))
    return (
        row.what,
        row.beside,
        figure(median(row.ratios)),
        "" if len(row.ratios) == 1 else f"{low}–{high}",
        "" if row.aim is None else f"{row.aim:g}",
        row.note,
    )


def _draw(plot: Plot, path: Path) -> None:
    try:
        import matplotlib  # an extra, and slow to load
    except ImportError:
        raise SystemExit(
            "pictures need matplotlib: pip install -e '.[bench]'"
        ) from None
    matplotlib.use("svg")
    # The same figures give the same file.
    matplotlib.rcParams["svg.hashsalt"] = plot.name
    from matplotlib import pyplot

    drawing, axes = pyplot.subplots(figsize=(7, 4))
    is_bars = any(isinstance(x, str) for s in plot.series.values() for x, _ in s)
    width = 0.8 / max(1, len(plot.series))
    for number, (label, points) in enumerate(plot.series.items()):
        names, heights = zip(*points, strict=True)
        if is_bars:
            shifted = [n + number * width - 0.4 + width / 2 for n in range(len(names))]
            axes.bar(shifted, heights, width, label=label)
            axes.set_xticks(range(len(names)), names)
        else:
            axes.plot(names, heights, marker="o", markersize=3, label=label)
    if plot.is_logarithmic:
        axes.set_yscale("log")
        if not is_bars:
            axes.set_xscale("log")
    axes.set(title=plot.title, xlabel=plot.x, ylabel=plot.y)
    axes.grid(alpha=0.3)
    if len(plot.series) > 1:
        axes.legend()
    drawing.tight_layout()
    path.parent.mkdir(exist_ok=True)
    drawing.savefig(path, metadata={"Date": None, "Creator": None})
    pyplot.close(drawing)
