"""
Publishing from programs: how soon everybody has a message, and how many there can be.

Programs are evaluated in a thread beside the event loop, as the server runs them.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import chain
from time import perf_counter

from hyperlambda import Evaluator, Limits, Node, parse
from hyperlambda.server import SocketServer
from hyperlambda.server.loops import SWITCH_INTERVAL

from .contests import FRAME, NAME, open_plain
from .crowd import Crowd, crowd
from .loops import LOOPS, run_on
from .machine import REFERENCE_YARDSTICK, yardstick
from .measuring import Plot, Result, Row
from .subscribers import raise_file_limit

__all__ = ["Sizes", "measure"]

_KESTREL = {"p50": 0.0065, "p99": 0.0108}
"""Seconds that SignalR on Kestrel takes for 1,000 receivers, where the yardstick is that
of the reference; measured once, beside the yardstick."""

_SIGNALS_AIM = 50_000
"""Messages a second of one program, where the yardstick is that of the reference."""

_LAGS = ((99, 0.010), (100, 0.050))
"""By how many seconds the event loop may be late meanwhile: percentiles."""

_SIGNAL = f"""\
socket.signal:{NAME}
   args
      message:Hello from backend
"""

_BUSY = (
    ".items\n" + "   .\n" * 1_000 + "for-each:x:@.items/*\n   strings.concat\n"
    "      .:some text\n      .:and more\n"
)


@dataclass(frozen=True, slots=True)
class Sizes:
    """
    How much is measured.

    Attributes:
        receivers: How many subscribers must have a message.
        samples: How often this is timed.
        signals: How many messages one program publishes.
        rounds: How often it does so.
        loops: On which event loops.
    """

    receivers: int
    samples: int
    signals: int
    rounds: int
    loops: Sequence[str] = tuple(LOOPS)


def measure(sizes: Sizes) -> Result:
    """Measure latency and throughput of publishing programs, as `serve` has them."""
    raise_file_limit()
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL)
    try:
        return _measure(sizes)
    finally:
        sys.setswitchinterval(before)


def _measure(sizes: Sizes) -> Result:
    rows: list[Row] = []
    lines: dict[str, list[tuple[float, float]]] = {}
    for loop in sizes.loops:
        for load in ("idle", "busy"):
            fastest, _ = yardstick(3)
            found = run_on(loop, _latencies(sizes, load == "busy"))
            fastest = min(fastest, yardstick(3)[0])
            rows += _latency_rows(f"{load}, {loop}", found, fastest, sizes)
            lines[f"{load}, {loop}"] = _percentiles(found)
    for loop in sizes.loops:
        rows += run_on(loop, _signals(loop, sizes))
    plot = Plot(
        "bench-latency",
        f"From socket.signal to the last of {sizes.receivers:,} subscribers",
        "percentile",
        "ms",
        lines,
    )
    return Result(rows, [plot], ["websockets", "uvloop"])


async def _latencies(sizes: Sizes, is_busy: bool) -> list[float]:
    async with _stage(sizes.receivers) as (evaluator, crowd_of_it):
        stop = threading.Event()
        thread = threading.Thread(target=_work, args=(evaluator, stop))
        if is_busy:
            thread.start()
        found = []
        try:
            for _ in range(sizes.samples):
                program = parse(_SIGNAL)
                crowd_of_it.expect(sizes.receivers * len(FRAME))
                await asyncio.sleep(0.002)
                start = await asyncio.to_thread(_evaluate, evaluator, program)
                await crowd_of_it.arrived()
                found.append(perf_counter() - start)
        finally:
            stop.set()
            if is_busy:
                thread.join()
        return sorted(found)


def _evaluate(evaluator: Evaluator, program: Node) -> float:
    start = perf_counter()
    evaluator.evaluate(program)
    return start


def _work(evaluator: Evaluator, stop: threading.Event) -> None:
    program = parse(_BUSY)
    while not stop.is_set():
        evaluator.evaluate(program)


@asynccontextmanager
async def _stage(receivers: int) -> AsyncIterator[tuple[Evaluator, Crowd]]:
    async with (
        SocketServer(port=0, ping_interval=None, max_connections=None) as server,
        crowd() as subscribers,
    ):
        await open_plain(subscribers, server.port, receivers)
        limits = Limits(max_while_iterations=None)
        yield Evaluator(hub=server.hub, limits=limits), subscribers


def _at(found: Sequence[float], percent: float) -> float:
    return found[min(len(found) - 1, int(len(found) * percent / 100))]


def _percentiles(found: Sequence[float]) -> list[tuple[float, float]]:
    return [(percent, _at(found, percent) * 1000) for percent in range(0, 100, 3)]


def _latency_rows(
    how: str, found: Sequence[float], fastest: float, sizes: Sizes
) -> list[Row]:
    rows = []
    for percentile, theirs in _KESTREL.items():
        ours = _at(found, float(percentile[1:]))
        scaled = theirs * fastest / REFERENCE_YARDSTICK
        rows.append(
            Row(
                f"socket.signal to the last of {sizes.receivers:,} subscribers",
                f"{percentile}, {how}",
                "SignalR on Kestrel, 1,000 receivers, idle, scaled",
                [scaled / ours],
                # Busy, it was not measured.
                aim=1 if how.startswith("idle") else None,
                note=f"{ours * 1000:.1f} ms, {scaled * 1000:.1f} ms there",
                least=0.05,
            )
        )
    return rows


async def _signals(loop: str, sizes: Sizes) -> list[Row]:
    items = "   .\n" * sizes.signals
    body = "".join(f"   {line}\n" for line in _SIGNAL.splitlines())
    text = f".items\n{items}for-each:x:@.items/*\n{body}"
    rates: list[float] = []
    lags: list[list[float]] = []
    async with _stage(1) as (evaluator, subscriber):
        fastest, _ = yardstick(3)
        async with _watch() as idle:
            await asyncio.sleep(0.2)
        for _ in range(sizes.rounds):
            program = parse(text)
            subscriber.expect(len(FRAME) * sizes.signals)
            async with _watch() as seen:
                start = await asyncio.to_thread(_evaluate, evaluator, program)
                await subscriber.arrived()
                rates.append(sizes.signals / (perf_counter() - start))
            lags.append(seen)
            fastest = min(fastest, yardstick(1)[0])
    aim = _SIGNALS_AIM * REFERENCE_YARDSTICK / fastest
    part = "socket.signal in a loop, one subscriber"
    return [
        Row(
            part,
            f"all of {sizes.signals:,} have arrived, {loop}",
            f"{_SIGNALS_AIM:,} a second, scaled",
            [rate / aim for rate in rates],
            aim=1,
            note=f"{sorted(rates)[len(rates) // 2]:,.0f} a second",
            least=0.2,
        ),
        *(_lag_row(part, percent, most, loop, lags, idle) for percent, most in _LAGS),
    ]


def _lag_row(
    part: str,
    percent: int,
    most: float,
    loop: str,
    lags: Sequence[Sequence[float]],
    idle: Sequence[float],
) -> Row:
    everything = sorted(chain(*lags))
    usual, worst, nothing = (
        _at(found, p) * 1000
        for found, p in (
            (everything, 50),
            (everything, percent),
            (sorted(idle), percent),
        )
    )
    what = "at worst" if percent == 100 else f"p{percent}"
    return Row(
        part,
        f"the event loop is late, {what}, {loop}",
        f"{most * 1000:.0f} ms",
        # A timer that comes too early by less than the clock's grain is in time.
        [most / max(_at(sorted(found), percent), 1e-5) for found in lags],
        aim=1,
        note=f"{worst:.1f} ms in all rounds, p50 {usual:.1f} ms; {nothing:.1f} ms while "
        "nothing runs",
    )


@asynccontextmanager
async def _watch() -> AsyncIterator[list[float]]:
    """Note by how much the event loop is late, about each millisecond."""
    lags: list[float] = []

    async def watch() -> None:
        while True:
            start = perf_counter()
            await asyncio.sleep(0.001)
            lags.append(perf_counter() - start - 0.001)

    task = asyncio.create_task(watch())
    try:
        yield lags
        # It has seen something, however quick the rest was.
        seen = len(lags)
        while len(lags) == seen:
            await asyncio.sleep(0.001)
    finally:
        task.cancel()
