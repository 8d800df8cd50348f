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
    lags: list[float] = []
    async with _stage(1) as (evaluator, subscriber):
        fastest, _ = yardstick(3)
        for _ in range(sizes.rounds):
            program = parse(text)
            subscriber.expect(len(FRAME) * sizes.signals)
            watch = asyncio.create_task(_watch(lags))
            start = await asyncio.to_thread(_evaluate, evaluator, program)
            await subscriber.arrived()
            rates.append(sizes.signals / (perf_counter() - start))
            # It has seen something, however quick the program was.
            await asyncio.sleep(0.002)
            watch.cancel()
            fastest = min(fastest, yardstick(1)[0])
    aim = _SIGNALS_AIM * REFERENCE_YARDSTICK / fastest
    lags.sort()
    lag = ", ".join(f"p{p} {_at(lags, p) * 1000:.1f}" for p in (50, 99, 100))
    return [
        Row(
            "socket.signal in a loop, one subscriber",
            f"all of {sizes.signals:,} have arrived, {loop}",
            f"{_SIGNALS_AIM:,} a second, scaled",
            [rate / aim for rate in rates],
            aim=1,
            note=f"{sorted(rates)[len(rates) // 2]:,.0f} a second; the event loop is "
            f"late by {lag} ms",
            least=0.2,
        )
    ]


async def _watch(lags: list[float]) -> None:
    """Note by how much the event loop is late, about each millisecond."""
    while True:
        start = perf_counter()
        await asyncio.sleep(0.001)
        lags.append(perf_counter() - start - 0.001)
