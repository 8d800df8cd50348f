"""Forks and semaphores: what tables cannot show (spec 02 §3.11, §7)."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from queue import SimpleQueue

import pytest
from hyperlambda.slots import threading as slots

from hyperlambda import ArgumentError, Evaluator, LimitError, Limits, Node, parse
from hyperlambda.budget import MAX_FORKS

PATIENCE = 30  # seconds after which something hangs


class Meeting:
    """
    Slots by which a program tells the test how far it is, and waits for it.

    Attributes:
        evaluator: Knows [arrive] and [wait].
        arrived: Released once for each [arrive].
        go: Lets [wait] go on.
        threads: The threads that arrived.
    """

    def __init__(self, **options: Limits) -> None:
        self.evaluator = Evaluator(**options)
        self.arrived = threading.Semaphore(0)
        self.go = threading.Event()
        self.threads: list[threading.Thread] = []
        self.evaluator.register("arrive", self.arrive)
        self.evaluator.register("wait", self.wait)

    def arrive(self, evaluator: Evaluator, node: Node) -> None:
        self.threads.append(threading.current_thread())
        self.arrived.release()

    def wait(self, evaluator: Evaluator, node: Node) -> None:
        assert self.go.wait(PATIENCE)

    def expect(self, count: int = 1) -> None:
        for _ in range(count):
            assert self.arrived.acquire(timeout=PATIENCE)


@pytest.fixture
def meeting() -> Iterator[Meeting]:
    """A meeting whose threads are gone afterwards."""
    made = Meeting()
    yield made
    made.go.set()
    for thread in made.threads:
        if thread is not threading.current_thread():
            thread.join(PATIENCE)
            assert not thread.is_alive()


def forks(count: int, code: str) -> str:
    """Return [join] with that many forks of one statement."""
    return "join\n" + f"   fork\n      {code}\n" * count


# [fork]


def test_a_fork_does_not_hold_up_its_program(meeting: Meeting) -> None:
    meeting.evaluator.run("fork\n   wait\n   arrive")
    meeting.go.set()
    meeting.expect()
    assert meeting.threads[0].daemon


def test_a_fork_outlives_its_program_and_changes_what_is_shared(
    meeting: Meeting,
) -> None:
    meeting.evaluator.run("fork\n   wait\n   slots.create:made\n   arrive")
    assert "made" not in meeting.evaluator.dynamic_slots
    meeting.go.set()
    meeting.expect()
    assert "made" in meeting.evaluator.dynamic_slots


def test_a_fork_is_copied_before_it_starts(meeting: Meeting) -> None:
    """What the program does to the node afterwards does not matter (Q36)."""
    root = parse("fork\n   wait\n   slots.create:before\n   arrive")
    meeting.evaluator.evaluate(root)
    root.children[0].children[1].value = "after"
    meeting.go.set()
    meeting.expect()
    assert list(meeting.evaluator.dynamic_slots) == ["before"]


@pytest.mark.parametrize("code", ["throw:oops", "return:1", "nosuch"])
def test_a_fork_that_fails_is_logged(
    code: str, meeting: Meeting, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "hyperlambda"):
        meeting.evaluator.run(f"fork\n   arrive\n   {code}")
        meeting.expect()
        meeting.threads[0].join(PATIENCE)
    [record] = caplog.records
    assert record.name == "hyperlambda"
    assert record.getMessage().startswith("a fork failed: <text>:3:4: ")


def test_a_fork_does_not_escape_the_whitelist(
    meeting: Meeting, caplog: pytest.LogCaptureFixture
) -> None:
    meeting.evaluator.run(
        "whitelist\n"
        "   vocabulary\n      fork\n      arrive\n"
        "   .lambda\n      fork\n         arrive\n         slots.create:made\n"
    )
    meeting.expect()
    meeting.threads[0].join(PATIENCE)
    assert "'slots.create' is not allowed here" in caplog.text
    assert not meeting.evaluator.dynamic_slots


def test_a_fork_has_the_ticket_of_its_program(meeting: Meeting) -> None:
    seen: list[object] = []

    def ticket(evaluator: Evaluator, node: Node) -> None:
        held = evaluator.peek(".auth.ticket.get")
        node.value = held.value if held is not None else "ada"

    def look(evaluator: Evaluator, node: Node) -> None:
        seen.append(evaluator.peek(".auth.ticket.get").value)

    if "auth.ticket.get" in meeting.evaluator.registry:
        meeting.evaluator.registry.remove("auth.ticket.get")
    meeting.evaluator.register("auth.ticket.get", ticket)
    meeting.evaluator.register("look", look)
    meeting.evaluator.run("fork\n   look\n   arrive")
    meeting.expect()
    assert seen == ["ada"]


def test_a_fork_needs_no_ticket(meeting: Meeting) -> None:
    if "auth.ticket.get" in meeting.evaluator.registry:
        meeting.evaluator.registry.remove("auth.ticket.get")
    meeting.evaluator.run("fork\n   arrive")
    meeting.expect()


def test_too_many_forks_are_refused(meeting: Meeting) -> None:
    program = "fork\n   arrive\n   wait\n" * (MAX_FORKS + 1)
    with pytest.raises(LimitError, match="more than the 64 forks"):
        meeting.evaluator.run(program)
    meeting.expect(MAX_FORKS)


def test_forks_that_ended_do_not_count(meeting: Meeting) -> None:
    meeting.evaluator.run(forks(MAX_FORKS, "arrive") * 2)
    meeting.expect(2 * MAX_FORKS)


def test_too_many_forks_to_join_are_refused_before_any_runs(meeting: Meeting) -> None:
    with pytest.raises(LimitError):
        meeting.evaluator.run(forks(MAX_FORKS + 1, "arrive"))
    assert not meeting.threads


def test_forks_within_forks_count(meeting: Meeting) -> None:
    with pytest.raises(LimitError, match="64 forks"):
        meeting.evaluator.run(
            "slots.create:s\n   join\n      fork\n         signal:s\nsignal:s"
        )


# [join]


def test_forks_run_at_the_same_time() -> None:
    barrier = threading.Barrier(3)
    evaluator = Evaluator()
    evaluator.register("meet", lambda evaluator, node: barrier.wait(PATIENCE))
    evaluator.run(forks(3, "meet"))


def test_coroutine_slots_may_be_called_from_forks() -> None:
    evaluator = Evaluator()

    @evaluator.slot("soon")
    async def soon(evaluator: Evaluator, node: Node) -> None:
        await asyncio.sleep(0)
        node.value = "done"

    root = parse(forks(2, "soon"))
    evaluator.evaluate(root)
    assert [fork.children[0].value for fork in root.children[0].children] == [
        "done"
    ] * 2


async def test_coroutine_slots_of_forks_run_on_the_loop_of_the_program() -> None:
    evaluator = Evaluator()
    loops = []

    @evaluator.slot("soon")
    async def soon(evaluator: Evaluator, node: Node) -> None:
        loops.append(asyncio.get_running_loop())

    await evaluator.run_async(forks(2, "soon"))
    assert loops == [asyncio.get_running_loop()] * 2


async def test_a_program_that_is_cancelled_takes_its_forks_along() -> None:
    evaluator = Evaluator()
    started = asyncio.Event()
    loop = asyncio.get_running_loop()

    @evaluator.slot("started")
    def tell(evaluator: Evaluator, node: Node) -> None:
        loop.call_soon_threadsafe(started.set)

    task = asyncio.create_task(
        evaluator.run_async(forks(1, "started\n      sleep:int:3600000"))
    )
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task  # which ends when the fork has


# Limits hold for a program and its forks together


def test_steps_are_shared() -> None:
    """Ten forks of a hundred steps do not fit into 500, but into 1100."""
    program = forks(10, "\n      ".join(["get-value:1"] * 100))
    with pytest.raises(LimitError, match="500 steps"):
        Evaluator(limits=Limits(max_steps=500)).run(program)
    Evaluator(limits=Limits(max_steps=1400)).run(program)


def test_steps_that_were_not_used_come_back() -> None:
    program = forks(1, "get-value:1") * 40
    Evaluator(limits=Limits(max_steps=100)).run(program)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(max_steps=1000, max_depth=None), "1000 steps"),
        (Limits(max_depth=50), "50 deep"),
    ],
    ids=["steps", "depth"],
)
def test_forks_cannot_go_on_for_ever(limits: Limits, message: str) -> None:
    """A fork that makes another one, and so on, comes to an end."""
    records: SimpleQueue[logging.LogRecord] = SimpleQueue()
    logger = logging.getLogger("hyperlambda")
    watch = logging.Handler()
    watch.emit = records.put  # type: ignore[method-assign]
    logger.addHandler(watch)
    try:
        Evaluator(limits=limits).run(
            "slots.create:s\n   fork\n      signal:s\nsignal:s"
        )
        assert message in records.get(timeout=PATIENCE).getMessage()
    finally:
        logger.removeHandler(watch)


def test_nodes_are_shared() -> None:
    """Each of the forks has fewer nodes than the program may, but not all together."""
    evaluator = Evaluator(limits=Limits(max_nodes=1500))
    evaluator.run(nested_forks(1))
    with pytest.raises(LimitError, match="more than the 1500 nodes"):
        evaluator.run(nested_forks(4))


def nested_forks(count: int) -> str:
    """Return forks that each make 512 nodes, and keep them while the next one runs."""
    grow = [".d", "   a", *["add:x:@.d", "   get-nodes:x:@.d/*"] * 9]
    lines: list[str] = []
    for _ in range(count):
        lines = ["join", "   fork", *(f"      {line}" for line in [*grow, *lines])]
    return "\n".join(lines)


def test_forks_end_with_the_time_of_the_program() -> None:
    evaluator = Evaluator(limits=Limits(timeout=0.1))
    with pytest.raises(LimitError, match=r"longer than the 0\.1 seconds"):
        evaluator.run(forks(2, "sleep:int:3600000"))


# [semaphore]


def test_one_program_at_a_time_has_a_semaphore(meeting: Meeting) -> None:
    inside = 0
    most = 0

    def enter(evaluator: Evaluator, node: Node) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        meeting.arrived.release()

    def leave(evaluator: Evaluator, node: Node) -> None:
        nonlocal inside
        inside -= 1

    meeting.evaluator.register("enter", enter)
    meeting.evaluator.register("leave", leave)
    code = "semaphore:turns\n         enter\n         sleep:int:1\n         leave"
    meeting.evaluator.run(forks(8, code))
    meeting.expect(8)
    assert most == 1


def test_a_semaphore_is_for_the_whole_process(meeting: Meeting) -> None:
    meeting.evaluator.run("fork\n   semaphore:shared\n      arrive\n      wait")
    meeting.expect()
    other = Evaluator(limits=Limits(timeout=0.05))
    with pytest.raises(LimitError, match=r"longer than the 0\.05 seconds"):
        other.run("semaphore:shared")
    meeting.go.set()
    meeting.threads[0].join(PATIENCE)
    other.run("semaphore:shared")


def test_a_program_within_a_program_cannot_have_its_semaphore() -> None:
    """Both run on one thread, which would wait for itself."""
    evaluator = Evaluator()

    @evaluator.slot("inner")
    def inner(_: Evaluator, node: Node) -> None:
        Evaluator().run("semaphore:same")

    with pytest.raises(ArgumentError, match="holds semaphore 'same' already"):
        evaluator.run("semaphore:same\n   inner")


def test_a_semaphore_that_nobody_uses_is_forgotten() -> None:
    evaluator = Evaluator()
    for number in range(3):
        evaluator.run(f"semaphore:name-{number}\n   get-value:1")
    with pytest.raises(ArgumentError):
        evaluator.run("semaphore:name\n   semaphore:name")
    assert not [name for name in slots._semaphores if name.startswith("name")]
