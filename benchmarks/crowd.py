"""The processes that take part: subscribers to one server, and servers."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

__all__ = ["Crowd", "Peer", "crowd", "peer"]

_ROOT = Path(__file__).parents[1]


class _Process:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._commands = process.stdin
        self._answers = process.stdout

    async def _ask(self, command: str, **fields: object) -> Any:
        self._tell(command, **fields)
        line = await self._answers.readline()
        if not line:
            raise SystemExit("a process that takes part has ended")
        return json.loads(line)

    def _tell(self, command: str, **fields: object) -> None:
        text = json.dumps({"command": command, **fields})
        self._commands.write(f"{text}\n".encode())

    async def end(self) -> None:
        """Let the process end."""
        self._commands.close()
        await self._process.wait()


class Crowd(_Process):
    """Subscribers, and what they are told (see subscribers.py)."""

    async def open(
        self,
        port: int,
        path: str,
        count: int,
        text: str | None = None,
        until: str | None = None,
    ) -> None:
        """
        Open further connections.

        Args:
            port: Of a server on this machine.
            path: What they ask for.
            count: How many.
            text: What each says when it is open.
            until: The end of the frame that they wait for then.
        """
        await self._ask(
            "open", port=port, path=path, count=count, text=text, until=until
        )

    async def check(self, size: int) -> list[str]:
        """Return the distinct first bytes of what arrives at each, as hex."""
        found: list[str] = await self._ask("check", size=size)
        return found

    def expect(self, size: int, times: int = 1) -> None:
        """Begin to count: `arrived` returns each time that so many bytes have come."""
        self._tell("count", size=size, times=times)

    async def arrived(self) -> None:
        """Return when what is counted has arrived once more."""
        if not await self._answers.read(1):
            raise SystemExit("the process of the subscribers has ended")


class Peer(_Process):
    """A server in a process of its own (see peers.py)."""

    async def start(self, text: str) -> int:
        """Listen; return the port. What picows will send is one frame with the text."""
        port: int = await self._ask("start", text=text)
        return port

    async def ready(self, count: int) -> None:
        """Return when so many are connected."""
        await self._ask("ready", count=count)

    async def processor_time(self) -> float:
        """Return the seconds of processor time that it has had."""
        seconds: float = await self._ask("time")
        return seconds

    async def publish(self, how: str = "publish") -> None:
        """Let it send the frame to each connection, or do so by a "bare" loop."""
        self._tell(how)
        await self._commands.drain()


@asynccontextmanager
async def crowd() -> AsyncIterator[Crowd]:
    """Run the subscribers' process."""
    subscribers = Crowd(await _run("benchmarks.subscribers"))
    try:
        yield subscribers
    finally:
        await subscribers.end()


@asynccontextmanager
async def peer(whose: str, loop: str) -> AsyncIterator[Peer]:
    """Run a server, "ours" or that of "picows", on a loop: "asyncio" or "uvloop"."""
    server = Peer(await _run("benchmarks.peers", whose, loop))
    try:
        yield server
    finally:
        await server.end()


async def _run(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
    )
