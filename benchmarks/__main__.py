"""
The command: `python -m benchmarks [--quick] [--check] [--write] [part …]`.

A further part is a module with a function that returns a `Result`, and a line in `PARTS`;
with `--write` it also needs a place on the page (see report.py).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

from . import (
    clusters,
    deliveries,
    evaluation,
    growth,
    json_documents,
    parsing,
    publishing,
    reference,
    scale,
)
from .machine import describe
from .measuring import Result, table
from .report import write

__all__ = ["PARTS", "Part", "main"]


@dataclass(frozen=True, slots=True)
class Part:
    """
    A part of the benchmarks.

    Attributes:
        measure: Measures it at length.
        measure_quickly: The same with smaller and fewer rounds, in some seconds.
    """

    measure: Callable[[], Result]
    measure_quickly: Callable[[], Result]


PARTS = {
    "parse": Part(
        lambda: parsing.measure(50_000, 7, 50),
        lambda: parsing.measure(2_000, 5, 2),
    ),
    "evaluate": Part(
        lambda: evaluation.measure(2_000, 7),
        lambda: evaluation.measure(500, 3),
    ),
    "json": Part(
        lambda: json_documents.measure(5_000, 9),
        lambda: json_documents.measure(500, 5),
    ),
    "reference": Part(
        lambda: reference.measure(9, reference.accelerated_python()),
        lambda: reference.measure(3, reference.accelerated_python()),
    ),
    "grow": Part(
        lambda: growth.measure(3),
        lambda: growth.measure(2, 10),
    ),
    "deliver": Part(
        lambda: deliveries.measure(deliveries.Sizes(10_000, 1_000, 10, 9, 100)),
        lambda: deliveries.measure(
            deliveries.Sizes(1_000, 300, 5, 5, 100, ["asyncio"])
        ),
    ),
    "scale": Part(
        lambda: scale.measure(scale.Sizes(10_000, 100, 9)),
        lambda: scale.measure(scale.Sizes(1_000, 50, 5, ["asyncio"])),
    ),
    "publish": Part(
        lambda: publishing.measure(publishing.Sizes(1_000, 300, 20_000, 7)),
        lambda: publishing.measure(publishing.Sizes(100, 30, 2_000, 3, ["asyncio"])),
    ),
    # Last, for it gives up where there is no redis-server.
    "cluster": Part(
        lambda: clusters.measure(clusters.Sizes(1_000, 20, 5_000, 9)),
        lambda: clusters.measure(clusters.Sizes(200, 10, 1_000, 3)),
    ),
}


def main(arguments: list[str] | None = None) -> None:
    """
    Measure and print.

    Raises:
        SystemExit: With 1 if something is far slower than it should be and `--check` is
            given; with 2 if the arguments are wrong.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure speed beside other tools."
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="smaller and fewer rounds")
    parser.add_argument("--check", action="store_true", help="fail if far too slow")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument(
        "--accelerated", metavar="PYTHON", help="measure the compiled form in it too"
    )
    options = parser.parse_args(arguments)
    if options.accelerated:
        os.environ[reference.ACCELERATED] = options.accelerated
    for name in options.parts:
        if name not in PARTS:
            parser.error(f"no part is named '{name}'; there are {', '.join(PARTS)}")
    machine = describe()
    print(machine)
    print("ratio: our speed in units of the other's, the median of several rounds\n")
    slow: list[str] = []
    for name in options.parts or PARTS:
        if sys.stderr.isatty():
            print(f"measuring {name} …", file=sys.stderr)
        part = PARTS[name]
        result = part.measure_quickly() if options.quick else part.measure()
        print(f"{table(result.rows)}\n", flush=True)
        if options.write:
            write(name, result, machine)
        slow += [
            f"{row.part}: {row.what} beside {row.beside} is {max(row.ratios):.2g} at "
            f"best, and {row.least:g} is the least"
            for row in result.rows
            if row.has_failed
        ]
    if options.check and slow:
        raise SystemExit("\n".join(slow))


if __name__ == "__main__":
    main()
