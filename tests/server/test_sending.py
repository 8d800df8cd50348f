"""Messages to many sockets at once, and threads that publish faster than these are sent."""

from __future__ import annotations

import asyncio
import ctypes
import random
import socket
import threading
from array import array
from collections.abc import Iterator
from importlib import import_module
from typing import Any
from unittest import mock

import pytest

import hyperlambda
from hyperlambda.server import links, sending
from hyperlambda.server.auth import ANONYMOUS
from hyperlambda.server.connection import NO_OUTLET, Connection
from hyperlambda.server.hub import LONG_INBOX
from hyperlambda.server.links import Link
from hyperlambda.server.parcels import Roster
from hyperlambda.sockets import Message

from .clients import PATIENCE
from .hubs import add, encode
from .test_links import Office, Pair, drain, fill

MANY = 50
"""More than are looked at singly."""


@pytest.fixture(params=["held", "slower", "compiled"])
def kind(request: pytest.FixtureRequest) -> str:
    """How it is sent: with the lock held, without, and by the loop in C if it is there."""
    return str(request.param)


@pytest.fixture
def send(kind: str) -> sending.Send:
    return sending._write if kind == "slower" else sending.find_send()


@pytest.fixture
def send_all(
    kind: str, send: sending.Send, monkeypatch: pytest.MonkeyPatch
) -> sending.SendAll:
    if kind == "compiled":
        return sending.find_send_all(send)
    with monkeypatch.context() as patch:
        patch.setattr(sending, "import_module", mock.Mock(side_effect=ImportError))
        return sending.find_send_all(send)


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    """Ends of connections, of which the first ones can take little."""
    found = [socket.socketpair() for _ in range(MANY)]
    for pair in found:
        for end in pair:
            end.setblocking(False)
        pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    yield found
    for pair in found:
        for end in pair:
            end.close()


