"""
Deliveries to subscribers in another process.

Beside our server stand:

- a bare loop that writes one prepared frame to every transport, about the least that
  Python over asyncio can do. It has our own connections, so that both walk the same
  memory;
- a server of picows, whose protocol and transports are compiled; it sends to each of its
  connections in a bare loop too, in a process of its own;
- `websockets.broadcast`.

All are open at once and take turns. The receivers are those of subscribers.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from websockets.asyncio.server import Server, broadcast, serve

from hyperlambda.server import SocketServer
from hyperlambda.server.hub import SocketHub

from .contests import (
    FRAME,
    HANDSHAKE,
    HANDSHAKEN,
    MESSAGE,
    TEXT,
    Contestant,
    Taken,
    check,
    open_plain,
    plain_size,
    signalr_size,
    take_turns_to_send,
)
from .crowd import crowd, peer
from .loops import LOOPS, run_on
from .machine import REFERENCE_YARDSTICK, yardstick
from .measuring import Plot, Result, Row, Times, median_rate, ratios
from .subscribers import raise_file_limit

__all__ = ["Sizes", "measure"]

_BARE = "bare loop of transport.write"
_BROADCAST = "websockets.broadcast"

_BURST_AIM = 5_000_000
"""Deliveries a second of bursts, where the yardstick is that of the reference."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """
    How much is measured.

    Attributes:
        fan: Subscribers of the large crowd; fewer if the system has no files for them.
        receivers: Subscribers of each server otherwise.
        messages: How many are sent one at a time in a round.
        rounds: How often everybody has a turn.
        burst: How many messages are published back to back.
        loops: On which event loops.
    """

    fan: int
    receivers: int
    messages: int
    rounds: int
    burst: int
    loops: Sequence[str] = tuple(LOOPS)


def measure(sizes: Sizes) -> Result:
    """Measure deliveries, on each loop."""
    room = raise_file_limit()
    fan = min(sizes.fan, room)
    rows: list[Row] = []
    bars: dict[str, list[tuple[str, float]]] = {}
    for loop in sizes.loops:
        found = run_on(loop, _measure_fan(loop, fan, sizes.rounds))
        rows += found.rows
        bars[loop] = found.bars
    for loop in sizes.loops:
        rows += run_on(loop, _measure_crowds(loop, sizes))
    plot = Plot(
        "bench-deliver",
        f"One message to {fan:,} subscribers",
        "",
        "µs for each subscriber (median of the rounds)",
        bars,
    )
    return Result(rows, [plot], ["websockets", "picows", "uvloop"])


@dataclass(frozen=True, slots=True)
class _Fan:
    rows: list[Row]
    bars: list[tuple[str, float]]


async def _measure_fan(loop: str, count: int, rounds: int) -> _Fan:
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(
            SocketServer(port=0, ping_interval=None, max_connections=None)
        )
        theirs = await stack.enter_async_context(peer(loop))
        # Last, to leave first: the servers need not wait for anybody then.
        to_ours = await stack.enter_async_context(crowd())
        to_theirs = await stack.enter_async_context(crowd())
        await open_plain(to_ours, ours, count)
        await to_theirs.open(await theirs.start(TEXT), "/", count)
        await theirs.ready(count)

        async def picows(messages: int) -> None:
            for _ in range(messages):
                await theirs.publish()

        contestants = {
            "ours": Contestant(_publisher(ours.hub), to_ours, plain_size),
            "picows": Contestant(picows, to_theirs, plain_size, theirs),
            "bare": Contestant(_bare(ours), to_ours, plain_size),
            # Between two that have the same connections stands another one.
            "picows again": Contestant(picows, to_theirs, plain_size, theirs),
        }
        await check(contestants)
        taken = await take_turns_to_send(contestants, count, 2, 1, rounds)
    title = f"one message to {count:,} subscribers, {loop}"
    times = taken.elapsed
    rate = median_rate(times["ours"], count * 2)
    rows = []
    for name, beside, aim in (("bare", _BARE, 0.95), ("picows", "picows", 1)):
        there = median_rate(times[name], count * 2)
        rows += [
            Row(
                title,
                "until the last has it",
                beside,
                ratios(times, "ours", name),
                aim=aim,
                note=f"{rate:,} a second, {there:,} there",
                least=0.4,
            ),
            Row(
                title,
                "processor time of the server",
                beside,
                ratios(taken.processor, "ours", name),
                aim=aim,
            ),
        ]
    each = [
        (name, sorted(times[name])[rounds // 2] / count / 2 * 1e6)
        for name in ("ours", "bare", "picows")
    ]
    return _Fan(rows, each)


async def _measure_crowds(loop: str, sizes: Sizes) -> list[Row]:
    receivers = sizes.receivers
    async with AsyncExitStack() as stack:
        plain = await stack.enter_async_context(
            SocketServer(port=0, ping_interval=None)
        )
        signalr = await stack.enter_async_context(
            SocketServer(port=0, ping_interval=None)
        )
        theirs = await stack.enter_async_context(_their_server())
        picows = await stack.enter_async_context(peer(loop))
        pool = stack.enter_context(ThreadPoolExecutor(1))
        crowds = [await stack.enter_async_context(crowd()) for _ in range(4)]
        await open_plain(crowds[0], plain, receivers)
        await crowds[1].open(signalr.port, "/sockets", receivers, HANDSHAKE, HANDSHAKEN)
        await crowds[2].open(theirs.sockets[0].getsockname()[1], "/", receivers)
        await crowds[3].open(await picows.start(TEXT), "/", receivers)
        await picows.ready(receivers)
        # The last ones are answered before the server has noted that they are open.
        while len(theirs.connections) < receivers:
            await asyncio.sleep(0)
        connections = list(theirs.connections)
        publish = _publisher(plain.hub)

        async def from_thread(count: int) -> None:
            await asyncio.get_running_loop().run_in_executor(
                pool, _publish, plain.hub, count
            )

        async def their_broadcast(count: int) -> None:
            for _ in range(count):
                broadcast(connections, TEXT)

        async def their_picows(count: int) -> None:
            for _ in range(count):
                await picows.publish()

        contestants = {
            "ours": Contestant(publish, crowds[0], plain_size),
            "broadcast": Contestant(their_broadcast, crowds[2], plain_size),
            "from a thread": Contestant(from_thread, crowds[0], plain_size),
            "signalr": Contestant(_publisher(signalr.hub), crowds[1], signalr_size),
            "bare": Contestant(_bare(plain), crowds[0], plain_size),
            "picows": Contestant(their_picows, crowds[3], plain_size, picows),
        }
        await check(contestants)
        alone = await take_turns_to_send(
            contestants, receivers, sizes.messages, 1, sizes.rounds
        )
        bursting = {
            name: each for name, each in contestants.items() if each.peer is None
        }
        bursting["joined"] = Contestant(_joining(plain), crowds[0], plain_size)
        fastest, _ = yardstick()
        at_once = await take_turns_to_send(
            bursting, receivers, 1, sizes.burst, sizes.rounds
        )
    return [
        *_rows_of_one(f"{receivers:,} subscribers, {loop}", alone, sizes),
        *_rows_of_bursts(
            f"{receivers:,} subscribers, {loop}", at_once.elapsed, sizes, fastest
        ),
    ]


def _rows_of_one(title: str, taken: Taken, sizes: Sizes) -> list[Row]:
    times, amount = taken.elapsed, sizes.receivers * sizes.messages
    rows = [
        Row(
            f"one message at a time to {title}",
            what,
            beside,
            ratios(times, own, other),
            aim=aim,
            note=f"{median_rate(times[own], amount):,} a second, "
            f"{median_rate(times[other], amount):,} there",
            least=least,
        )
        for own, what, other, beside, aim, least in (
            ("ours", "ours", "broadcast", _BROADCAST, 1.2, 0.5),
            ("ours", "ours", "bare", _BARE, 0.95, 0.4),
            ("ours", "ours", "picows", "picows", 1, 0.4),
            ("from a thread", "from a thread", "broadcast", _BROADCAST, 1.2, 0.4),
            ("signalr", "SignalR clients", "ours", "our plain ones", 0.9, 0.4),
        )
    ]
    rows += [
        Row(
            rows[0].part,
            f"{what}, processor time of the server",
            beside,
            ratios(taken.processor, own, other),
            aim=aim,
        )
        for own, what, other, beside, aim in (
            ("ours", "ours", "broadcast", _BROADCAST, None),
            ("ours", "ours", "bare", _BARE, 0.95),
            ("ours", "ours", "picows", "picows", 1),
            ("signalr", "SignalR clients", "ours", "our plain ones", 0.9),
        )
    ]
    return rows


def _rows_of_bursts(title: str, times: Times, sizes: Sizes, before: float) -> list[Row]:
    amount = sizes.receivers * sizes.burst
    part = f"{sizes.burst} at once to {title}"
    rows = [
        Row(
            part,
            what,
            beside,
            ratios(times, own, other),
            aim=aim,
            note=f"{median_rate(times[own], amount):,} a second, "
            f"{median_rate(times[other], amount):,} there",
            least=least,
        )
        for own, what, other, beside, aim, least in (
            ("ours", "ours", "broadcast", _BROADCAST, 4, 4),
            ("ours", "ours", "bare", _BARE, None, None),
            ("ours", "ours", "joined", "bare loop that joins frames", None, None),
            ("from a thread", "from a thread", "broadcast", _BROADCAST, 4, 4),
            ("signalr", "SignalR clients", "ours", "our plain ones", 0.9, 0.2),
        )
    ]
    # The faster of two: a slow moment afterwards must not make us look fast.
    fastest = min(before, yardstick()[0])
    aim = _BURST_AIM * REFERENCE_YARDSTICK / fastest
    scaled = Row(
        part,
        "ours",
        f"{_BURST_AIM:,} a second, scaled",
        [amount / each / aim for each in times["ours"]],
        aim=1,
        note=f"that is {aim:,.0f} a second at a yardstick of {fastest * 1000:.0f} ms",
    )
    return [*rows, scaled]


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


def _publish(hub: SocketHub, count: int) -> None:
    for _ in range(count):
        hub.publish(MESSAGE)


def _publisher(hub: SocketHub) -> Callable[[int], Awaitable[None]]:
    async def publish(count: int) -> None:
        _publish(hub, count)

    return publish


def _bare(server: SocketServer) -> Callable[[int], Awaitable[None]]:
    # The very transports of our own connections, in the order in which they came.
    transports = [link.transport for link in server._links.values()]

    async def publish(count: int) -> None:
        for _ in range(count):
            for transport in transports:
                transport.write(FRAME)

    return publish


def _joining(server: SocketServer) -> Callable[[int], Awaitable[None]]:
    transports = [link.transport for link in server._links.values()]

    async def publish(count: int) -> None:
        frames = b"".join([FRAME] * count)
        for transport in transports:
            transport.write(frames)

    return publish
