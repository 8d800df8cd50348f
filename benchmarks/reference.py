"""
Six programs, beside the times that the original engine takes for the same jobs.

The original is compiled C# on .NET 9. It cannot be run here: its times were taken warm
and without parsing, on a machine where the yardstick (yardstick.py) took 25 ms at best.
Each round takes the yardstick anew, and scales those times by it. A part of them is the
hand-off between threads that the original makes for each slot, which we do not have;
what is left without it is the harder target, and is told beside.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import geometric_mean, median
from typing import Any

from .engine import run
from .machine import REFERENCE_YARDSTICK, work_time
from .measuring import Result, Row

__all__ = [
    "ACCELERATED",
    "FOLDER",
    "PROGRAMS",
    "Program",
    "accelerated_python",
    "measure",
]

FOLDER = Path(__file__).parent / "programs"


@dataclass(frozen=True, slots=True)
class Program:
    """
    A program, and what the original takes for the same job.

    Attributes:
        name: Of its file, without the ending.
        job: What it does.
        result: What it returns.
        milliseconds: The median of the original, with a yardstick of 25 ms.
        handoff: How many of these pass between its threads.
    """

    name: str
    job: str
    result: int
    milliseconds: float
    handoff: float


PROGRAMS = [
    Program("counting", "10,000 rounds of `while`", 5_000, 223, 194),
    Program("sum", "`for-each` over 10,000 nodes", 55_000, 35.4, 20),
    Program("fibonacci", "3,193 calls of a dynamic slot", 987, 55, 38),
    Program("texts", "texts grown 4,000 times", 8_890, 65, 52),
    Program("records", "5,000 records made and changed", 4_900, 154, 132),
    Program("documents", "JSON of 5,000 items, both ways", 5_000, 66, 2),
]

# What each program is to reach at least, and what all of them in the geometric mean.
_AIMS = {"in plain Python": (1.2, 2), "accelerated": (3, 5)}

ACCELERATED = "HYPERLAMBDA_ACCELERATED"
"""The variable that names the Python with the compiled form."""


def accelerated_python() -> Path | None:
    """
    Return the Python in which the compiled form is installed, if there is one.

    It is named by the variable `HYPERLAMBDA_ACCELERATED`, or is where
    `make accelerated` puts it.
    """
    named = os.environ.get(ACCELERATED)
    if named:
        return Path(named)
    usual = Path(__file__).parents[1] / ".venv-fast" / "bin" / "python"
    return usual if usual.exists() else None


def measure(
    rounds: int,
    accelerated: Path | None = None,
    programs: Sequence[Program] = PROGRAMS,
) -> Result:
    """
    Measure programs.

    Args:
        rounds: How often each is run.
        accelerated: A Python that has the compiled form, to be measured beside ours.
        programs: All six, mostly.

    Raises:
        AssertionError: A program returns something else than the original.
    """
    other = None if accelerated is None else _Engine(accelerated)
    try:
        rows = [row for program in programs for row in _rows(program, rounds, other)]
        parts = sorted({row.part for row in rows}, reverse=True)
        return Result(
            [
                row
                for part in parts
                for row in _with_mean([each for each in rows if each.part == part])
            ]
        )
    finally:
        if other is not None:
            other.close()


def _with_mean(rows: list[Row]) -> list[Row]:
    """Return the rows of a form, and their geometric mean."""
    rounds = zip(*(row.ratios for row in rows), strict=True)
    part = rows[0].part
    mean = Row(
        part,
        "the geometric mean of these",
        "the original, scaled",
        [geometric_mean(each) for each in rounds],
        aim=_AIMS[part][1],
    )
    return [*rows, mean]


class _Engine:
    """Another Python that runs programs."""

    def __init__(self, python: Path) -> None:
        engine = Path(__file__).with_name("engine.py")
        # Isolated: it must find its own `hyperlambda` and not the one beside us.
        self._process = subprocess.Popen(
            [python, "-I", engine],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, path: str) -> tuple[float, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(f"{path}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            answer = ""
        else:
            answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit("the accelerated form stopped; see above why")
        seconds, value = json.loads(answer)
        return seconds, value

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate()


def _rows(program: Program, rounds: int, other: _Engine | None) -> list[Row]:
    path = str(FOLDER / f"{program.name}.hl")
    engines = {"in plain Python": run}
    if other is not None:
        engines["accelerated"] = other.run
    ratios: dict[str, list[float]] = {name: [] for name in engines}
    times: dict[str, list[float]] = {name: [] for name in engines}
    for number in range(rounds + 1):
        for name, run_program in engines.items():
            before = work_time()
            seconds, value = run_program(path)
            assert value == program.result, program.name
            scale = min(before, work_time()) / REFERENCE_YARDSTICK
            if number:  # the first round loads modules and fills caches
                times[name].append(seconds)
                ratios[name].append(program.milliseconds / 1000 * scale / seconds)
    bare = (program.milliseconds - program.handoff) / program.milliseconds
    return [
        Row(
            name,
            program.job,
            "the original, scaled",
            found,
            aim=_AIMS[name][0],
            note=(
                f"{median(times[name]) * 1000:.0f} ms; without its hand-off "
                f"{median(found) * bare:.2f}"
            ),
            least=0.2,
        )
        for name, found in ratios.items()
    ]
