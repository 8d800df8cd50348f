"""Python's garbage collector looks less often while programs run, and is left as it was."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from threading import Barrier, Thread

import pytest

from hyperlambda import Evaluator, HyperlambdaError, Node

USUAL = (700, 10, 10)


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(*USUAL)
    yield
    gc.set_threshold(*before)


@pytest.fixture
def seen() -> list[int]:
    return []


@pytest.fixture
def evaluator(seen: list[int]) -> Evaluator:
    """Return an evaluator whose [look] notes after how many objects there is a look."""
    evaluator = Evaluator()

    @evaluator.slot("look")
    def look(evaluator: Evaluator, node: Node) -> None:
        seen.append(gc.get_threshold()[0])

    return evaluator


def test_programs_are_looked_at_less_often(
    evaluator: Evaluator, seen: list[int]
) -> None:
    evaluator.run("look")
    assert seen == [100_000]
    assert gc.get_threshold() == USUAL


def test_a_program_inside_of_a_program_changes_nothing(
    evaluator: Evaluator, seen: list[int]
) -> None:
    @evaluator.slot("inside")
    def inside(outer: Evaluator, node: Node) -> None:
        evaluator.run("look")

    evaluator.run("inside\nlook")
    assert seen == [100_000, 100_000]
    assert gc.get_threshold() == USUAL


def test_a_program_that_fails_leaves_nothing_behind(evaluator: Evaluator) -> None:
    with pytest.raises(HyperlambdaError):
        evaluator.run("look\nthrow:x")
    assert gc.get_threshold() == USUAL


@pytest.mark.parametrize("own", [0, 100_000, 200_000])
def test_what_a_process_has_set_itself_is_left_alone(
    evaluator: Evaluator, seen: list[int], own: int
) -> None:
    gc.set_threshold(own, 5, 5)
    evaluator.run("look")
    assert seen == [own]
    assert gc.get_threshold() == (own, 5, 5)


def test_what_a_program_sets_itself_stays(evaluator: Evaluator) -> None:
    @evaluator.slot("set")
    def set_(evaluator: Evaluator, node: Node) -> None:
        gc.set_threshold(1_234, 5, 6)

    evaluator.run("set")
    assert gc.get_threshold() == (1_234, 5, 6)


def test_programs_on_many_threads_leave_it_as_it_was(evaluator: Evaluator) -> None:
    barrier = Barrier(8)

    def work() -> None:
        barrier.wait()
        for _ in range(300):
            evaluator.run("look")

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert gc.get_threshold() == USUAL
