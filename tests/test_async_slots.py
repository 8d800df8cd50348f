"""Coroutine slots, and programs that run beside an event loop."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from time import monotonic

import pytest

from hyperlambda import Evaluator, HyperlambdaError, LimitError, Limits, Node, parse
from hyperlambda.errors import SlotError, ThrownError

# Longer than any machine needs for what these tests wait for.
PATIENCE = 20


@pytest.fixture
def evaluator() -> Evaluator:
    evaluator = Evaluator()

    @evaluator.slot("later")
    async def later(run: Evaluator, node: Node) -> None:
        await asyncio.sleep(0)
        node.value = "later"

    @evaluator.slot("loop")
    async def loop(run: Evaluator, node: Node) -> None:
        node.value = id(asyncio.get_running_loop())

    @evaluator.slot("thread")
    def thread(run: Evaluator, node: Node) -> None:
        node.value = threading.get_ident()

    @evaluator.slot("wrap")
    async def wrap(run: Evaluator, node: Node) -> None:
        await asyncio.sleep(0)
        run.run_children(node)

    return evaluator


PROGRAM = "later\nreturn:x:-"


# Without a loop


def test_a_coroutine_slot_runs_without_a_loop(evaluator: Evaluator) -> None:
    assert evaluator.run(PROGRAM).value == "later"


def test_all_coroutine_slots_of_a_program_share_a_loop(evaluator: Evaluator) -> None:
    root = parse("loop\nif:bool:true\n   loop\nloop")
    evaluator.evaluate(root)
    first, branch, last = root.children
    assert first.value == branch.children[0].value == last.value


def test_signal_calls_a_coroutine_slot(evaluator: Evaluator) -> None:
    node = Node()
    evaluator.signal("later", node)
    assert node.value == "later"


def test_an_error_of_a_coroutine_slot_is_like_any_other(evaluator: Evaluator) -> None:
    @evaluator.slot("bad")
    async def bad(run: Evaluator, node: Node) -> None:
        await asyncio.sleep(0)
        raise LookupError("gone")

    with pytest.raises(SlotError) as caught:
        evaluator.run("bad")
    assert type(caught.value.__cause__) is LookupError
    program = "try\n   bad\n.catch\n   return:x:@.arguments/*/type"
    assert evaluator.run(program).value == "builtins.LookupError"


def test_a_coroutine_slot_may_run_more_of_the_program(evaluator: Evaluator) -> None:
    assert evaluator.run("wrap\n   later\nreturn:x:../0/0").value == "later"


def test_a_coroutine_slot_cannot_outlast_its_program() -> None:
    evaluator = Evaluator(limits=Limits(timeout=0.1))

    @evaluator.slot("forever")
    async def forever(run: Evaluator, node: Node) -> None:
        await asyncio.Event().wait()

    start = monotonic()
    with pytest.raises(LimitError, match=r"0\.1 seconds"):
        evaluator.run("try\n   forever\n.catch\n   return:caught")
    assert monotonic() - start < PATIENCE


def test_a_timeout_of_the_slot_itself_is_its_own(evaluator: Evaluator) -> None:
    @evaluator.slot("impatient")
    async def impatient(run: Evaluator, node: Node) -> None:
        await asyncio.wait_for(asyncio.Event().wait(), 0.01)

    with pytest.raises(SlotError, match="TimeoutError"):
        evaluator.run("impatient")


# evaluate() within a running loop


async def test_evaluate_within_a_running_loop(evaluator: Evaluator) -> None:
    assert evaluator.run(PROGRAM).value == "later"
    assert (
        evaluator.run("wrap\n   wrap\n      later\nreturn:x:../0/0/0").value == "later"
    )


async def test_errors_within_a_running_loop(evaluator: Evaluator) -> None:
    with pytest.raises(ThrownError):
        evaluator.run("wrap\n   throw:x")
    assert evaluator.run(PROGRAM).value == "later"


# run_async


async def test_run_async_does_what_run_does(evaluator: Evaluator) -> None:
    result = await evaluator.run_async(
        "return:x:@.arguments/*/a", arguments={"a": "given"}, file="f.hl"
    )
    assert result.value == "given"
    assert (await evaluator.run_async(PROGRAM.encode())).value == "later"
    with pytest.raises(HyperlambdaError, match=r"^f\.hl:2:1: "):
        await evaluator.run_async("\nnosuch", file="f.hl")
    with pytest.raises(HyperlambdaError, match=r"^<text>:1:2: "):
        await evaluator.run_async(" a")


async def test_run_async_does_not_block_the_loop(evaluator: Evaluator) -> None:
    turn = threading.Event()

    @evaluator.slot("wait")
    def wait(run: Evaluator, node: Node) -> None:
        node.value = turn.wait(PATIENCE)

    task = asyncio.create_task(evaluator.run_async("wait\nreturn:x:-"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not task.done()
    turn.set()  # only a loop that still turns comes here
    assert (await asyncio.wait_for(task, PATIENCE)).value is True


async def test_slots_run_off_the_thread_of_the_loop(evaluator: Evaluator) -> None:
    result = await evaluator.run_async("thread\nreturn:x:-")
    assert result.value != threading.get_ident()


async def test_coroutine_slots_run_on_the_loop_of_the_caller(
    evaluator: Evaluator,
) -> None:
    result = await evaluator.run_async("loop\nreturn:x:-")
    assert result.value == id(asyncio.get_running_loop())


async def test_coroutine_slots_share_what_lives_on_the_loop(
    evaluator: Evaluator,
) -> None:
    queue: asyncio.Queue[str] = asyncio.Queue()

    @evaluator.slot("take")
    async def take(run: Evaluator, node: Node) -> None:
        node.value = await queue.get()

    task = asyncio.create_task(evaluator.run_async("take\nreturn:x:-"))
    await asyncio.sleep(0)
    await queue.put("given")
    assert (await asyncio.wait_for(task, PATIENCE)).value == "given"


# What could block a loop for ever runs in a process of its own, which can be ended.

PRELUDE = """
import asyncio
from hyperlambda import Evaluator
evaluator = Evaluator()