class Buffered:
    """A transport that sends at once if nothing waits, and the rest when it is told to."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._waiting = b""

    def get_write_buffer_size(self) -> int:
        return len(self._waiting)

    def write(self, data: bytes) -> None:
        was_empty = not self._waiting
        self._waiting += data
        if was_empty:
            self.flush()

    def flush(self) -> None:
        try:
            self._waiting = self._waiting[self._end.send(self._waiting) :]
        except OSError:
            pass


class Crowd:
    """An office with many connections, all of which have had a message."""

    def __init__(
        self, pairs: list[Pair], send: sending.Send, send_all: sending.SendAll
    ) -> None:
        self.office = Office(max_bytes=10**6)
        self.office.writer._socket_send = send
        self.office.writer._send_all = send_all
        self.pairs = pairs
        self.joined: list[tuple[Buffered, Any, Connection]] = []
        for number, (end, _) in enumerate(pairs):
            _, link, connection = self.office.join(
                str(number), "a", descriptor=end.fileno()
            )
            link.transport = Buffered(end)
            self.joined.append((link.transport, link, connection))
        self.send("first")
        # It has opened the outlets.
        for end, (_, link, connection) in zip(self.pairs, self.joined, strict=True):
            assert drain(end[1]) == b"a=first;"
            assert connection.outlet == link.descriptor

    def send(self, argument: str) -> None:
        self.office.hub.publish(Message("a", argument))
        self.office.turn()

    def read(self, number: int) -> bytes:
        """Return what a socket has taken, and then what waits for it."""
        transport = self.joined[number][0]
        found = drain(self.pairs[number][1])
        while transport.get_write_buffer_size():
            transport.flush()
            found += drain(self.pairs[number][1])
        return found.replace(b"full;", b"")


@pytest.mark.parametrize("step", [1, 7, 256])
async def test_each_of_many_gets_all_in_order_whatever_happens_to_some(
    pairs: list[Pair],
    send: sending.Send,
    send_all: sending.SendAll,
    step: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(links, "_CONNECTIONS_AT_ONCE", step)
    crowd = Crowd(pairs, send, send_all)
    dice = random.Random(step)
    expected = [b""] * MANY
    got = [b""] * MANY
    waited = set()
    for number in range(20):
        for chosen in dice.sample(range(MANY), 10):
            match dice.randrange(3):
                case 0:
                    Link.write(crowd.joined[chosen][1], b"beat;")
                    expected[chosen] += b"beat;"
                case 1 if not crowd.joined[chosen][0].get_write_buffer_size():
                    fill(pairs[chosen][0])
                case _:
                    got[chosen] += crowd.read(chosen)
        text = f"{number}{'x' * dice.choice([1, 10, 3_000])}"
        crowd.send(text)
        expected = [each + f"a={text};".encode() for each in expected]
        waited |= {
            number
            for number, (transport, _, _) in enumerate(crowd.joined)
            if transport.get_write_buffer_size()
        }
    assert [had + crowd.read(n) for n, had in enumerate(got)] == expected
    assert crowd.office.dropped == []
    assert len(waited) > MANY / 4


async def test_many_sockets_that_are_broken_or_gone_keep_nothing_from_the_others(
    pairs: list[Pair], send: sending.Send, send_all: sending.SendAll
) -> None:
    crowd = Crowd(pairs, send, send_all)
    pairs[3][1].close()
    gone = crowd.joined[5]
    crowd.office.hub.leave(gone[2])
    crowd.send("1")
    assert crowd.joined[3][0].get_write_buffer_size() == len(b"a=1;")
    assert gone[0].get_write_buffer_size() == 0
    got = [drain(end) for _, end in pairs if end.fileno() >= 0]
    assert got.count(b"a=1;") == MANY - 2


@pytest.mark.parametrize("count", [1, MANY])
async def test_when_frames_were_sent_is_known_within_a_moment(
    pairs: list[Pair],
    send: sending.Send,
    send_all: sending.SendAll,
    count: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crowd = Crowd(pairs, send, send_all)
    for _, _, connection in crowd.joined[count:]:
        crowd.office.hub.leave(connection)
    begin = asyncio.get_running_loop().time() + 1_000
    clock = mock.Mock()
    monkeypatch.setattr(crowd.office.writer, "_loop", mock.Mock(time=clock))
    seen = []
    for seconds in (0.0, 0.1, 0.3, 0.7):
        clock.return_value = begin + seconds
        crowd.send("1")
        sent = {each[2].last_sent for each in crowd.joined[:count]}
        assert len(sent) == 1
        seen.append(clock() - sent.pop())
    assert seen[0] == seen[2] == seen[3] == 0
    assert seen[1] == (0 if count == 1 else pytest.approx(0.1))


def test_a_roster_sees_each_outlet_as_it_is_now() -> None:
    connections = [Connection(str(n), ANONYMOUS, encode) for n in range(3)]
    roster = Roster(connections)
    assert list(roster.outlets()) == [NO_OUTLET] * 3
    connections[1].outlet = 17
    assert list(roster.outlets()) == [NO_OUTLET, 17, NO_OUTLET]
    known = roster.outlets()
    connections[1].outlet = 17
    assert roster.outlets() is known
    connections[1].outlet = NO_OUTLET
    assert list(roster.outlets()) == [NO_OUTLET] * 3


def test_without_ctypes_there_is_something_slower(
    pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "ctypes", None)
    assert sending.find_send() is sending._write
    monkeypatch.setattr(
        sending, "ctypes", mock.Mock(PyDLL=mock.Mock(side_effect=OSError))
    )
    assert sending.find_send() is sending._write


def test_a_part_a_full_socket_and_a_wrong_one(
    pairs: list[Pair], send: sending.Send
) -> None:
    one, other = pairs[0]
    assert send(one.fileno(), b"all of it", 3, sending.FLAGS) == 3
    assert drain(other) == b"all"
    assert 0 < send(one.fileno(), b"x" * 10**6, 10**6, sending.FLAGS) < 10**6
    assert send(one.fileno(), b"x", 1, sending.FLAGS) == -1
    assert send(NO_OUTLET, b"x", 1, sending.FLAGS) == -1
    drain(other)
    other.close()
    assert send(one.fileno(), b"x", 1, sending.FLAGS) == -1


def test_what_is_sent_to_many_is_what_is_sent_to_each(
    pairs: list[Pair], send_all: sending.SendAll
) -> None:
    outlets = array("i", [pair[0].fileno() for pair in pairs[:4]])
    assert send_all(outlets, b"all of it", 3, sending.FLAGS) is None
    assert send_all(array("i"), b"all of it", 3, sending.FLAGS) is None
    fill(pairs[2][0])
    outlets[1] = NO_OUTLET
    assert send_all(outlets, b"more", 4, sending.FLAGS) == [4, -1, -1, 4]
    got = [drain(other).replace(b"full;", b"") for _, other in pairs[:4]]
    assert got == [b"allmore", b"all", b"all", b"allmore"]


def test_what_was_compiled_is_used_and_takes_no_more_than_there_is() -> None:
    try:
        send_all: Any = import_module("hyperlambda.server._sending").send_all
    except ImportError:
        # The plain form does not have it.
        assert not hyperlambda.is_accelerated
        return
    assert sending.find_send_all(sending.find_send()) is send_all
    for outlets, size in ((array("i"), 5), (array("i"), -1), (array("q", [1]), 1)):
        with pytest.raises(ValueError, match="part of data"):
            send_all(outlets, b"text", size, sending.FLAGS)


def test_the_lock_is_held_while_the_system_sends() -> None:
    send: Any = sending.find_send()
    assert send._flags_ == ctypes.PyDLL(None).send._flags_
    assert send._flags_ != ctypes.CDLL(None).send._flags_


def publish(office: Office, count: int, sizes: list[int]) -> threading.Thread:
    """Begin to publish in a thread of its own, and note how much waits each time."""

    def run() -> None:
        for _ in range(count):
            office.hub.publish(Message("a"))
            sizes.append(office.hub.inbox_size)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


async def test_a_thread_that_publishes_faster_than_frames_leave_waits_for_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(links, "_GIVE_WAY", PATIENCE)
    office = Office(max_messages=10**6)
    add(office.hub, "x", None, "a")
    sizes: list[int] = []
    await asyncio.to_thread(publish(office, 20 * LONG_INBOX, sizes).join)
    assert len(sizes) == 20 * LONG_INBOX
    # A turn that is under way may end one wait too early.
    assert max(sizes) < 2 * LONG_INBOX


async def test_a_thread_waits_once_for_a_loop_that_does_not_turn() -> None:
    office = Office()
    turned = mock.Mock()
    turned.wait.return_value = turned.is_set.return_value = False
    office.writer._has_turned = turned
    for _ in range(2):
        turned.reset_mock()
        sizes: list[int] = []
        # The loop is held up by this.
        publish(office, 3 * LONG_INBOX, sizes).join(PATIENCE)
        assert len(sizes) == 3 * LONG_INBOX
        turned.wait.assert_called_once_with(links._GIVE_WAY)
        office.turn()
        turned.set.assert_called()


async def test_the_thread_of_the_loop_never_waits_for_itself() -> None:
    office = Office()
    office.writer._has_turned = mock.Mock(wait=pytest.fail)
    for _ in range(3 * LONG_INBOX):
        office.hub.publish(Message("a"))
    assert office.hub.inbox_size == 3 * LONG_INBOX
