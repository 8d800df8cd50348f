"""
A long trial: `python -m benchmarks.soak [--seconds N] [--clients N]`.

Thousands of clients, in a process of their own, come and go while messages flow to
everybody, to roles, groups and users. Every message says for whom it is, and a number
for each audience. So a client can tell that it may have the message, that none is missing
or came twice, and that they are in order. At the end nothing may be left of anybody, and
the server's memory must be flat.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from hyperlambda.server import BackgroundServer, issue_token
from hyperlambda.server.hub import SocketHub
from hyperlambda.sockets import Audience, AudienceKind, Message

from .subscribers import raise_file_limit

__all__ = ["main", "memory"]

_RATE = 20
"""Messages a second."""

_NAMES = 8
"""How many roles there are, and groups."""

_GROWTH = 1.15
"""By how much the server may be bigger at the end than after the first half."""

_PATIENCE = 60
"""Seconds that a connection may take to open: what is tried here is what follows."""

_KINDS = [AudienceKind.ROLES, AudienceKind.GROUPS, AudienceKind.USERS]


# The server's process.


def main(arguments: list[str] | None = None) -> int:
    """Run the trial; return 0 if all went well."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--clients", type=int, default=2_000)
    parser.add_argument("--be-clients", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    raise_file_limit()
    if options.be_clients:
        # Not an argument: there everybody on this machine could read the secret.
        asyncio.run(_be_clients(**json.loads(sys.stdin.readline())))
        return 0
    wrong, told = _soak(options.seconds, options.clients)
    print(json.dumps(told))
    for sentence in wrong:
        print(f"wrong: {sentence}", file=sys.stderr)
    return 1 if wrong else 0


def memory() -> int:
    """Return how many bytes of memory this process has; 0 where that is unknown."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * 4096 if statm.exists() else 0


def _soak(seconds: float, count: int) -> tuple[list[str], dict[str, Any]]:
    with BackgroundServer(open_timeout=_PATIENCE) as background:
        task = {
            "url": background.socket_url,
            "secret": background.server.secret,
            "count": count,
            "seconds": seconds,
        }
        clients = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.soak", "--be-clients"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert clients.stdin is not None
        clients.stdin.write(f"{json.dumps(task)}\n")
        clients.stdin.flush()
        try:
            sizes = _publish(background, seconds, count)
            output, _ = clients.communicate(timeout=2 * _PATIENCE)
        finally:
            clients.kill()
        wrong: list[str] = []
        told = json.loads(output or "{}")
        wrong += told.pop("wrong", ["the clients have failed"])
        deadline = time.monotonic() + 10
        hub = background.hub
        # The server hears of the last ones a moment after they have gone.
        while any(left := _left(hub)) and time.monotonic() < deadline:
            time.sleep(0.05)
        if any(left):
            wrong.append(f"something is left of clients that have gone: {left}")
        told["dropped"] = hub.counters.dropped
        told["messages"] = hub.counters.messages
        told["deliveries"] = hub.counters.deliveries
    half, end = sizes
    told["megabytes"] = [round(size / 1e6, 1) for size in sizes]
    if end > half * _GROWTH + 8e6:
        wrong.append(f"memory has grown from {half} to {end} bytes")
    if told.get("unopened", 0) * 10 > told.get("connections", 0):
        wrong.append("many connections could not be opened")
    if not told.get("received"):
        wrong.append("no client has received anything")
    return wrong, told


def _left(hub: SocketHub) -> tuple[int, int, int, int]:
    """Return how many connections, users, groups and waiting messages there are."""
    return hub.connection_count, hub.user_count, hub.group_count, hub.inbox_size


def _publish(
    background: BackgroundServer, seconds: float, count: int
) -> tuple[int, int]:
    """Publish until the time is over; return the memory at half time and at the end."""
    numbers: Counter[str] = Counter()
    choice = random.Random(1)
    start = time.monotonic()
    half = 0
    for turn in range(int(seconds * _RATE)):
        time.sleep(max(0.0, start + turn / _RATE - time.monotonic()))
        if turn == int(seconds * _RATE / 2):
            half = memory()
        kind = AudienceKind.EVERYONE if turn % 10 == 0 else choice.choice(_KINDS)
        everyone = kind is AudienceKind.EVERYONE
        size = count if kind is AudienceKind.USERS else _NAMES
        name = "" if everyone else f"{kind.value}-{choice.randrange(size)}"
        key = f"{kind.value}:{name}"
        numbers[key] += 1
        args = {"turn": turn, "kind": kind.value, "name": name, "number": numbers[key]}
        names = (name,) if name else ()
        background.hub.publish(
            Message("soak.message", json.dumps(args), Audience(kind, names))
        )
        if turn % 10 == 5:
            user = f"users-{choice.randrange(count)}"
            background.hub.disconnect_user(user, may_return=True)
    return half, memory()


# The clients' process.


class _Client:
    """Connects, listens for a while, goes, and comes again as somebody else."""

    def __init__(self, number: int, seconds: float, told: dict[str, Any]) -> None:
        self.choice = random.Random(number)
        self.user = f"users-{number}"
        self.longest = max(seconds / 8, 0.5)
        self.told = told

    async def run(self, url: str, secret: str, end: float) -> None:
        await asyncio.sleep(self.choice.random() * self.longest / 4)
        while time.monotonic() < end:
            role = f"roles-{self.choice.randrange(_NAMES)}"
            group = f"groups-{self.choice.randrange(_NAMES)}"
            token = issue_token(secret, self.user, [role], [group])
            life = self.choice.uniform(self.longest / 8, self.longest)
            until = min(end, time.monotonic() + life)
            socket = await self._open(url, token)
            if socket is None:
                continue
            async with socket:
                self.told["connections"] += 1
                try:
                    await self._listen(socket, until, {"", self.user, role, group})
                except ConnectionClosed as error:
                    if error.rcvd is None or error.rcvd.code != 3003:
                        self._complain(f"closed: {error.rcvd}")
                if self.choice.random() < 0.3:
                    socket.transport.abort()

    async def _open(self, url: str, token: str) -> ClientConnection | None:
        """Return a connection; None if a busy machine did not open it in time."""
        try:
            return await connect(
                url,
                additional_headers={"Authorization": f"Bearer {token}"},
                proxy=None,
                compression=None,
                ping_interval=None,
                open_timeout=_PATIENCE,
            )
        except (OSError, InvalidHandshake):
            self.told["unopened"] += 1
            await asyncio.sleep(self.choice.random())
            return None

    async def _listen(
        self, socket: ClientConnection, until: float, names: set[str]
    ) -> None:
        await socket.send('{"type":"subscribe","names":["soak.*"]}')
        numbers: dict[str, int] = {}
        last = -1
        try:
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                async for text in socket:
                    frame = json.loads(text)
                    if frame["type"] != "message":
                        continue
                    args = frame["args"]
                    self.told["received"] += 1
                    if args["name"] not in names:
                        self._complain(f"got {args}, and may have {sorted(names)}")
                    if args["turn"] <= last:
                        self._complain(f"got {args} after {last}")
                    last = args["turn"]
                    key = f"{args['kind']}:{args['name']}"
                    if args["number"] != numbers.get(key, args["number"] - 1) + 1:
                        self._complain(f"got {args} after number {numbers[key]}")
                    numbers[key] = args["number"]
        except TimeoutError:
            pass

    def _complain(self, sentence: str) -> None:
        if len(self.told["wrong"]) < 20:
            self.told["wrong"].append(f"{self.user}: {sentence}")


async def _be_clients(url: str, secret: str, count: int, seconds: float) -> None:
    told: dict[str, Any] = {
        "connections": 0,
        "unopened": 0,
        "received": 0,
        "wrong": [],
    }
    end = time.monotonic() + seconds - 0.5
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(_Client(number, seconds, told).run(url, secret, end))
    print(json.dumps(told))


if __name__ == "__main__":
    sys.exit(main())
