"""The writer: one write for each connection and turn, and no more than it can take."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from websockets.protocol import State

from hyperlambda.server.connection import NO_OUTLET
from hyperlambda.server.hub import Connection, SocketHub
from hyperlambda.server.links import Link, Writer
from hyperlambda.sockets import Message

from .clients import PATIENCE
from .hubs import add


class Transport:
    """Keeps what is written; never sends it on if it is slow."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.is_slow = False
        self.is_broken = False
        self.is_aborted = False

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self.written)) if self.is_slow else 0

    def write(self, data: bytes) -> None:
        if self.is_broken:
            raise RuntimeError("broken")
        self.written.append(data)

    def abort(self) -> None:
        self.is_aborted = True


class Office:
    """A hub and a writer with pretended links."""

    def __init__(self, *, max_bytes: int = 1_000, max_messages: int = 100) -> None:
        self.hub = SocketHub()
        self.dropped: list[Any] = []
        self.parted: list[Any] = []
        self.writer = Writer(
            self.hub,
            max_bytes=max_bytes,
            max_messages=max_messages,
            drop=self.dropped.append,
            part=lambda *ending: self.parted.append(ending),
        )

    def join(
        self, id: str, *names: str, descriptor: int = NO_OUTLET
    ) -> tuple[Transport, Any, Connection]:
        connection = add(self.hub, id, None, *names)
        transport = Transport()
        link = SimpleNamespace(
            transport=transport,
            protocol=SimpleNamespace(state=State.OPEN),
            backlog=0,
            descriptor=descriptor,
            session=SimpleNamespace(connection=connection),
            loop=asyncio.get_running_loop(),
        )
        self.writer.links[connection] = cast("Link", link)
        return transport, link, connection

    def turn(self) -> None:
        while self.writer.turn():
            pass


