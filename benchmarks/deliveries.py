"""
Deliveries to subscribers in another process.

Beside our server stand `websockets.broadcast`, and a bare loop that writes one prepared
frame to every transport: about the least that Python over asyncio can do. All are open
at once in this process and take turns; the receivers are those of subscribers.py.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, broadcast, serve

from hyperlambda.server import SocketServer
from hyperlambda.server.frames import text_frame
from hyperlambda.server.hub import SocketHub
from hyperlambda.sockets import Message

from .measuring import Result, Row, Times, median_rate, ratios

__all__ = ["measure"]

_NAME = "foo.bar"
_ARGUMENT = '{"message":"Hello from backend"}'
_TEXT = f'{{"type":"message","name":"{_NAME}","args":{_ARGUMENT}}}'
_FRAME = text_frame(_TEXT.encode())
_SUBSCRIBE = json.dumps({"type": "subscribe", "names": [_NAME]})

_BROADCAST = "websockets.broadcast"

Publish = Callable[[int], Awaitable[None]]
"""Publishes so many messages back to back."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """Seconds on the clock, and seconds of processor time of this process."""

    elapsed: Times
    processor: Times


class Subscribers:
    """The other process, and what it is told (see subscribers.py)."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._commands = process.stdin
        self._answers = process.stdout

    async def ask(self, command: str, group: str, **fields: object) -> Any:
        """Send a command and return its answer."""
        self.tell(command, group, **fields)
        line = await self._answers.readline()
        if not line:
            raise SystemExit("the process of the subscribers has ended")
        return json.loads(line)

    def tell(self, command: str, group: str, **fields: object) -> None:
        """Send a command."""
        text = json.dumps({"command": command, "group": group, **fields})
        self._commands.write(f"{text}\n".encode())

    async def arrived(self) -> None:
        """Return when what is counted has arrived once more."""
        if not await self._answers.read(1):
            raise SystemExit("the process of the subscribers has ended")

    async def end(self) -> None:
        """Let the process end."""
        self._commands.close()
        await self._process.wait()


@asynccontextmanager
async def _subscribers() -> AsyncIterator[Subscribers]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.subscribers",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[1],
    )
    subscribers = Subscribers(process)
    try:
        yield subscribers
    finally:
        await subscribers.end()


def measure(
    receivers: int, messages: int, rounds: int, burst: int, burst_rounds: int
) -> Result:
    """
    Measure deliveries.

    Args:
        receivers: How many subscribers each server has.
        messages: How many are sent one at a time: the next one when the last one has
            arrived at all of them.
        rounds: How often everybody has a turn with these.
        burst: How many are published back to back.
        burst_rounds: How often everybody has a turn with one burst.
    """
    return asyncio.run(_measure(receivers, messages, rounds, burst, burst_rounds))


async def _measure(
    receivers: int, messages: int, rounds: int, burst: int, burst_rounds: int
) -> Result:
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(SocketServer(port=0, ping_interval=None))
        theirs = await stack.enter_async_context(_their_server())
        pool = stack.enter_context(ThreadPoolExecutor(1))
        # Last, to leave first: the servers need not wait for anybody then.
        subscribers = await stack.enter_async_context(_subscribers())
        await _open(subscribers, "ours", ours.port, "/ws", receivers, _SUBSCRIBE)
        await _open(
            subscribers, "theirs", theirs.sockets[0].getsockname()[1], "/", receivers
        )
        # The last ones are answered before the server has noted that they are open.
        while len(theirs.connections) < receivers:
            await asyncio.sleep(0)
        contestants = _contestants(ours.hub, list(theirs.connections), pool)
        await _check(contestants, subscribers)
        alone = await _take_turns(
            contestants, subscribers, receivers, messages, 1, rounds
        )
        at_once = await _take_turns(
            contestants, subscribers, receivers, 1, burst, burst_rounds
        )
    title = f"deliver to {receivers:,} subscribers"
    rows = [
        *_rows(title, "one at a time", alone.elapsed, receivers * messages, aim=1.2),
        Row(
            title,
            "processor time, one at a time",
            _BROADCAST,
            ratios(alone.processor, "ours", "broadcast"),
            note="of the server's process only",
        ),
        *_rows(title, f"{burst} at once", at_once.elapsed, receivers * burst, aim=4),
    ]
    return Result(rows, peers=["websockets"])


