"""SignalR's own JavaScript clients, on Node, told what to do by a test."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hyperlambda.server import SocketServer

FOLDER = Path(__file__).parents[1] / "clients"

NEW = "@microsoft/signalr"
OLD = "@aspnet/signalr"
THIRD, SIXTH, EIGHTH = "signalr-3", "signalr-6", "signalr-8"
"""Older versions of the new one: 3.1, 6.0 and 8.0."""

PATIENCE = 30.0
"""Seconds until something that must happen counts as not happening: Node starts slowly."""


def install() -> str:
    """
    Return the path of Node, with the clients installed.

    Without Node, or a registry to install from, tests that need it are skipped, except
    where changes are checked (CI is set): there that is a failure.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        give_up("Node.js is not installed, and SignalR's JavaScript clients need it")
    assert node is not None
    assert npm is not None
    lock = FOLDER / "package-lock.json"
    done = FOLDER / "node_modules" / ".installed"
    if not done.exists() or done.read_text() != lock.read_text():
        outcome = subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=FOLDER,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if outcome.returncode:
            give_up(f"npm cannot install SignalR's clients: {outcome.stderr}")
        done.write_text(lock.read_text())
    return node


def give_up(reason: str) -> None:
    """Skip the test; fail it where changes are checked."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


async def end(process: asyncio.subprocess.Process) -> None:
    """Close the input of a process, which is to end it; kill it if that does not."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(PATIENCE):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


class ClientProcess:
    """A process with one client; what happens to it comes in as events."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def tell(self, do: str, **fields: Any) -> None:
        """Give a command."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **fields}).encode() + b"\n")
        await self.process.stdin.drain()

    async def event(self) -> dict[str, Any]:
        """Return what happens next."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            line = await self.process.stdout.readline()
        assert line, "the client has ended"
        found: dict[str, Any] = json.loads(line)
        return found

    async def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """Give a command, and return what happens next."""
        await self.tell(do, **fields)
        return await self.event()

    async def start(self, *names: str) -> str | None:
        """Listen to names, connect, and return the connection id that the client sees."""
        for name in names:
            assert await self.ask("on", name=name) == {
                "event": "listening",
                "name": name,
            }
        started = await self.ask("start")
        assert started["event"] == "started", started
        id: str | None = started["id"]
        return id

    async def invoke(self, *args: Any, target: str = "execute") -> dict[str, Any]:
        """Call a method of the hub; return its result or its error."""
        return await self.ask("invoke", args=args, target=target)


@asynccontextmanager
async def client_process(
    *command: str, options: dict[str, Any], variables: dict[str, str] | None = None
) -> AsyncIterator[ClientProcess]:
    """Run a driver with a client; see driver.cjs and driver.py for the options."""
    process = await asyncio.create_subprocess_exec(
        *command,
        json.dumps(options),
        cwd=FOLDER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=1 << 24,
        env={**os.environ, **(variables or {})},
    )
    try:
        yield ClientProcess(process)
    finally:
        await end(process)


class Start:
    """Starts clients of servers, which end with a stack."""

    def __init__(self, node: str, stack: AsyncExitStack) -> None:
        self._node = node
        self._stack = stack

    async def __call__(
        self, server: SocketServer | str, package: str = NEW, **options: Any
    ) -> ClientProcess:
        url = server if isinstance(server, str) else server.url
        command = (self._node, "driver.cjs", package, f"{url}/sockets")
        return await self._stack.enter_async_context(
            client_process(*command, options=options)
        )
