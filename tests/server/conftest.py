"""A real server on a free port, and real clients that talk to it over loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.asyncio.client import connect

from hyperlambda.server import SocketServer

from .clients import SECRET, Client, Connect, StartServer
from .javascript import Start, install


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


@pytest.fixture(scope="session")
def node() -> str:
    """Return the path of Node, with SignalR's clients installed."""
    return install()


@pytest.fixture
async def client(node: str) -> AsyncIterator[Start]:
    """Start SignalR's JavaScript clients, which are closed at the end of the test."""
    async with AsyncExitStack() as stack:
        yield Start(node, stack)
