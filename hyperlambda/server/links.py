"""
What joins the hub's connections to sockets: one `Link` each, and one `Writer` for all.

The writer runs once in a turn of the event loop: it lets the hub deliver, then writes
the frames that wait at each connection with one call. It writes past `websockets`' own
sending, which would frame each message again for each receiver; nothing else sends data
frames on these connections, so no frame can land inside another.

While nothing waits in a transport's buffer, the writer writes to the socket itself, for
most of what `transport.write` costs besides the call to the system are checks that are
not needed then. This is the connection's `outlet`. Whatever else is written may have
to wait in the buffer, so it closes the outlet (`Link.write`, `Link.send_data`), and the
writer opens it again when it finds the buffer empty.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import InvalidMessage, ProtocolError
from websockets.frames import CloseCode
from websockets.protocol import State

from .auth import ANONYMOUS, Identity
from .connection import NO_OUTLET
from .hub import LONG_INBOX, Connection, SocketHub
from .parcels import Parcel
from .protocols import Session
from .responses import respond_text
from .sending import FLAGS, MOST, find_send, find_send_all

__all__ = ["Link", "Writer"]

_log = logging.getLogger(__name__)

_GIVE_WAY = 0.005
"""Seconds that a thread which publishes waits for the event loop's turn, at most."""

_FEW = 16
"""Connections for which it does not pay to look at them in any other way than singly."""

_NOTE_INTERVAL = 0.25
"""Seconds in which `last_sent` is set once at many connections, for heartbeats: to do it
for each message would cost as much as the rest."""

_CONNECTIONS_AT_ONCE = 256
_BYTES_AT_ONCE = 1 << 18
"""What is sent before other threads may have the interpreter's lock: 2 or 3 ms."""


_RUBBISH = respond_text(
    HTTPStatus.BAD_REQUEST,
    "this is no request, or one with a body, which none may have",
).serialize()