@evaluator.slot("wrap")
async def wrap(run, node):
    await asyncio.sleep(0)
    run.run_children(node)

@evaluator.slot("later")
async def later(run, node):
    await asyncio.sleep(0)
    node.value = "later"

@evaluator.slot("inner")
async def inner(run, node):
    node.value = (await evaluator.run_async("return:inner")).value
"""


def printed(script: str) -> str:
    """Return what a script prints; it must end by itself."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + script],
        capture_output=True,
        text=True,
        timeout=5,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_coroutine_slot_may_run_code_that_calls_another() -> None:
    # The inner one cannot wait for the loop of the caller, on which the outer one runs.
    script = """
async def main():
    result = await evaluator.run_async("wrap\\n   later\\nreturn:x:../0/0")
    print(result.value)
asyncio.run(main())
"""
    assert printed(script) == "later"


def test_more_programs_than_threads_may_start_programs_of_their_own() -> None:
    script = """
async def main():
    program = "inner\\nreturn:x:-"
    results = await asyncio.gather(*(evaluator.run_async(program) for _ in range(64)))
    print({result.value for result in results})
asyncio.run(main())
"""
    assert printed(script) == "{'inner'}"


async def test_many_programs_run_at_once_unmixed(evaluator: Evaluator) -> None:
    program = "later\n.mine:x:@.arguments/*/n\nget-value:x:@.mine\nreturn:x:-"
    results = await asyncio.gather(
        *(evaluator.run_async(program, arguments={"n": n}) for n in range(200))
    )
    assert [result.value for result in results] == list(range(200))


# Cancelling


async def cancel(task: asyncio.Task[Node]) -> float:
    """Cancel a task and return how many seconds it took to end."""
    start = monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asyncio.shield(task), PATIENCE)
    return monotonic() - start


@pytest.mark.parametrize(
    "program",
    [
        "started\nwhile:bool:true\n   eval\n      .x",
        "started\nwhile:bool:true\n   try\n      eval\n   .catch\n      eval",
        "started\nsleep:int:3600000",
        "started\ntry\n   sleep:int:3600000\n.catch\n   sleep:int:3600000",
    ],
)
async def test_cancelling_stops_the_program(program: str) -> None:
    evaluator = Evaluator(limits=Limits(max_while_iterations=None))
    started = asyncio.Event()
    seen: list[Evaluator] = []

    @evaluator.slot("started")
    async def start(run: Evaluator, node: Node) -> None:
        seen.append(run)
        started.set()

    task = asyncio.create_task(evaluator.run_async(program))
    await asyncio.wait_for(started.wait(), PATIENCE)
    assert await cancel(task) < 5
    assert seen[0].stopped
    assert evaluator.run("return:ok").value == "ok"


async def test_cancelling_ends_a_waiting_coroutine_slot(evaluator: Evaluator) -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    @evaluator.slot("forever")
    async def forever(run: Evaluator, node: Node) -> None:
        started.set()
        try:
            await asyncio.sleep(8)
        finally:
            ended.set()

    task = asyncio.create_task(evaluator.run_async("forever"))
    await asyncio.wait_for(started.wait(), PATIENCE)
    assert await cancel(task) < 4
    assert ended.is_set()


async def test_a_timeout_around_run_async_stops_the_program() -> None:
    evaluator = Evaluator(limits=Limits(max_while_iterations=None))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(
            evaluator.run_async("while:bool:true\n   eval\n      .x"), 0.1
        )


async def test_limits_hold_for_run_async() -> None:
    evaluator = Evaluator(limits=Limits(timeout=0.1))

    @evaluator.slot("forever")
    async def forever(run: Evaluator, node: Node) -> None:
        await asyncio.Event().wait()

    for program in ("forever", "while:bool:true\n   sleep:int:1"):
        with pytest.raises(LimitError):
            await evaluator.run_async(program)


async def test_a_coroutine_slot_that_is_cancelled_leaves_the_loop_alive(
    evaluator: Evaluator,
) -> None:
    @evaluator.slot("cancelled")
    async def cancelled(run: Evaluator, node: Node) -> None:
        raise asyncio.CancelledError

    with pytest.raises((asyncio.CancelledError, HyperlambdaError)):
        await asyncio.wait_for(evaluator.run_async("cancelled"), PATIENCE)
    assert (await evaluator.run_async(PROGRAM)).value == "later"
