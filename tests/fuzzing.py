"""
Runs random programs in a process of its own: see test_fuzz.py.

``python -m tests.fuzzing SEED N`` prints program number N of a seed.
"""

from __future__ import annotations

import json
import logging
import resource
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import process_time

from hyperlambda import (
    Evaluator,
    HyperlambdaError,
    Limits,
    Node,
    generate,
    parse,
    run,
)
from hyperlambda.errors import SlotError, ThrownError, TreeError

from .fuzz_programs import EXCLUDED, program
from .test_docstrings import QuietHub

__all__ = [
    "LIMITS",
    "MOST_USED",
    "evaluator",
    "listening",
    "run_many",
    "run_program",
]

LIMITS = Limits(
    max_steps=400,
    max_depth=40,
    max_nodes=2_000,
    max_text=20_000,
    max_while_iterations=30,
    timeout=0.5,
)
# Bytes that a process of programs may have, and kilobytes that it may come to use.
MEMORY = 1 << 31
MOST_USED = 400_000
# Seconds after which a program hangs: of the CPU, and by the clock.
HANGS = (5, 30)


class _Listener(logging.Handler):
    """
    Hears with what forks fail, and with what slots do, also when a [try] hides it.

    Attributes:
        problems: What was heard.
    """

    def __init__(self) -> None:
        super().__init__()
        self.problems: list[str] = []
        self._failure = run._failure

    def emit(self, record: logging.LogRecord) -> None:
        """See that a fork failed with an error of ours."""
        arguments = record.args if isinstance(record.args, tuple) else ()
        for each in arguments:
            if isinstance(each, BaseException):
                self.problems += _problems_of(each)

    def failure(self, name: str, node: Node, error: Exception) -> HyperlambdaError:
        """See what the Python code of a slot raised, and do what a run does."""
        failure = self._failure(name, node, error)
        if isinstance(failure, SlotError):
            lines = traceback.format_exception(error)[-3:]
            self.problems.append(f"{failure.message} {' '.join(lines)}")
        return failure


def _problems_of(error: BaseException) -> list[str]:
    """Return what is wrong with what a program failed with."""
    if not isinstance(error, HyperlambdaError):
        return [f"{type(error).__name__} escaped: {error}"]
    problems = []
    if error.place is None:
        problems.append(f"no place: {type(error).__name__}: {error.message}")
    if not error.render() or (
        "\n" in error.message and not isinstance(error, ThrownError)
    ):
        problems.append(f"more than one line: {error.message!r}")
    return problems


def _tree_problems(root: Node) -> list[str]:
    for node in root.walk():
        for child in node.children:
            if child.parent is not node:
                return [f"'{child.name}' below '{node.name}' has another parent"]
    return []


def evaluator() -> Evaluator:
    """Return an evaluator for one program."""
    made = Evaluator(limits=LIMITS, hub=QuietHub(), config={"a": "b"})
    for name in EXCLUDED:
        made.registry.remove(name)
    return made


def run_program(text: str, evaluator: Evaluator) -> list[str]:
    """Run a program, and return what is wrong with how it went."""
    root = Node()
    start = process_time()
    problems: list[str] = []
    try:
        root = parse(text, file="fuzz.hl")
        result = evaluator.evaluate(root)
        problems += _tree_problems(result)
    except BaseException as error:  # whatever it is, it is what is looked for
        problems += _problems_of(error)
    used = process_time() - start
    if used > 2 * (LIMITS.timeout or 0):
        problems.append(f"{used:.1f} seconds of CPU")
    problems += _tree_problems(root)
    try:
        generate(root)
    except TreeError:
        pass  # a node may be a part of its own value, which cannot be written
    return problems


@contextmanager
def listening() -> Iterator[_Listener]:
    """Hear what goes wrong with programs, as long as a block runs."""
    listener = _Listener()
    logger = logging.getLogger("hyperlambda")
    logger.addHandler(listener)
    run._failure, failure = listener.failure, run._failure
    logger.propagate, propagate = False, logger.propagate
    try:
        yield listener
    finally:
        logger.propagate = propagate
        run._failure = failure
        logger.removeHandler(listener)


def run_many(seed: int, first: int, count: int, stride: int, progress: Path) -> None:
    """
    Run many programs; print what is wrong with any as a line of JSON.

    Args:
        seed: Of the programs.
        first: The number of the first one.
        count: How many.
        stride: From each number to the next one.
        progress: A file that gets the number of the program that runs.
    """
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    # Nobody handles these signals: they end a process, also one that is stuck in C.
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    with listening() as listener, progress.open("wb", buffering=0) as file:
        for number in range(first, first + count * stride, stride):
            file.seek(0)
            file.write(b"%12d" % number)
            signal.setitimer(signal.ITIMER_PROF, HANGS[0])
            signal.setitimer(signal.ITIMER_REAL, HANGS[1])
            problems = run_program(program(seed, number), evaluator())
            problems += listener.problems
            listener.problems.clear()
            if problems:
                print(json.dumps([number, problems]), flush=True)
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps(["kilobytes", used]), flush=True)


if __name__ == "__main__":
    seed, number, *more = sys.argv[1:]
    if more:
        count, stride, file = more
        run_many(int(seed), int(number), int(count), int(stride), Path(file))
    else:
        print(program(int(seed), int(number)))
