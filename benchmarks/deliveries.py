"""
Deliveries to subscribers in another process.

Beside our server stand:

- a bare loop that writes one prepared frame to every transport, about the least that
  Python over asyncio can do. It has our own connections, so that both walk the same
  memory;
- a server of picows, whose protocol and transports are compiled; it sends to each of its
  connections in a bare loop too;
- `websockets.broadcast`.

For the first two our server has a process of its own, as that of picows has: so what is
compared is told alike what to do, and has nothing else to do.

All are open at once, and two at a time take turns. The receivers are those of subscribers.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from statistics import median

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
    Sent,
    check,
    open_plain,
    plain_size,
    send_in_pairs,
    signalr_size,
)
from .crowd import Peer, crowd, peer
from .loops import LOOPS, run_on
from .machine import REFERENCE_YARDSTICK, yardstick
from .measuring import (
    Plot,
    Result,
    Row,
    figure,
    median_bounds,
    median_rate,
    ratios,
)
from .subscribers import raise_file_limit

__all__ = ["Sizes", "measure"]

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


@dataclass(frozen=True, slots=True)
class _Pair:
    """
    Two that are compared.

    Attributes:
        own: Who of the contestants is in question.
        other: Whom it stands beside.
        aims: The least ratios that we want, by the clock and in processor time.
        least: What the best round must reach in a quick run, by the clock.
        part: Of the rounds: 4 for every fourth, where one is enough to see it.
        times: As many in each turn, for more precision.
    """

    own: str
    other: str
    aims: tuple[float | None, float | None] = (None, None)
    least: float | None = None
    part: int = 1
    times: int = 1


_LABELS = {
    "ours": "ours",
    "from a thread": "from a thread",
    "signalr": "SignalR clients",
}

_BESIDE = {
    "bare": "bare loop of transport.write",
    "joined": "bare loop that joins frames",
    "broadcast": "websockets.broadcast",
    "picows": "picows",
    "ours": "our plain ones",
}

_PAIRS_APART = (
    _Pair("ours", "bare", (0.95, 0.95), 0.4),
    _Pair("ours", "picows", (1, 1), 0.4),
)

_PAIRS_OF_ONE = (
    _Pair("ours", "broadcast", (1.2, None), 0.5),
    _Pair("from a thread", "broadcast", (1.2, None), 0.4),
    _Pair("signalr", "ours", (0.9, 0.9), 0.4),
)

_PAIRS_OF_BURSTS = (
    # They take seconds and are a hundred times slower.
    _Pair("ours", "broadcast", (4, None), 4, part=4),
    _Pair("ours", "bare", part=4),
    _Pair("ours", "joined", times=4),
    _Pair("from a thread", "broadcast", (4, None), 4, part=4),
    _Pair("signalr", "ours", (0.9, 0.9), 0.2, times=4),
)


async def _measure_fan(loop: str, count: int, rounds: int) -> _Fan:
    async with AsyncExitStack() as stack:
        contestants = await _apart(stack, loop, count)
        await check(contestants)
        taken = await _compare(contestants, _PAIRS_APART, count, 2, 1, rounds)
    title = f"one message to {count:,} subscribers, {loop}"
    bars = {}
    for pair, sent in taken:
        for name, role in ((pair.own, "own"), (pair.other, "other")):
            # Of ours, the last stays.
            bars[name] = median(sent.elapsed[role]) / sent.amount * 1e6
    return _Fan(_rows(title, taken), list(bars.items()))


async def _apart(stack: AsyncExitStack, loop: str, count: int) -> dict[str, Contestant]:
    """Return contestants whose servers have processes of their own."""
    ours = await stack.enter_async_context(peer("ours", loop))
    theirs = await stack.enter_async_context(peer("picows", loop))
    # Last, to leave first: the servers need not wait for anybody then.
    to_ours = await stack.enter_async_context(crowd())
    to_theirs = await stack.enter_async_context(crowd())
    await open_plain(to_ours, await ours.start(TEXT), count)
    await to_theirs.open(await theirs.start(TEXT), "/", count)
    await ours.ready(count)
    await theirs.ready(count)
    return {
        "ours": Contestant(_commander(ours), to_ours, plain_size, ours),
        "bare": Contestant(_commander(ours, "bare"), to_ours, plain_size, ours),
        "picows": Contestant(_commander(theirs), to_theirs, plain_size, theirs),
    }


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
        pool = stack.enter_context(ThreadPoolExecutor(1))
        crowds = [await stack.enter_async_context(crowd()) for _ in range(3)]
        await open_plain(crowds[0], plain.port, receivers)
        await crowds[1].open(signalr.port, "/sockets", receivers, HANDSHAKE, HANDSHAKEN)
        await crowds[2].open(theirs.sockets[0].getsockname()[1], "/", receivers)
        # The last ones are answered before the server has noted that they are open.
        while len(theirs.connections) < receivers:
            await asyncio.sleep(0)
        connections = list(theirs.connections)

        async def from_thread(count: int) -> None:
            await asyncio.get_running_loop().run_in_executor(
                pool, _publish, plain.hub, count
            )

        async def their_broadcast(count: int) -> None:
            for _ in range(count):
                broadcast(connections, TEXT)

        contestants = {
            "ours": Contestant(_publisher(plain.hub), crowds[0], plain_size),
            "broadcast": Contestant(their_broadcast, crowds[2], plain_size),
            "from a thread": Contestant(from_thread, crowds[0], plain_size),
            "signalr": Contestant(_publisher(signalr.hub), crowds[1], signalr_size),
            "bare": Contestant(_bare(plain), crowds[0], plain_size),
        }
        await check(contestants)
        apart = await _apart(stack, loop, receivers)
        await check(apart)
        alone = [
            *await _compare(
                apart, _PAIRS_APART, receivers, sizes.messages, 1, sizes.rounds
            ),
            *await _compare(
                contestants, _PAIRS_OF_ONE, receivers, sizes.messages, 1, sizes.rounds
            ),
        ]
        contestants["joined"] = Contestant(_joining(plain), crowds[0], plain_size)
        fastest, _ = yardstick()
        at_once = await _compare(
            contestants, _PAIRS_OF_BURSTS, receivers, 1, sizes.burst, sizes.rounds
        )
        # The faster of two: a slow moment must not make us look fast.
        fastest = min(fastest, yardstick()[0])
    whom = f"{receivers:,} subscribers, {loop}"
    part = f"{sizes.burst} at once to {whom}"
    return [
        *_rows(f"one message at a time to {whom}", alone),
        *_rows(part, at_once),
        _scaled(part, at_once, fastest),
    ]


_Taken = Sequence[tuple[_Pair, Sent]]


async def _compare(
    contestants: Mapping[str, Contestant],
    pairs: Iterable[_Pair],
    receivers: int,
    times: int,
    batch: int,
    rounds: int,
) -> _Taken:
    return [
        (
            pair,
            await send_in_pairs(
                contestants[pair.own],
                contestants[pair.other],
                receivers,
                times * pair.times,
                batch,
                -(-rounds // pair.part),
            ),
        )
        for pair in pairs
    ]


def _rows(title: str, taken: _Taken) -> list[Row]:
    """Make a row of what each pair took on the clock, and of its processor time."""
    by_clock = [
        Row(
            title,
            _LABELS[pair.own],
            _BESIDE[pair.other],
            found := ratios(sent.elapsed, "own", "other"),
            aim=pair.aims[0],
            note=f"{_certainty(found)}; "
            f"{median_rate(sent.elapsed['own'], sent.amount):,} a second, "
            f"{median_rate(sent.elapsed['other'], sent.amount):,} there",
            least=pair.least,
        )
        for pair, sent in taken
    ]
    in_processor_time = [
        Row(
            title,
            f"{_LABELS[pair.own]}, processor time of the server",
            _BESIDE[pair.other],
            found := ratios(sent.processor, "own", "other"),
            aim=pair.aims[1],
            note=_certainty(found),
        )
        for pair, sent in taken
        if pair.aims[1] is not None
    ]
    return by_clock + in_processor_time


def _certainty(found: Sequence[float]) -> str:
    low, high = median_bounds(found)
    return f"median within {figure(low)}–{figure(high)}"


def _scaled(part: str, taken: _Taken, fastest: float) -> Row:
    aim = _BURST_AIM * REFERENCE_YARDSTICK / fastest
    rates = [
        sent.amount / seconds
        for pair, sent in taken
        if pair.own == "ours"
        for seconds in sent.elapsed["own"]
    ]
    return Row(
        part,
        "ours",
        f"{_BURST_AIM:,} a second, scaled",
        [rate / aim for rate in rates],
        aim=1,
        note=f"{median(rates):,.0f} a second; the aim is {aim:,.0f} at a yardstick of "
        f"{fastest * 1000:.0f} ms",
    )


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


def _commander(server: Peer, how: str = "publish") -> Callable[[int], Awaitable[None]]:
    async def publish(count: int) -> None:
        for _ in range(count):
            await server.publish(how)

    return publish


def _publisher(hub: SocketHub) -> Callable[[int], Awaitable[None]]:
    async def publish(count: int) -> None:
        _publish(hub, count)

    return publish


def _bare(server: SocketServer) -> Callable[[int], Awaitable[None]]:
    # The very transports of our own connections, in the order in which they came.
    transports = [link.transport for link in server._reception.links.values()]

    async def publish(count: int) -> None:
        for _ in range(count):
            for transport in transports:
                transport.write(FRAME)

    return publish


def _joining(server: SocketServer) -> Callable[[int], Awaitable[None]]:
    transports = [link.transport for link in server._reception.links.values()]

    async def publish(count: int) -> None:
        frames = b"".join([FRAME] * count)
        for transport in transports:
            transport.write(frames)

    return publish
