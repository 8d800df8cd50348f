"""A real server on a free port, and real clients that talk to it over loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from hyperlambda.server import SocketServer

SECRET = "a-secret-of-the-tests-that-is-longer-than-fifty-characters"

PATIENCE = 10.0
"""Seconds until something that must happen counts as not happening."""


class Client:
    """A client of the plain protocol that can say what it received next."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.welcome: dict[str, Any] = {}

    @property
    def id(self) -> str:
        """Its connection id."""
        return str(self.welcome["connection"])

    async def receive(self) -> Any:
        """Return the next frame."""
        async with asyncio.timeout(PATIENCE):
            return json.loads(await self.socket.recv())

    async def send(self, **fields: Any) -> None:
        """Send one request."""
        await self.socket.send(json.dumps(fields))

    async def ask(self, **fields: Any) -> Any:
        """Send one request, and return the next frame."""
        await self.send(**fields)
        return await self.receive()

    async def subscribe(self, *names: str) -> None:
        """Subscribe, and know that it is done."""
        answer = await self.ask(type="subscribe", names=list(names))
        assert answer == {"type": "subscribed", "names": list(names)}


Connect = Callable[..., Awaitable[Client]]
StartServer = Callable[..., Awaitable[SocketServer]]


@pytest.fixture
async def start_server() -> AsyncIterator[StartServer]:
    """Start servers that are stopped at the end of the test."""
    async with AsyncExitStack() as stack:

        async def start(**options: Any) -> SocketServer:
            options = {"port": 0, "secret": SECRET, **options}
            return await stack.enter_async_context(SocketServer(**options))

        yield start


@pytest.fixture
async def server(start_server: StartServer) -> SocketServer:
    """Return a server with default options."""
    return await start_server()


@pytest.fixture
async def join() -> AsyncIterator[Connect]:
    """Connect clients that are closed at the end of the test."""
    async with AsyncExitStack() as stack:

        async def connect_client(
            server: SocketServer,
            username: str | None = None,
            roles: tuple[str, ...] = (),
            groups: tuple[str, ...] = (),
            *names: str,
            **options: Any,
        ) -> Client:
            headers = dict(options.pop("headers", {}))
            if username is not None:
                token = server.token(username, roles, groups)
                headers["Authorization"] = f"Bearer {token}"
            socket = await stack.enter_async_context(
                connect(
                    server.socket_url,
                    additional_headers=headers,
                    proxy=None,
                    ping_interval=None,
                    **options,
                )
            )
            client = Client(socket)
            client.welcome = await client.receive()
            if names:
                await client.subscribe(*names)
            return client

        yield connect_client
