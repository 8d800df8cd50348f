"""How a server starts and how it ends."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from typing import Any

import pytest

from hyperlambda.errors import HyperlambdaError, SocketError
from hyperlambda.server import BackgroundServer, SocketServer
from hyperlambda.sockets import Message

from .clients import (
    PATIENCE,
    SECRET,
    Client,
    Connect,
    Raw,
    RawWithToken,
    StartServer,
    closed,
    until_count,
)

# The end.


async def test_a_stop_lets_queued_frames_out(join: Connect) -> None:
    server = SocketServer(port=0, queue_bytes=1 << 30)
    await server.start()
    clients = [await join(server, None, (), (), "a") for _ in range(2)]
    # More than the kernel's buffers hold.
    payload = '"' + "x" * 50_000 + '"'
    for _ in range(400):
        server.hub.publish(Message("a", payload))
    server.hub.publish(Message("a", '"last"'))

    async def read(client: Client) -> list[Any]:
        frames = [(await client.receive())["args"] for _ in range(401)]
        assert await closed(client) == (1012, "the server stops")
        return frames

    reading = [asyncio.create_task(read(client)) for client in clients]
    await server.stop()
    for task in reading:
        frames = await task
        assert [len(args) for args in frames[:-1]] == [50_000] * 400
        assert frames[-1] == "last"
    with pytest.raises(SocketError, match="not running"):
        server.hub.publish(Message("a"))
    with pytest.raises(OSError, match=r"Connect call failed"):
        await join(server)
    await server.stop()


async def test_a_stop_does_not_wait_for_who_does_not_read() -> None:
    server = SocketServer(port=0, drain_timeout=0.2)
    await server.start()
    request = {"type": "subscribe", "names": ["a"]}
    slow = await asyncio.to_thread(Raw, server, request)
    waiting = socket.create_connection((server.host, server.port))
    await asyncio.to_thread(slow.read_until, b"subscribed")
    server.hub.publish(Message("a", '"' + "x" * 20_000_000 + '"'))
    with slow.socket, waiting:
        async with asyncio.timeout(PATIENCE / 2):
            await server.stop()


async def test_serving_ends_when_the_server_is_stopped(join: Connect) -> None:
    server = SocketServer(port=0)
    await server.start()
    serving = asyncio.create_task(server.serve_forever())
    client = await join(server)
    await server.stop()
    async with asyncio.timeout(PATIENCE):
        await serving
    assert (await closed(client))[0] == 1012


async def test_serving_that_is_cancelled_stops_the_server(join: Connect) -> None:
    server = SocketServer(port=0)
    await server.start()
    serving = asyncio.create_task(server.serve_forever())
    client = await join(server)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert (await closed(client))[0] == 1012


# The start.


async def test_a_taken_port_is_named(server: SocketServer) -> None:
    other = SocketServer(port=server.port)
    with pytest.raises(
        HyperlambdaError, match=f"^port {server.port} of 127.0.0.1 is already taken$"
    ):
        await other.start()


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.1", 70_000), ("256.0.0.1", 0), ("192.0.2.1", 0)]
)
async def test_an_address_that_is_none_is_named(host: str, port: int) -> None:
    server = SocketServer(host, port, secret=SECRET)
    with pytest.raises(HyperlambdaError, match=f"cannot listen on port {port}"):
        await server.start()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "example.com"])
def test_the_world_is_served_with_a_secret_only(host: str) -> None:
    with pytest.raises(HyperlambdaError, match="needs a secret"):
        SocketServer(host)
    assert SocketServer(host, secret=SECRET).secret == SECRET


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_loopback_gets_a_secret_of_its_own(host: str) -> None:
    one, two = SocketServer(host), SocketServer(host)
    assert one.is_secret_ephemeral
    assert len(one.secret) > 50
    assert one.secret != two.secret
    assert not SocketServer(host, secret=SECRET).is_secret_ephemeral


def test_an_empty_secret_is_no_secret() -> None:
    with pytest.raises(HyperlambdaError, match="the secret is empty"):
        SocketServer(secret="")


async def test_a_short_secret_is_warned_of(
    start_server: StartServer, caplog: pytest.LogCaptureFixture
) -> None:
    await start_server(secret="short")
    assert "fewer than 50 characters" in caplog.text
    caplog.clear()
    await start_server()
    assert "characters" not in caplog.text


async def test_a_server_starts_once(server: SocketServer) -> None:
    with pytest.raises(HyperlambdaError, match="started already"):
        await server.start()


def test_addresses_are_written_as_urls() -> None:
    server = SocketServer("::1", 80)
    assert server.url == "http://[::1]:80"
    assert server.socket_url == "ws://[::1]:80/ws"


def test_a_server_that_never_started_can_be_stopped() -> None:
    server = SocketServer(port=0)
    asyncio.run(server.stop())
    with pytest.raises(SocketError, match="not running"):
        server.hub.publish(Message("a"))


def test_a_background_server_serves_and_ends() -> None:
    before = threading.active_count()
    with BackgroundServer() as background:
        assert threading.active_count() == before + 1
        with socket.create_connection((background.server.host, background.server.port)):
            pass
        with pytest.raises(HyperlambdaError, match="is already taken"):
            BackgroundServer(port=background.server.port).start()
    assert threading.active_count() == before
    background.stop()
    with pytest.raises(SocketError, match="not running"):
        background.hub.publish(Message("a"))


async def test_neither_tokens_nor_queries_are_logged(
    server: SocketServer, join: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("websockets.client", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    token = server.token("ada")
    raw = await asyncio.to_thread(RawWithToken, server, token)
    with raw.socket:
        await asyncio.to_thread(raw.read_until, b"welcome")
    bad = await asyncio.to_thread(RawWithToken, server, token[:-3])
    with bad.socket:
        assert b"401" in await asyncio.to_thread(bad.read_until, b"another secret")
    await until_count(server, 0)
    assert token[:20] not in caplog.text
    assert "access_token" not in caplog.text