@asynccontextmanager
async def _their_server() -> AsyncIterator[Server]:
    async with serve(
        lambda connection: connection.wait_closed(),
        "127.0.0.1",
        0,
        compression=None,
        ping_interval=None,
        backlog=1024,
    ) as server:
        yield server


async def _open(
    subscribers: Subscribers,
    group: str,
    port: int,
    path: str,
    count: int,
    text: str | None = None,
) -> None:
    await subscribers.ask("open", group, port=port, path=path, count=count, text=text)


def _contestants(
    hub: SocketHub, connections: list[ServerConnection], pool: ThreadPoolExecutor
) -> Mapping[str, Publish]:
    loop = asyncio.get_running_loop()
    transports = [connection.transport for connection in connections]
    message = Message(_NAME, _ARGUMENT)

    def publish_all(count: int) -> None:
        for _ in range(count):
            hub.publish(message)

    async def ours(count: int) -> None:
        publish_all(count)

    async def ours_thread(count: int) -> None:
        await loop.run_in_executor(pool, publish_all, count)

    async def theirs_broadcast(count: int) -> None:
        for _ in range(count):
            broadcast(connections, _TEXT)

    async def theirs_bare(count: int) -> None:
        for _ in range(count):
            for transport in transports:
                transport.write(_FRAME)

    # Our connections and theirs alternate. Whoever follows on the same ones finds them
    # in the caches, and was measured to be up to 40 % faster for that alone.
    return {
        "ours": ours,
        "broadcast": theirs_broadcast,
        "ours from a thread": ours_thread,
        "bare": theirs_bare,
    }


def _group(contestant: str) -> str:
    return "ours" if contestant.startswith("ours") else "theirs"


async def _check(contestants: Mapping[str, Publish], subscribers: Subscribers) -> None:
    """Let everybody send one message, which must arrive as the very same bytes."""
    for name, publish in contestants.items():
        await publish(1)
        arrived = await subscribers.ask("check", _group(name), size=len(_FRAME))
        if arrived != [_FRAME.hex()]:
            raise SystemExit(f"'{name}' has sent something else: {arrived}")


async def _take_turns(
    contestants: Mapping[str, Publish],
    subscribers: Subscribers,
    receivers: int,
    times: int,
    batch: int,
    rounds: int,
) -> _Taken:
    """
    Time `times` batches of each contestant, round after round.

    One message before them is not timed, so that nobody starts with cold connections.
    """
    taken = _Taken(
        {name: [] for name in contestants}, {name: [] for name in contestants}
    )
    size = receivers * batch * len(_FRAME)
    for _ in range(rounds):
        for name, publish in contestants.items():
            gc.collect()
            single = receivers * len(_FRAME)
            subscribers.tell("count", _group(name), size=single, times=1)
            await publish(1)
            await subscribers.arrived()
            subscribers.tell("count", _group(name), size=size, times=times)
            start, processor_start = perf_counter(), process_time()
            for _ in range(times):
                await publish(batch)
                await subscribers.arrived()
            taken.elapsed[name].append(perf_counter() - start)
            taken.processor[name].append(process_time() - processor_start)
    return taken


def _rows(
    title: str, what: str, times: Times, deliveries: int, aim: float
) -> list[Row]:
    rows = []
    for ours, suffix in (("ours", ""), ("ours from a thread", ", from a thread")):
        rate = median_rate(times[ours], deliveries)
        for theirs, beside, wanted in (
            ("broadcast", _BROADCAST, aim),
            ("bare", "bare loop of transport.write", None),
        ):
            there = median_rate(times[theirs], deliveries)
            rows.append(
                Row(
                    title,
                    what + suffix,
                    beside,
                    ratios(times, ours, theirs),
                    aim=wanted,
                    note=f"{rate:,} a second, {there:,} there",
                )
            )
    return rows
