"""
Twenty thousand random programs, each of which ends in a result or an error of ours.

The programs of one seed are always the same; HYPERLAMBDA_FUZZ_SEED adds those of
another. See fuzz_programs.py for how they are made, and fuzzing.py for how to see one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hyperlambda import Evaluator, HyperlambdaError, Node, parse
from hyperlambda.registry import standard_slots

from . import fuzzing
from .fuzz_programs import EXCLUDED, program
from .test_docstrings import QuietHub

PROGRAMS = 20_000
WORKERS = 2
SEED = 20_240_229
SEEDS = [SEED, *map(int, os.environ.get("HYPERLAMBDA_FUZZ_SEED", "").split())]
ROOT = Path(__file__).parent.parent


class Worker:
    """A process that runs every second program, or every so many of a seed."""

    def __init__(
        self, seed: int, first: int, count: int, stride: int, folder: Path
    ) -> None:
        self.seed = seed
        # It writes here which program is next: what it does last is known if it dies.
        self.progress = folder / f"{seed}-{first}"
        arguments = (seed, first, count, stride, self.progress)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzzing", *map(str, arguments)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def findings(self) -> Iterator[str]:
        """Wait for it, and yield what it found, each with the program."""
        with self.process:
            output, errors = self.process.communicate(timeout=100)
            for line in output.splitlines():
                number, problems = json.loads(line)
                if number == "kilobytes":
                    if problems > fuzzing.MOST_USED:
                        yield f"the programs came to use {problems} kilobytes"
                else:
                    yield self.finding(number, "\n".join(problems))
            if self.process.returncode or errors:
                number = int(self.progress.read_bytes())
                end = f"ends with {self.process.returncode}: {errors[-2000:]}"
                yield self.finding(number, end)

    def finding(self, number: int, problem: str) -> str:
        text = program(self.seed, number)
        return f"program {number} of seed {self.seed}: {problem}\n{text}"


@pytest.mark.parametrize("seed", SEEDS)
def test_random_programs_end_in_a_result_or_in_an_error_of_ours(
    seed: int, tmp_path: Path
) -> None:
    count = PROGRAMS // WORKERS
    workers = [Worker(seed, n, count, WORKERS, tmp_path) for n in range(WORKERS)]
    findings = [each for worker in workers for each in worker.findings()]
    assert not findings, "\n\n".join(findings[:5])


def test_every_slot_is_among_the_programs() -> None:
    used = {
        node.name
        for number in range(2_000)
        if number % 2  # those that are made of names; they can be parsed
        for node in parse(program(SEED, number)).walk()
    }
    assert not set(standard_slots()) - EXCLUDED - used


def test_most_programs_come_somewhere() -> None:
    calls = 0

    class Counting(Evaluator):
        __slots__ = ()

        def run_children(self, node: Node) -> None:
            nonlocal calls
            calls += 1
            super().run_children(node)

    for number in range(400):
        evaluator = Counting(limits=fuzzing.LIMITS, hub=QuietHub())
        try:
            evaluator.run(program(SEED, number))
        except HyperlambdaError:
            pass  # how far it came is what counts
    assert calls > 400 * 3


FAULTS = {
    "another exception": ("fault", lambda run, node: 1 / 0, "ZeroDivisionError"),
    "it is hidden": ("try\n   fault\n.catch", lambda run, node: 1 / 0, "Zero"),
    "a fork": ("join\n   fork\n      fault", lambda run, node: 1 / 0, "Zero"),
    "no hyperlambda": ("fault", lambda run, node: sys.exit(1), "SystemExit"),
    "a bent tree": (
        "fault",
        lambda run, node: setattr(node.add(Node("a")), "parent", None),
        "another parent",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_looked_for_is_found(fault: str) -> None:
    text, slot, found = FAULTS[fault]
    with fuzzing.listening() as listener:
        evaluator = fuzzing.evaluator()
        evaluator.register("fault", slot)
        problems = fuzzing.run_program(text, evaluator)
    assert found in "\n".join([*problems, *listener.problems])


@pytest.mark.parametrize("text", ["return:ok", "nosuch", "a\n b", "throw:a", ""])
def test_nothing_is_found_where_nothing_is_wrong(text: str) -> None:
    with fuzzing.listening() as listener:
        assert fuzzing.run_program(text, fuzzing.evaluator()) == []
    assert listener.problems == []


@pytest.mark.parametrize("way", ["while True: pass", "import time; time.sleep(9)"])
def test_a_program_that_hangs_is_named(way: str, tmp_path: Path) -> None:
    progress = tmp_path / "progress"
    script = (
        "import pathlib\n"
        "from tests import fuzzing\n"
        "fuzzing.HANGS = (0.2, 0.5)\n"
        "def hang(text, evaluator):\n"
        f"    {way}\n"
        "fuzzing.run_program = hang\n"
        f"fuzzing.run_many(1, 7, 1, 1, pathlib.Path({str(progress)!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=False, timeout=60
    )
    assert done.returncode < 0
    assert int(progress.read_bytes()) == 7