class Link(ServerConnection):
    """
    A socket, and what we know about it.

    Attributes:
        address: Of the other end, as the system tells it; that of the client, once a
            proxy has told it that is trusted.
        path: The path that it asked for; decides about its protocol.
        identity: Whose it is; both are set while the request is looked at.
        connection_id: The id that was negotiated for it, or None.
        resumes: Whether its client will say first what it has seen.
        session: None until the WebSocket is open.
        is_dismissed: Whether we are closing it; its further requests do not count.
        last_received: When anything arrived, in seconds of the loop's clock.
        descriptor: Of the socket, if frames may be written to it directly; else
            `NO_OUTLET`.
        backlog: How many messages were written since the transport was last empty.
        calls: How many files it has asked to run that have not ended.
        has_room: Set while it may ask for more.
        handshake_timer: Ends it if its client does not shake hands; None: it need not.
    """

    def __init__(
        self,
        *args: Any,
        made: Callable[[Link], None],
        lost: Callable[[Link], None],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.address = ""
        self.path = ""
        self.identity: Identity = ANONYMOUS
        self.connection_id: str | None = None
        self.resumes = False
        self.session: Session | None = None
        self.is_dismissed = False
        self.last_received = self.loop.time()
        self.descriptor = NO_OUTLET
        self.backlog = 0
        self.calls = 0
        self.has_room = asyncio.Event()
        self.has_room.set()
        self.handshake_timer: asyncio.TimerHandle | None = None
        self._is_refused = False
        self._has_said_why = False
        self._made = made
        self._lost = lost

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Report the socket, before its request has arrived."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        self.descriptor = _descriptor(transport)
        self._made(self)

    def data_received(self, data: bytes) -> None:
        """Note that the client is alive."""
        self.last_received = self.loop.time()
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Report that the socket is gone, before its descriptor is closed."""
        self._lost(self)
        super().connection_lost(exc)

    def send_data(self) -> None:
        """Send what `websockets` has to say: answers to pings, and closing."""
        if self.protocol.state is State.CONNECTING:
            self._refuse_rubbish()
        elif self.protocol.state is State.CLOSING:
            self._say_why()
        super().send_data()
        # It calls this for whatever it receives, and mostly has nothing to say.
        if (
            self.protocol.state is not State.OPEN
            or self.transport.get_write_buffer_size()
        ):
            self._close_outlet()

    def write(self, data: bytes) -> None:
        """
        Write frames at once, behind those that were written before.

        Does nothing when the connection is closing: asyncio's transports refuse that.
        """
        if self.protocol.state is not State.OPEN:
            return
        if self.session is not None:
            connection = self.session.connection
            connection.outlet = NO_OUTLET
            connection.last_sent = self.loop.time()
        self.transport.write(data)

    def _refuse_rubbish(self) -> None:
        """
        Answer what is no request, has a body, or does not wait for its answer.

        `websockets` would only hang up, and a proxy would take that for a server that
        fails, and turn to others for a while.
        """
        error = self.protocol.handshake_exc
        is_rubbish = (
            isinstance(error, InvalidMessage)
            and not isinstance(error.__cause__, EOFError)  # nobody waits for an answer
        )
        is_hasty = isinstance(self.protocol.parser_exc, ProtocolError)
        if (is_rubbish or is_hasty) and not self._is_refused:
            self._is_refused = True
            self.transport.write(_RUBBISH)
        if is_hasty:
            # The answer to the request itself cannot be sent any more.
            self.protocol.receive_eof()
            self.transport.close()

    def _say_why(self) -> None:
        """Let the session explain a close frame that `websockets` made by itself."""
        close, session = self.protocol.close_sent, self.session
        if self._has_said_why or session is None or close is None:
            return
        self._has_said_why = True
        last = session.overflow() if close.code == CloseCode.MESSAGE_TOO_BIG else None
        if last is not None:
            self.transport.write(last)

    def _close_outlet(self) -> None:
        if self.session is not None:
            self.session.connection.outlet = NO_OUTLET


def _descriptor(transport: asyncio.BaseTransport) -> int:
    socket = transport.get_extra_info("socket")
    # Windows has no descriptors of sockets; under TLS frames are not what is sent.
    if (
        socket is None
        or sys.platform == "win32"
        or transport.get_extra_info("sslcontext") is not None
    ):
        return NO_OUTLET
    return int(socket.fileno())


class Writer:
    """
    Writes what the hub delivers.

    Args:
        hub: Is told to wake this writer.
        max_bytes: How much may wait for one connection before it counts as too slow.
        max_messages: The same in messages.
        drop: Called with a link that is too slow.
        part: Called with a link that a program ends, the reason, and whether its client
            may return.

    A message that alone is bigger than the bound is still taken when nothing waits.
    """

    def __init__(
        self,
        hub: SocketHub,
        *,
        max_bytes: int,
        max_messages: int,
        drop: Callable[[Link], None],
        part: Callable[[Link, str, bool], None],
    ) -> None:
        self.links: dict[Connection, Link] = {}
        self._hub = hub
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._max_bytes = max_bytes
        self._max_messages = max_messages
        # So that one turn alone cannot make anybody too slow.
        self._turn_bytes = max(1, min(1 << 20, max_bytes // 4))
        self._turn_messages = max(1, min(1_000, max_messages // 4))
        self._drop = drop
        self._part = part
        self._socket_send = find_send()
        self._send_all = find_send_all(self._socket_send)
        self._is_busy = False
        self._has_turned = threading.Event()
        self._is_late = False
        hub.wake = self._wake
        hub.give_way = self._give_way

    def turn(self) -> bool:
        """Deliver and write a part of what waits; return whether more waits."""
        more = self._hub.deliver(self._turn_messages, self._turn_bytes)
        if self._hub.parcels:
            self._flush()
        if self._hub.leaving:
            self._send_away()
        self._is_late = False
        if not self._has_turned.is_set():
            self._has_turned.set()
        return more

    def _wake(self) -> None:
        if threading.get_ident() == self._thread:
            # The other way costs two calls to the system.
            self._loop.call_soon(self._start)
        else:
            self._loop.call_soon_threadsafe(self._start)

    def _give_way(self) -> None:
        """
        Hold a thread that publishes up until this writer had its turn, for a moment.

        A thread that goes on computing has the interpreter's lock when the event loop
        wants it back, which is after each of its calls to the system. One that waits
        has not, and loses little, for the two cannot compute at the same time anyway.
        """
        if self._is_late or threading.get_ident() == self._thread:
            return
        self._has_turned.clear()
        # Was it taken in between, then no turn may come that ends the wait.
        if self._hub.inbox_size >= LONG_INBOX:
            # Only once until it has turned: should the loop itself wait for the thread,
            # or have many to write to, the thread goes on.
            self._is_late = not self._has_turned.wait(_GIVE_WAY)

    def _start(self) -> None:
        if not self._is_busy:
            self._run()

    def _run(self) -> None:
        # Should a turn fail, the next wake begins anew.
        self._is_busy = False
        if self.turn():
            self._is_busy = True
            # Sockets get their turn in between.
            self._loop.call_soon(self._run)

    def _send_away(self) -> None:
        leaving, self._hub.leaving = self._hub.leaving, []
        for farewell in leaving:
            for connection in farewell.connections:
                link = self.links.get(connection)
                if link is not None:
                    self._part(link, farewell.reason, farewell.may_return)

    def _flush(self) -> None:
        parcels, self._hub.parcels = self._hub.parcels, []
        now = self._loop.time()
        for parcel in parcels:
            self._send(parcel, parcel.data(), now)

    def _send(self, parcel: Parcel, data: bytes, now: float) -> None:
        """Write data to each connection: with as little as can be for each."""
        roster, send = parcel.connections, self._socket_send
        size = len(data)
        amount = min(size, MOST)
        if len(roster) <= _FEW or size > MOST:
            for connection in roster:
                connection.last_sent = now
                sent = send(connection.outlet, data, amount, FLAGS)
                if sent != size:
                    self._queue_rest(connection, parcel, data, sent, now)
            return
        if now - roster.noted >= _NOTE_INTERVAL:
            roster.noted = now
            for connection in roster:
                connection.last_sent = now
        step = max(1, min(_CONNECTIONS_AT_ONCE, _BYTES_AT_ONCE // size))
        for start in range(0, len(roster), step):
            # Anew each time: to queue for one may close the outlet of any.
            outlets = roster.outlets()[start : start + step]
            taken = self._send_all(outlets, data, size, FLAGS)
            if taken is not None:
                for number, sent in enumerate(taken, start):
                    if sent != size:
                        self._queue_rest(roster[number], parcel, data, sent, now)

    def _queue_rest(
        self,
        connection: Connection,
        parcel: Parcel,
        data: bytes,
        sent: int,
        now: float,
    ) -> None:
        """
        Write what a socket has not taken behind what waits before it.

        None of it was taken if there was no outlet, if the socket takes nothing more at
        present, or if it is broken; the transport knows what to do about each.
        """
        rest = data if sent < 0 else data[sent:]
        self._queue(connection, rest, len(parcel.frames), now)

    def _queue(
        self, connection: Connection, data: bytes, count: int, now: float
    ) -> None:
        """Write the data of some frames behind what waits in a connection's buffer."""
        link = self.links.get(connection)
        if link is None or link.protocol.state is not State.OPEN:
            connection.outlet = NO_OUTLET
            return
        transport = link.transport
        waiting = transport.get_write_buffer_size()
        if waiting:
            link.backlog += count
            if (
                waiting + len(data) > self._max_bytes
                or link.backlog > self._max_messages
            ):
                self._drop(link)
                return
        else:
            link.backlog = count
        connection.last_sent = now
        connection.outlet = NO_OUTLET
        try:
            transport.write(data)
        except Exception:
            # Whatever is wrong with one transport, the others get their frames.
            _log.exception("a connection could not be written to")
            transport.abort()
            return
        if not transport.get_write_buffer_size():
            connection.outlet = link.descriptor
