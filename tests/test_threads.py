"""One evaluator, many threads at once."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from hyperlambda import Evaluator, LimitError, Limits, Node, UnknownSlotError, parse

THREADS = 16


@pytest.fixture(autouse=True)
def _hurry() -> Iterator[None]:
    """Let threads interrupt each other far more often than usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def at_once(work: Callable[[int], object]) -> list[object]:
    """Call a function on as many threads at the same moment; return what they return."""
    gate = threading.Barrier(THREADS)

    def begin(number: int) -> object:
        gate.wait(10)
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(begin, range(THREADS)))


COUNT = """
.sum:int:0
.i:int:0
while
   lt
      get-value:x:@.i
      .:int:30
   .lambda
      math.increment:x:@.i
      math.add
         get-value:x:@.sum
         get-value:x:@.arguments/*/n
      set-value:x:@.sum
         get-value:x:@math.add
return:x:@.sum
"""


def test_results_are_unmixed() -> None:
    evaluator = Evaluator()

    def work(number: int) -> object:
        return [evaluator.run(COUNT, arguments={"n": number}).value for _ in range(5)]

    assert at_once(work) == [[30 * number] * 5 for number in range(THREADS)]


def test_scopes_results_and_whitelists_are_of_one_program() -> None:
    evaluator = Evaluator()
    meeting = threading.Barrier(THREADS)

    @evaluator.slot("with")
    def with_(run: Evaluator, node: Node) -> None:
        with run.scope("mine", node.value):
            run.run_children(node)

    @evaluator.slot("meet")
    def meet(run: Evaluator, node: Node) -> None:
        meeting.wait(10)
        node.value = run.peek("mine")

    def work(number: int) -> object:
        if number % 2:
            return evaluator.run(
                f"with:{number}\n   meet\n   eval\n      return:x:../0/0"
            ).value
        return evaluator.run(
            f"with:{number}\n   whitelist\n      vocabulary\n         meet\n"
            "         return\n      .lambda\n         meet\n         return:x:-\n"
            "   return:x:-"
        ).value

    assert at_once(work) == [str(number) for number in range(THREADS)]


def test_limits_are_of_one_program() -> None:
    evaluator = Evaluator(limits=Limits(max_steps=200))

    def work(number: int) -> object:
        if number % 2:
            return evaluator.run("eval\n" * 199 + "return:ok").value
        with pytest.raises(LimitError):
            evaluator.run("eval\n" * 201)
        return "ended"

    assert at_once(work) == ["ended", "ok"] * (THREADS // 2)


def test_parsing_and_expressions_are_shared_safely() -> None:
    evaluator = Evaluator()

    def work(number: int) -> object:
        found = []
        for turn in range(100):
            name = f".n{number}-{turn}"
            found.append(evaluator.run(f"{name}:{turn}\nreturn-value:x:@{name}").value)
        return found

    assert at_once(work) == [[str(turn) for turn in range(100)]] * THREADS


def test_a_tree_of_one_text_may_be_cloned_and_run_by_all() -> None:
    evaluator = Evaluator()
    program = parse(COUNT)

    def work(number: int) -> object:
        copy = program.clone()
        copy.insert(0, Node(".arguments", None, [Node("n", number)]))
        return evaluator.evaluate(copy).value

    assert at_once(work) == [30 * number for number in range(THREADS)]


def test_dynamic_slots_are_made_and_called_by_all() -> None:
    evaluator = Evaluator()

    def work(number: int) -> object:
        found = []
        for turn in range(50):
            evaluator.run(f"slots.create:s{number}-{turn}\n   return:{number}")
            found.append(evaluator.run(f"signal:s{number}-{turn}\nreturn:x:-").value)
        return set(found)

    assert at_once(work) == [{str(number)} for number in range(THREADS)]


def test_names_are_suggested_while_others_are_made() -> None:
    evaluator = Evaluator()
    for number in range(2000):
        evaluator.dynamic_slots[f"slot-{number}"] = Node()
    done = threading.Event()

    def make() -> None:
        number = 0
        while not done.is_set():
            evaluator.run(f"slots.create:made-{number}\n   .x")
            number += 1

    def ask() -> object:
        kinds = set()
        for _ in range(15):
            with pytest.raises(UnknownSlotError) as caught:
                evaluator.run("signal:slot-x")
            kinds.add(type(caught.value))
        return kinds

    maker = threading.Thread(target=make)
    maker.start()
    try:
        assert ask() == {UnknownSlotError}
    finally:
        done.set()
        maker.join()


def test_slots_may_be_registered_while_programs_run() -> None:
    evaluator = Evaluator()

    def work(number: int) -> object:
        for turn in range(30):
            evaluator.register(
                f"r{number}-{turn}", lambda run, node: setattr(node, "value", 1)
            )
            with pytest.raises(UnknownSlotError):
                evaluator.run("r-nosuch")
        return evaluator.run(f"r{number}-29\nreturn:x:-").value

    assert at_once(work) == [1] * THREADS


def test_coroutine_slots_run_on_loops_of_their_own() -> None:
    evaluator = Evaluator()

    @evaluator.slot("later")
    async def later(run: Evaluator, node: Node) -> None:
        await asyncio.sleep(0)
        node.value = run.peek("none") or "later"

    def work(number: int) -> object:
        return evaluator.run("later\nreturn:x:-").value

    assert at_once(work) == ["later"] * THREADS


def test_evaluators_are_made_by_all() -> None:
    assert (
        at_once(lambda number: Evaluator().run("return:ok").value) == ["ok"] * THREADS
    )


def test_stopping_ends_one_program_from_another_thread() -> None:
    evaluator = Evaluator(limits=Limits(max_while_iterations=None))
    runs: list[Evaluator] = []
    started = threading.Event()

    @evaluator.slot("started")
    def start(run: Evaluator, node: Node) -> None:
        runs.append(run)
        started.set()

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(
            evaluator.run, "started\nwhile:bool:true\n   eval\n      .x"
        )
        assert started.wait(10)
        runs[0].stopped = True
        with pytest.raises(LimitError, match="stopped"):
            future.result(10)
    assert evaluator.run("return:ok").value == "ok"
