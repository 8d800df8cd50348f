"""What many connections cost: the memory of idle ones, and messages to a few of them."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from time import process_time

from hyperlambda.server import SocketServer
from hyperlambda.sockets import Audience, AudienceKind, Message

from .contests import (
    FRAME,
    HANDSHAKE,
    HANDSHAKEN,
    NAME,
    SUBSCRIBE,
    SUBSCRIBED,
    open_plain,
)
from .crowd import Crowd, crowd
from .loops import LOOPS
from .measuring import Result, Row, Times, ratios
from .subscribers import raise_file_limit

__all__ = ["Sizes", "measure"]

_MEMORY_AIM = 20 * 1024
"""Bytes of an idle connection, at most."""

_FEW = 10


@dataclass(frozen=True, slots=True)
class Sizes:
    """
    How much is measured.

    Attributes:
        connections: How many; fewer if the system has no files for them.
        messages: How many go to few of them in a round.
        rounds: How many rounds.
        loops: On which event loops.
    """

    connections: int
    messages: int
    rounds: int
    loops: Sequence[str] = tuple(LOOPS)


def measure(sizes: Sizes) -> Result:
    """Measure memory and audiences."""
    count = min(sizes.connections, raise_file_limit())
    rows = []
    for loop in sizes.loops:
        for path, opening in (
            ("/ws", (SUBSCRIBE, SUBSCRIBED)),
            ("/sockets", (HANDSHAKE, HANDSHAKEN)),
        ):
            each = asyncio.run(_memory(loop, path, count, opening))
            rows.append(
                Row(
                    f"memory of each of {count:,} idle connections",
                    f"{'plain' if path == '/ws' else 'SignalR'}, {loop}",
                    "20 KB",
                    [_MEMORY_AIM / each],
                    aim=1,
                    note=f"{each:,} bytes, those of the kernel not counted",
                    least=0.5 if count > 1_000 else None,
                )
            )
    rows += asyncio.run(_audiences(count, sizes.messages, sizes.rounds))
    return Result(rows, peers=["websockets", "uvloop"])


async def _memory(loop: str, path: str, count: int, opening: tuple[str, str]) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.idle",
        loop,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[1],
    )
    assert process.stdin is not None
    assert process.stdout is not None
    port = int(await process.stdout.readline())
    async with crowd() as clients:
        await clients.open(port, path, count, *opening)
        process.stdin.write(b"\n")
        size = int(await process.stdout.readline())
    process.stdin.close()
    await process.wait()
    return max(size, 1)


async def _audiences(count: int, messages: int, rounds: int) -> list[Row]:
    few = min(_FEW, count)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            SocketServer(port=0, ping_interval=None, max_connections=None)
        )
        many = await stack.enter_async_context(crowd())
        members = await stack.enter_async_context(crowd())
        others = await stack.enter_async_context(crowd())
        await open_plain(many, server.port, count)
        token = server.token("ada", ["editor"], ["room"])
        path = f"/ws?access_token={token}"
        await members.open(server.port, path, few, SUBSCRIBE, SUBSCRIBED)
        # A name of the same length, so that frames are as long.
        other = SUBSCRIBE.replace(NAME, "bar.foo")
        await others.open(
            server.port, "/ws", few, other, SUBSCRIBED.replace(NAME, "bar.foo")
        )
        argument = '{"message":"Hello from backend"}'

        def to(kind: AudienceKind, name: str) -> Message:
            return Message(NAME, argument, Audience(kind, (name,)))

        contestants = {
            "to a role": (to(AudienceKind.ROLES, "editor"), members),
            "alone": (Message("bar.foo", argument), others),
            "to a group": (to(AudienceKind.GROUPS, "room"), members),
            "alone again": (Message("bar.foo", argument), others),
            "to a user": (to(AudienceKind.USERS, "ada"), members),
        }
        times: Times = {name: [] for name in contestants}
        # Or the collector walks over all connections, in whoever's turn it likes.
        gc.collect()
        gc.freeze()
        for _ in range(rounds):
            for name, (message, crowd_of_it) in contestants.items():
                seconds = await _time(server, message, crowd_of_it, few, messages)
                times[name].append(seconds)
        gc.unfreeze()
    return [
        Row(
            "messages to few",
            f"{what} of {few} among {count:,} subscribers",
            f"to {few} subscribers of another name",
            ratios(times, what, "alone"),
            aim=0.8,
            note=f"{sorted(times[what])[rounds // 2] / messages * 1e6:.0f} µs of "
            "processor time each",
            least=0.3,
        )
        for what in ("to a role", "to a group", "to a user")
    ]


async def _time(
    server: SocketServer, message: Message, to: Crowd, few: int, messages: int
) -> float:
    hub = server.hub
    one = hub.connections[0]
    to.expect(few * len(FRAME) * messages)
    gc.collect()
    start = process_time()
    for _ in range(messages):
        # Somebody comes and goes, or what was found for the last message would serve.
        hub.subscribe(one, "something.else")
        hub.unsubscribe(one, "something.else")
        hub.publish(message)
        await asyncio.sleep(0)
    await to.arrived()
    return process_time() - start
