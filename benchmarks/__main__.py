"""The command: `python -m benchmarks [--quick] [part …]`."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable
from os import cpu_count

from . import deliveries, evaluation, parsing
from .measuring import Row, table
from .subscribers import raise_file_limit

__all__ = ["main"]

PARTS: dict[str, tuple[Callable[[], list[Row]], Callable[[], list[Row]]]] = {
    "parse": (
        lambda: parsing.measure(50_000, 7),
        lambda: parsing.measure(2_000, 5),
    ),
    "evaluate": (
        lambda: evaluation.measure(2_000, 7),
        lambda: evaluation.measure(500, 3),
    ),
    "deliver": (
        lambda: deliveries.measure(1_000, 15, 9, 100, 5),
        lambda: deliveries.measure(1_000, 6, 5, 30, 3),
    ),
}
"""Of each part what measures it: at length, and quickly."""


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure speed beside other tools."
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="smaller and fewer rounds")
    options = parser.parse_args(arguments)
    for part in options.parts:
        if part not in PARTS:
            parser.error(f"no part is named '{part}'; there are {', '.join(PARTS)}")
    print(f"Python {platform.python_version()}, {cpu_count()} processor cores")
    print("ratio: our speed in units of the other's, the median of several rounds\n")
    raise_file_limit()
    for part in options.parts or PARTS:
        if sys.stderr.isatty():
            print(f"measuring {part} …", file=sys.stderr)
        measure = PARTS[part][options.quick]
        print(f"{table(measure())}\n", flush=True)


if __name__ == "__main__":
    main()
