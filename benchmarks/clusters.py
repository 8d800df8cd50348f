"""
Clusters of 1, 2 and 4 server processes that meet in a Redis, beside each other.

All run at once and take turns. On a machine with fewer cores than processes the clock
cannot show what more processes are good for; so the processor time of each process is
measured too, which says what they would do on cores of their own (docs/scaling.md).
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any

from hyperlambda.server import issue_token
from hyperlambda.server.frames import text_frame

from .crowd import Crowd, crowd
from .measuring import Result, Row, ratios
from .node import SECRET

__all__ = ["Sizes", "measure"]

NODES = (1, 2, 4)

_KEEPING = 2
"""So many nodes has another cluster, where messages to one user have history."""

_EVERYONE = {"type": "publish", "name": "news", "args": {"number": 1}}
_ONE = {"type": "publish", "name": "note", "args": {"number": 1}, "users": "ada"}


@dataclass(slots=True)
class _Costs:
    """
    What one workload has cost a cluster, of each round.

    Attributes:
        elapsed: Seconds by the clock.
        nodes: Seconds of processor time of each node; the first one is published at.
        redis: The same of Redis.
    """

    elapsed: list[float] = field(default_factory=list)
    nodes: list[list[float]] = field(default_factory=list)
    redis: list[float] = field(default_factory=list)

    @property
    def processor(self) -> list[float]:
        """Seconds of all nodes together."""
        return [sum(each) for each in self.nodes]


@dataclass(frozen=True, slots=True)
class Sizes:
    """
    How much is measured.

    Attributes:
        receivers: How many subscribers each cluster has, spread evenly over its nodes.
        messages: How many are sent to all of them in a round, one at a time.
        burst: How many are sent to one user in a round, at once.
        rounds: How often each cluster has a turn.
    """

    receivers: int
    messages: int
    burst: int
    rounds: int


def measure(sizes: Sizes) -> Result:
    """
    Measure clusters.

    Raises:
        SystemExit: There is no redis-server, or this is no Linux.
    """
    if shutil.which("redis-server") is None:
        raise SystemExit("'cluster' needs a redis-server")
    if not Path("/proc/self/schedstat").exists():
        raise SystemExit("'cluster' needs Linux, which tells processor times exactly")
    with tempfile.TemporaryDirectory() as folder, _redis(Path(folder)) as redis:
        return asyncio.run(_measure(redis, sizes))


async def _measure(redis: _Process, sizes: Sizes) -> Result:
    everyone = {count: _Costs() for count in NODES}
    one = {count: _Costs() for count in NODES}
    kept = _Costs()
    async with AsyncExitStack() as stack:
        clusters = {}
        for count in NODES:
            nodes = stack.enter_context(_nodes(count, redis))
            publisher = stack.enter_context(_Publisher(nodes[0].port))
            people = await stack.enter_async_context(crowd())
            cluster = clusters[count] = _Cluster(nodes, redis, publisher, people)
            await cluster.open(sizes.receivers)
            # Caches fill, and everything is imported; this does not count.
            await cluster.send_one_at_a_time(sizes, _Costs())
            await cluster.send_at_once(sizes, _Costs())
        nodes = stack.enter_context(_nodes(_KEEPING, redis, "kept", _ONE["name"]))
        publisher = stack.enter_context(_Publisher(nodes[0].port))
        people = await stack.enter_async_context(crowd())
        keeping = _Cluster(nodes, redis, publisher, people, keeps=True)
        await keeping.open(0)
        await keeping.send_and_keep(sizes, 0, _Costs())
        for number in range(1, sizes.rounds + 1):
            await keeping.send_and_keep(sizes, number, kept)
            for count, cluster in clusters.items():
                await cluster.send_one_at_a_time(sizes, everyone[count])
                await cluster.send_at_once(sizes, one[count])
    rows = [
        *_delivery_rows(everyone, sizes),
        *_message_rows(everyone[NODES[-1]], one[NODES[-1]], sizes),
        *_history_rows(kept, one[_KEEPING], sizes),
    ]
    return Result(rows, peers=["redis"])


@dataclass(slots=True)
class _Process:
    """
    A process of ours.

    Attributes:
        pid: Its id.
        where: The URL of a Redis, or the port of a node.
    """

    pid: int
    where: str

    @property
    def port(self) -> int:
        """The port of a server."""
        return int(self.where)

    def seconds(self) -> float:
        """Return the processor time of its main thread, which does everything."""
        return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[0]) / 1e9


@contextmanager
def _process(*command: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        cwd=Path(__file__).parents[1],
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def _redis(folder: Path) -> Iterator[_Process]:
    place = folder / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(place), "--save", ""]
    with _process("redis-server", *options, "--dir", str(folder)) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "ready to accept connections" in line.lower():
                break
        yield _Process(process.pid, f"unix://{place}")


class _Publisher:
    """A bare socket that publishes at a node, and reads nothing but what must go."""

    def __init__(self, port: int) -> None:
        token = issue_token(SECRET, "publisher", ["root"])
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.sendall(
            f"GET /ws?access_token={token} HTTP/1.1\r\nHost: x\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        while b"welcome" not in self._socket.recv(1 << 16):
            pass
        self._socket.setblocking(False)

    def publish(self, request: dict[str, Any], count: int) -> None:
        frame = text_frame(json.dumps(request, separators=(",", ":")).encode())
        # A mask of zeros leaves the payload as it is (RFC 6455 §5.3).
        masked = bytes([frame[0], frame[1] | 0x80, 0, 0, 0, 0]) + frame[2:]
        try:
            while self._socket.recv(1 << 16):  # answers to what was published before
                pass
        except BlockingIOError:
            pass
        self._socket.setblocking(True)
        self._socket.sendall(masked * count)
        self._socket.setblocking(False)

    def __enter__(self) -> _Publisher:
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.close()


@dataclass(frozen=True, slots=True)
class _Cluster:
    nodes: Sequence[_Process]
    redis: _Process
    publisher: _Publisher
    people: Crowd
    keeps: bool = False

    async def open(self, receivers: int) -> None:
        """Spread subscribers over the nodes; one user is at the last one."""
        for node in self.nodes:
            if receivers:
                await self._open(node, "/ws", receivers // len(self.nodes), "news")
        token = issue_token(SECRET, "ada", [])
        await self._open(self.nodes[-1], f"/ws?access_token={token}", 1, "note")

    async def _open(self, node: _Process, path: str, count: int, name: str) -> None:
        text = json.dumps({"type": "subscribe", "names": [name]})
        # How the answer ends: where there is history, with the position before it.
        until = '-0"}' if self.keeps else json.dumps([name]) + "}"
        await self.people.open(node.port, path, count, text, until)

    async def send_one_at_a_time(self, sizes: Sizes, costs: _Costs) -> None:
        """Send messages to everybody."""
        own = sizes.receivers // len(self.nodes)
        frame = len(_frame(_EVERYONE)) * own * len(self.nodes)
        self.people.expect(frame, sizes.messages)
        await self._send(_EVERYONE, 1, sizes.messages, costs)

    async def send_at_once(self, sizes: Sizes, costs: _Costs) -> None:
        """Send messages to one user."""
        self.people.expect(len(_frame(_ONE)) * sizes.burst)
        await self._send(_ONE, sizes.burst, 1, costs)

    async def send_and_keep(self, sizes: Sizes, number: int, costs: _Costs) -> None:
        """Send messages with history to one user, for the so many-th time, from 0."""
        first = number * sizes.burst + 1
        offsets = range(first, first + sizes.burst)
        self.people.expect(sum(len(_frame(_ONE, f"{'e' * 12}-{n}")) for n in offsets))
        await self._send(_ONE, sizes.burst, 1, costs)

    async def _send(
        self, request: dict[str, Any], count: int, times: int, costs: _Costs
    ) -> None:
        before = [node.seconds() for node in self.nodes]
        redis = self.redis.seconds()
        start = perf_counter()
        for _ in range(times):
            self.publisher.publish(request, count)
            await self.people.arrived()
        costs.elapsed.append(perf_counter() - start)
        # Others may have heard it without a receiver, and may not be done with it.
        sleep(0.05)
        costs.redis.append(self.redis.seconds() - redis)
        costs.nodes.append(
            [
                node.seconds() - first
                for node, first in zip(self.nodes, before, strict=True)
            ]
        )


@contextmanager
def _nodes(
    count: int, redis: _Process, label: str = "", kept: str = ""
) -> Iterator[Sequence[_Process]]:
    prefix = f"bench-{label or count}"
    command = [sys.executable, "-m", "benchmarks.node", redis.where, prefix, kept]
    with ExitStack() as stack:
        started = [stack.enter_context(_process(*command)) for _ in range(count)]
        nodes = []
        for process in started:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            if not port:
                raise SystemExit("a node does not start")
            nodes.append(_Process(process.pid, port))
        yield nodes


def _frame(request: dict[str, Any], position: str = "") -> bytes:
    args = json.dumps(request["args"], separators=(",", ":"))
    text = f'{{"type":"message","name":"{request["name"]}","args":{args}'
    if position:
        text = f'{text},"position":"{position}"'
    return text_frame(f"{text}}}".encode())


def _delivery_rows(costs: dict[int, _Costs], sizes: Sizes) -> Iterator[Row]:
    title = f"cluster: messages to {sizes.receivers:,} subscribers, one at a time"
    deliveries = sizes.receivers * sizes.messages
    single = costs[1]
    for count in NODES[1:]:
        several = costs[count]
        times = {"us": several.elapsed, "one": single.elapsed}
        yield Row(
            title,
            f"{count} processes",
            "1 process",
            ratios(times, "us", "one"),
            note=f"{_rate(several.elapsed, deliveries)} deliveries a second, "
            f"{_rate(single.elapsed, deliveries)} there",
        )
        times = {"us": several.processor, "one": single.processor}
        yield Row(
            title,
            f"processor time of {count} processes",
            "1 process",
            ratios(times, "us", "one"),
            note=f"{_micro(several.processor, deliveries)} a delivery at best, "
            f"{_micro(single.processor, deliveries)} there",
        )


def _message_rows(everyone: _Costs, one: _Costs, sizes: Sizes) -> Iterator[Row]:
    yield from _beside_publisher(
        f"cluster: what a message costs whom, one at a time, {NODES[-1]} processes",
        [("Redis", everyone.redis)],
        [nodes[0] for nodes in everyone.nodes],
        sizes.messages,
    )
    others = [sum(nodes[1:-1]) / (len(nodes) - 2) for nodes in one.nodes]
    yield from _beside_publisher(
        f"cluster: {sizes.burst:,} to one user at once, {NODES[-1]} processes",
        [
            ("a node that only hears them", others),
            ("the node of the user", [nodes[-1] for nodes in one.nodes]),
            ("Redis", one.redis),
        ],
        [nodes[0] for nodes in one.nodes],
        sizes.burst,
    )


def _history_rows(kept: _Costs, one: _Costs, sizes: Sizes) -> Iterator[Row]:
    contestants = {
        "Redis": (kept.redis, one.redis),
        "the node that publishes": (
            [nodes[0] for nodes in kept.nodes],
            [nodes[0] for nodes in one.nodes],
        ),
        "the node of the user": (
            [nodes[-1] for nodes in kept.nodes],
            [nodes[-1] for nodes in one.nodes],
        ),
    }
    for what, (us, it) in contestants.items():
        yield Row(
            f"cluster: {sizes.burst:,} with history to one user at once, "
            f"{_KEEPING} processes",
            f"processor time of {what}",
            "without history",
            ratios({"us": us, "it": it}, "us", "it"),
            note=f"{_micro(us, sizes.burst)} a message at best, "
            f"{_micro(it, sizes.burst)} there",
        )


def _beside_publisher(
    title: str,
    contestants: Sequence[tuple[str, Sequence[float]]],
    publishing: Sequence[float],
    messages: int,
) -> Iterator[Row]:
    for what, seconds in contestants:
        yield Row(
            title,
            f"processor time of {what}",
            "the node that publishes",
            ratios({"us": [*seconds], "it": [*publishing]}, "us", "it"),
            note=f"{_micro(seconds, messages)} a message at best, "
            f"{_micro(publishing, messages)} there",
        )


def _rate(seconds: Sequence[float], amount: int) -> str:
    return f"{round(amount / median(seconds), -3):,.0f}"


def _micro(seconds: Sequence[float], amount: int) -> str:
    # The best round: what others do on the machine costs caches, and so our time too.
    return f"{min(seconds) / amount * 1e6:.2f} µs"
