"""The server on both event loops: order, slow readers, and sockets that go away."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import Coroutine
from typing import Any
from unittest import mock

import pytest
import uvloop
from websockets.asyncio.client import connect
from websockets.protocol import State

from hyperlambda.server import BackgroundServer, SocketServer, loops
from hyperlambda.server.connection import NO_OUTLET
from hyperlambda.server.links import Link
from hyperlambda.sockets import Message

from .clients import PATIENCE, SECRET, Raw, until_count

FACTORIES = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=FACTORIES)
def loop_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def run(loop_name: str, main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=FACTORIES[loop_name]) as runner:
        assert type(runner.get_loop()).__module__.startswith(loop_name)
        runner.run(asyncio.wait_for(main, 6 * PATIENCE))


def payloads(data: bytes) -> list[bytes]:
    """Return the payloads of all frames (RFC 6455 §5.2); nothing else may be there."""
    found, at = [], 0
    while at < len(data):
        length, start = data[at + 1], at + 2
        if length >= 126:
            start += 2 if length == 126 else 8
            length = int.from_bytes(data[at + 2 : start], "big")
        assert data[at] in (0x81, 0x89, 0x8A), data[at : at + 20]
        found.append(data[start : start + length])
        assert len(found[-1]) == length
        at = start + length
    return found


def test_who_reads_late_gets_everything_in_order(loop_name: str) -> None:
    """Frames, pongs and heartbeats, some past the transport's buffer and some not."""

    async def main() -> None:
        async with SocketServer(port=0, secret=SECRET, ping_interval=None) as server:
            raw = await asyncio.to_thread(
                Raw, server, {"type": "subscribe", "names": ["n"]}
            )
            await asyncio.to_thread(raw.read_until, b'"subscribed","names":["n"]}')
            (link,) = server._reception.links.values()
            (connection,) = server._reception.links
            buffers = link.transport.get_extra_info("socket")
            buffers.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
            states = set()
            for number in range(100):
                padding = "x" * (number * 37 % 9_000)
                server.hub.publish(Message("n", json.dumps([number, padding])))
                if number % 7 == 0:
                    link.write(b"\x89\x01p")
                if number % 11 == 0:
                    raw.socket.sendall(b"\x89\x81\0\0\0\0q")
                for _ in range(3):
                    await asyncio.sleep(0)
                states.add(connection.outlet == NO_OUTLET)
            assert states == {True, False}
            server.hub.publish(Message("n", '"last"'))
            end = b'"args":"last"}'
            data = await asyncio.to_thread(raw.read_until, end)
            # Pongs may follow.
            found = payloads(data[: data.index(end) + len(end)])
            texts = [json.loads(each) for each in found if len(each) > 1]
            assert [text["args"][0] for text in texts[:-1]] == list(range(100))
            assert found.count(b"p") == len(range(0, 100, 7))
            # Once everything is read, frames go the short way again.
            for _ in range(2):
                server.hub.publish(Message("n", '"again"'))
                await asyncio.to_thread(raw.read_until, b'"again"}')
            assert connection.outlet == link.descriptor != NO_OUTLET
            raw.socket.close()

    run(loop_name, main())