async def test_frames_of_one_turn_leave_in_one_write_and_are_joined_once() -> None:
    office = Office()
    transports = [office.join(str(n), "a")[0] for n in range(3)]
    other = office.join("other", "b")[0]
    for argument in ("1", "2", "3"):
        office.hub.publish(Message("a", argument))
    office.hub.publish(Message("b", "4"))
    office.turn()
    assert [t.written for t in transports] == [[b"a=1;a=2;a=3;"]] * 3
    assert len({id(t.written[0]) for t in transports}) == 1
    assert other.written == [b"b=4;"]


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a connection, of which the first can take little."""
    ends = socket.socketpair()
    for end in ends:
        end.setblocking(False)
    ends[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    yield ends
    for end in ends:
        end.close()


Pair = tuple[socket.socket, socket.socket]


def fill(end: socket.socket) -> None:
    """Write until nothing more fits."""
    try:
        while True:
            end.send(b"full;")
    except BlockingIOError:
        pass


def drain(end: socket.socket) -> bytes:
    """Read all that is there."""
    found = b""
    try:
        while True:
            found += end.recv(10_000)
    except BlockingIOError:
        return found


async def test_frames_go_to_the_socket_while_nothing_waits_before_them(
    pair: Pair,
) -> None:
    office = Office()
    transport, link, connection = office.join("x", "a", descriptor=pair[0].fileno())

    def send(argument: str) -> None:
        office.hub.publish(Message("a", argument))
        office.turn()

    send("1")
    assert transport.written == [b"a=1;"]
    send("2")
    assert pair[1].recv(100) == b"a=2;"
    transport.is_slow = True
    Link.write(link, b"heartbeat;")
    send("3")
    assert transport.written == [b"a=1;", b"heartbeat;", b"a=3;"]
    transport.written.clear()
    send("4")
    assert transport.written == [b"a=4;"]
    transport.written.clear()
    transport.is_slow = False
    send("5")
    send("6")
    assert transport.written == [b"a=5;"]
    assert pair[1].recv(100) == b"a=6;"
    office.hub.leave(connection)
    assert connection.outlet == NO_OUTLET


@pytest.mark.parametrize("size", [1, 50_000])
async def test_what_a_socket_does_not_take_waits_before_all_that_follows(
    pair: Pair, size: int
) -> None:
    """The socket takes a part of it, or nothing."""
    office = Office(max_bytes=10**6)
    transport, _, connection = office.join("x", "a", descriptor=pair[0].fileno())
    connection.outlet = pair[0].fileno()
    transport.is_slow = True
    if size == 1:
        fill(pair[0])
    office.hub.publish(Message("a", "x" * size))
    office.turn()
    taken = drain(pair[1]).replace(b"full;", b"")
    # There is room again, and yet:
    office.hub.publish(Message("a", "y"))
    office.turn()
    wanted = b"a=" + b"x" * size + b";"
    assert taken + transport.written[0] == wanted
    assert transport.written[1:] == [b"a=y;"]
    assert (len(taken) > 0) == (size > 1)


async def test_a_socket_that_is_broken_is_left_to_its_transport(pair: Pair) -> None:
    office = Office()
    transport, _, connection = office.join("x", "a", descriptor=pair[0].fileno())
    connection.outlet = pair[0].fileno()
    pair[1].close()
    office.hub.publish(Message("a", "1"))
    office.turn()
    assert transport.written == [b"a=1;"]


async def test_a_link_that_closes_writes_nothing_more(pair: Pair) -> None:
    transport, link, _ = Office().join("x", "a", descriptor=pair[0].fileno())
    link.protocol.state = State.CLOSING
    Link.write(link, b"heartbeat;")
    assert transport.written == []


async def test_a_connection_that_is_not_open_is_not_written_to() -> None:
    office = Office()
    transport, link, _ = office.join("x", "a")
    link.protocol.state = State.CLOSING
    office.hub.publish(Message("a"))
    office.turn()
    assert transport.written == []


async def test_a_broken_transport_keeps_nothing_from_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    office = Office()
    transports = [office.join(str(n), "a")[0] for n in range(5)]
    transports[2].is_broken = True
    office.hub.publish(Message("a", "1"))
    office.turn()
    assert [len(t.written) for t in transports] == [1, 1, 0, 1, 1]
    assert [t.is_aborted for t in transports] == [False, False, True, False, False]
    assert "could not be written to" in caplog.text


async def test_bytes_that_wait_are_bounded() -> None:
    office = Office(max_bytes=100)
    transport, link, _ = office.join("x", "a")
    transport.is_slow = True
    frame = len(b"a=0123456789;")
    for _ in range(100 // frame):
        office.hub.publish(Message("a", "0123456789"))
        office.turn()
    assert office.dropped == []
    assert len(transport.written) == 100 // frame
    office.hub.publish(Message("a", "0123456789"))
    office.turn()
    assert office.dropped == [link]
    assert len(transport.written) == 100 // frame


async def test_messages_that_wait_are_bounded_and_counted_while_they_wait() -> None:
    office = Office(max_messages=8)
    transport, link, _ = office.join("x", "a")
    for _ in range(20):
        office.hub.publish(Message("a"))
        office.turn()
    transport.is_slow = True
    transport.written.clear()
    for _ in range(8):
        office.hub.publish(Message("a"))
        office.turn()
    assert office.dropped == []
    office.hub.publish(Message("a"))
    office.turn()
    assert office.dropped == [link]


async def test_a_burst_alone_makes_nobody_too_slow() -> None:
    office = Office(max_bytes=400, max_messages=40)
    transport = office.join("x", "a")[0]
    for number in range(1_000):
        office.hub.publish(Message("a", str(number)))
    office.turn()
    assert office.dropped == []
    wanted = b"".join(b"a=%d;" % number for number in range(1_000))
    assert b"".join(transport.written) == wanted
    assert max(map(len, transport.written)) <= 110


async def test_a_failing_turn_is_not_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office()
    transport = office.join("x", "a")[0]
    loop = asyncio.get_running_loop()
    failed = loop.create_future()
    loop.set_exception_handler(lambda _, context: failed.set_result(context))
    deliver = office.hub.deliver
    turns = 0

    def fail_in_the_second_turn(*bounds: int) -> bool:
        nonlocal turns
        turns += 1
        office.hub._is_woken = False  # what `deliver` does first of all
        if turns == 2:
            raise ZeroDivisionError
        return True

    monkeypatch.setattr(office.hub, "deliver", fail_in_the_second_turn)
    office.hub.publish(Message("a", "1"))
    async with asyncio.timeout(PATIENCE):
        await failed
    monkeypatch.setattr(office.hub, "deliver", deliver)
    await asyncio.to_thread(office.hub.publish, Message("a", "2"))
    async with asyncio.timeout(PATIENCE):
        while not transport.written:
            await asyncio.sleep(0)
    assert transport.written == [b"a=1;a=2;"]
