"""What the tests of the server share: clients, and what is said about them."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from hyperlambda.server import SocketServer
from hyperlambda.server.frames import text_frame

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


def masked_frame(text: str) -> bytes:
    """Return a frame of a client; of at most 125 bytes, or of more and less than 64 KiB."""
    frame = text_frame(text.encode())
    head = 2 if frame[1] < 126 else 4
    return bytes([frame[0], frame[1] | 0x80]) + frame[2:head] + bytes(4) + frame[head:]


class Raw:
    """A client that reads nothing unless it is told to, on a socket with little room."""

    def __init__(
        self, server: SocketServer, *requests: dict[str, Any] | str, path: str = "/ws"
    ) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        self.socket.settimeout(PATIENCE)
        self.socket.connect((server.host, server.port))
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        for request in requests:
            text = request if isinstance(request, str) else json.dumps(request)
            self.socket.sendall(masked_frame(text))

    def read_until(self, wanted: bytes) -> bytes:
        """Return everything up to the wanted bytes, or up to the end."""
        found = b""
        while wanted not in found:
            try:
                data = self.socket.recv(65_536)
            except ConnectionResetError:
                break
            if not data:
                break
            found += data
        return found


class RawWithToken(Raw):
    """The same with a token."""

    def __init__(self, server: SocketServer, token: str) -> None:
        self.socket = socket.create_connection((server.host, server.port), PATIENCE)
        self.socket.sendall(
            f"GET /ws?access_token={token} HTTP/1.1\r\nHost: x\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )

    def publish(self, name: str) -> None:
        """Ask, as if nothing had happened."""
        data = json.dumps({"type": "publish", "name": name}).encode()
        self.socket.sendall(bytes([0x81, 0x80 | len(data), 0, 0, 0, 0]) + data)


Connect = Callable[..., Awaitable[Client]]
StartServer = Callable[..., Awaitable[SocketServer]]


def message(name: str, args: Any = None) -> dict[str, Any]:
    return {"type": "message", "name": name, "args": args}


async def closed(client: Client) -> tuple[int | None, str]:
    """Return the code and the reason with which the server ends a connection."""
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                await client.socket.recv()
    except ConnectionClosed as error:
        close = error.rcvd
    return (None, "") if close is None else (int(close.code), close.reason)


async def until_count(server: SocketServer, count: int) -> None:
    """Return when so many are connected: the server notices in its own time."""
    async with asyncio.timeout(PATIENCE):
        while server.hub.connection_count != count:
            await asyncio.sleep(0)