def test_nothing_is_written_to_the_socket_of_another(
    loop_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However a connection ends: its outlet is closed before its descriptor is."""
    ended: list[str] = []
    lose = Link.connection_lost

    def connection_lost(self: Link, exc: Exception | None) -> None:
        descriptor = self.descriptor
        assert self.session is not None
        lose(self, exc)
        try:
            os.fstat(descriptor)
            ended.append("open")
        except OSError:
            ended.append("closed before")
        assert self.session.connection.outlet == NO_OUTLET

    monkeypatch.setattr(Link, "connection_lost", connection_lost)

    async def main() -> None:
        async with SocketServer(port=0, secret=SECRET, queue_bytes=1_000) as server:

            async def join() -> Any:
                one = await connect(server.socket_url, proxy=None)
                welcome = json.loads(await one.recv())
                await one.send('{"type":"subscribe","names":["n"]}')
                await one.recv()
                server.hub.publish(Message("n"))
                await one.recv()
                return one, welcome["connection"]

            closing, _ = await join()
            vanishing, _ = await join()
            slow, _ = await join()
            sent_away, id = await join()
            stays, _ = await join()
            await closing.close()
            vanishing.transport.abort()
            await until_count(server, 3)
            server.hub.disconnect(id)
            await sent_away.wait_closed()
            slow.transport.pause_reading()
            while server.hub.connection_count > 1:
                server.hub.publish(Message("n", json.dumps("x" * 100_000)))
                await stays.recv()
        slow.transport.abort()
        await stays.wait_closed()

    run(loop_name, main())
    assert ended == ["open"] * 5


def test_a_signalr_client_sees_its_greeting_first(loop_name: str) -> None:
    async def main() -> None:
        async with SocketServer(port=0, secret=SECRET) as server:
            url = f"ws://127.0.0.1:{server.port}/sockets"
            async with connect(url, proxy=None) as one:
                await one.send('{"protocol":"json","version":1}\x1e')
                while not server.hub.connection_count:
                    await asyncio.sleep(0)
                server.hub.publish(Message("n", "1"))
                received = ""
                while received.count("\x1e") < 2:
                    received += str(await one.recv())
                assert received.startswith('{}\x1e{"type":1,"target":"n"')

    run(loop_name, main())


@pytest.mark.parametrize(
    ("frame", "is_waiting", "stays_open"),
    [
        (b"\x89\x80\0\0\0\0", True, False),  # a ping: the answer to it waits
        (b"\x89\x80\0\0\0\0", False, True),  # or has left
        (b"\x88\x80\0\0\0\0", False, False),  # the other end closes
    ],
)
def test_what_websockets_writes_is_not_overtaken(
    loop_name: str, frame: bytes, is_waiting: bool, stays_open: bool
) -> None:
    async def main() -> None:
        async with (
            SocketServer(port=0, secret=SECRET) as server,
            connect(server.socket_url, proxy=None) as one,
        ):
            await one.recv()
            ((connection, link),) = server._reception.links.items()
            real = link.transport
            connection.outlet = link.descriptor
            waiting = mock.Mock()
            waiting.get_write_buffer_size.return_value = is_waiting
            with mock.patch.object(link, "transport", waiting):
                link.data_received(frame)
            assert (connection.outlet == link.descriptor) == stays_open
            real.abort()

    run(loop_name, main())


def test_a_server_stops_while_signalr_clients_are_leaving(loop_name: str) -> None:
    """Nothing can be written to a socket whose writing side is closed already."""

    async def main() -> None:
        async with SocketServer(port=0, secret=SECRET) as server:
            url = f"ws://127.0.0.1:{server.port}/sockets"
            async with connect(url, proxy=None) as one:
                await one.send('{"protocol":"json","version":1}\x1e')
                await one.recv()
                (link,) = server._reception.links.values()
                link.data_received(b"\x88\x80\0\0\0\0")
                assert link.protocol.state is not State.OPEN
                await server.stop()

    run(loop_name, main())


@pytest.mark.parametrize("is_installed", [True, False])
def test_a_server_chooses_uvloop_where_it_is_installed(
    is_installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_installed:
        monkeypatch.setitem(sys.modules, "uvloop", None)
    found: list[str] = []
    serve = SocketServer.start

    async def start(self: SocketServer) -> None:
        found.append(type(asyncio.get_running_loop()).__module__)
        await serve(self)

    monkeypatch.setattr(SocketServer, "start", start)
    with BackgroundServer() as background:
        background.hub.publish(Message("n"))
    assert found[0].startswith("uvloop" if is_installed else "asyncio")
    assert (loops.find_loop_factory() is not None) == is_installed
