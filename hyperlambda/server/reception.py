"""
What becomes of a connection, from its first byte to its end.

A connection whose WebSocket is open has a session, which speaks its protocol. Whatever
ends it, its client is told why first, in a way that its protocol has for that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from functools import partial

from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from .hub import Connection, SocketHub
from .links import Link, Writer
from .pace import Addresses
from .parting import (
    ASKED_BACK,
    SENT_AWAY,
    TOKEN_EXPIRED,
    TOO_SLOW,
    Partings,
    part,
)
from .protocols import Session
from .seats import Seats
from .sessions import SessionMaker
from .watch import Watch

__all__ = ["Reception"]

_LONGEST_TURN = 0.01
"""Seconds that a client's frames are read in a row before others have their turn."""

_log = logging.getLogger("hyperlambda.server")


class Reception:
    """
    Looks after the connections of a server; see `SocketServer` for what the options mean.

    Args:
        hub: Delivers to them.
        maker: Makes their sessions.
        plain_path: Where clients of the plain protocol connect; None: nowhere.
        signalr_path: The same of SignalR clients.
        seats: Counts them.
        addresses: Counts those of each address.

    Attributes:
        sockets: All that are open, whether they are WebSockets yet or not.
    """

    def __init__(
        self,
        hub: SocketHub,
        maker: SessionMaker,
        *,
        plain_path: str | None,
        signalr_path: str | None,
        seats: Seats,
        addresses: Addresses,
        queue_bytes: int,
        queue_messages: int,
        ping_interval: float | None,
        ping_timeout: float,
        leeway: float,
        close_on_expiry: bool,
        handshake_timeout: float,
    ) -> None:
        self.sockets: set[Link] = set()
        self._hub = hub
        self._maker = maker
        self._sessions: dict[str, Callable[[Link], Session]] = {}
        if plain_path is not None:
            self._sessions[plain_path] = maker.plain
        if signalr_path is not None:
            self._sessions[signalr_path] = self._signalr_session
        self._seats = seats
        self._addresses = addresses
        self._queue_bytes = queue_bytes
        self._queue_messages = queue_messages
        self._ping_interval = ping_interval
        self._ping_timeout = ping_timeout
        self._leeway = leeway
        self._close_on_expiry = close_on_expiry
        self._handshake_timeout = handshake_timeout
        self._partings = Partings()
        self._writer: Writer | None = None
        self._watch: Watch | None = None

    @property
    def paths(self) -> Collection[str]:
        """Where WebSockets may be opened."""
        return self._sessions.keys()

    @property
    def links(self) -> Mapping[Connection, Link]:
        """Those that have a session."""
        return {} if self._writer is None else self._writer.links

    def open(self) -> None:
        """Begin to deliver, and to look who is silent; on the event loop."""
        self._writer = Writer(
            self._hub,
            max_bytes=self._queue_bytes,
            max_messages=self._queue_messages,
            drop=self._drop,
            part=self._send_away,
        )
        self._watch = Watch(
            self._writer.links.values,
            ping_interval=self._ping_interval,
            ping_timeout=self._ping_timeout,
            leeway=self._leeway,
            expired=self._expire if self._close_on_expiry else None,
            silent=partial(
                self._dismiss,
                code=CloseCode.INTERNAL_ERROR,
                reason="no answer to pings",
            ),
        )

    async def close(self, drain_timeout: float) -> None:
        """Close the hub; let clients have what is queued, and end their connections."""
        writer, watch = self._writer, self._watch
        assert writer is not None  # open has made both
        assert watch is not None
        watch.stop()
        self._hub.close()
        while writer.turn():
            await asyncio.sleep(0)
        for link in list(writer.links.values()):
            self._dismiss(
                link,
                code=CloseCode.SERVICE_RESTART,
                reason="the server stops",
                is_error=False,
                timeout=drain_timeout,
            )
        await self._partings.wait()

    def abort(self) -> None:
        """End what is left, without a word."""
        for link in list(self.sockets):
            link.transport.abort()

    def meet(self, link: Link) -> None:
        """Note a socket, before its request has arrived."""
        self.sockets.add(link)
        self._addresses.add(link.address)

    def forget(self, link: Link) -> None:
        """Note that a socket is gone."""
        self.sockets.discard(link)
        self._addresses.discard(link.address)
        self._part_from(link)

    async def handle(self, link: Link) -> None:
        """Serve a WebSocket until it ends."""
        writer, watch = self._writer, self._watch
        assert writer is not None  # open has made both
        assert watch is not None
        session = link.session = self._sessions[link.path](link)
        writer.links[session.connection] = link
        self._seats.take(len(writer.links))
        told = _log.isEnabledFor(logging.DEBUG)
        if told:
            _log.debug("connection %s is open at %s", _name(link), link.path)
        try:
            session.open()
            watch.add(link)
            turn_end = link.loop.time() + _LONGEST_TURN
            async for data in link:
                if not link.is_dismissed:
                    session.receive(data)
                if not link.has_room.is_set():
                    await link.has_room.wait()
                # While frames wait, `websockets` gives nobody else a turn by itself.
                if link.loop.time() > turn_end:
                    await asyncio.sleep(0)
                    turn_end = link.loop.time() + _LONGEST_TURN
        except ConnectionClosed:
            pass
        except Exception:
            # A mistake of ours, or of an executor: it ends this connection only.
            _log.exception("connection %s failed", session.connection.id)
            await part(link, CloseCode.INTERNAL_ERROR, "internal error", 1)
        finally:
            if told:
                # Without the reason: clients and programs say what they want there.
                _log.debug("connection %s has ended: %s", _name(link), link.close_code)

    def _signalr_session(self, link: Link) -> Session:
        session = self._maker.signalr(link, partial(self._end, link))
        link.handshake_timer = link.loop.call_later(
            self._handshake_timeout, session.check_handshake
        )
        return session

    def _part_from(self, link: Link) -> None:
        link.has_room.set()
        if link.handshake_timer is not None:
            # Else it would keep all that belongs to the connection until its time.
            link.handshake_timer.cancel()
        if link.session is not None and self._writer is not None:
            self._writer.links.pop(link.session.connection, None)
            self._seats.take(len(self._writer.links))
            self._hub.leave(link.session.connection)

    def _expire(self, link: Link) -> None:
        self._dismiss(link, code=TOKEN_EXPIRED, reason="token expired")

    def _drop(self, link: Link) -> None:
        self._hub.counters.dropped += 1
        _log.warning("connection %s reads too slowly and is dropped", _name(link))
        self._dismiss(link, code=TOO_SLOW, reason="reading too slowly")

    def _send_away(self, link: Link, reason: str, may_return: bool) -> None:
        self._dismiss(
            link,
            code=ASKED_BACK if may_return else SENT_AWAY,
            reason=reason or "disconnected",
            may_return=may_return,
        )

    def _dismiss(
        self,
        link: Link,
        *,
        code: int,
        reason: str,
        is_error: bool = True,
        may_return: bool = True,
        timeout: float = 1,
    ) -> None:
        session = link.session
        last = None
        if session is not None:
            last = session.farewell(reason if is_error else "", may_return=may_return)
        self._close(link, last, code, reason, timeout)

    def _end(self, link: Link, last: bytes | None) -> None:
        """Close a connection whose session is over; a last frame says why."""
        if last is None:
            self._close(link, None, CloseCode.NORMAL_CLOSURE, "", 1)
        else:
            self._close(link, last, CloseCode.POLICY_VIOLATION, "", 1)

    def _close(
        self, link: Link, last: bytes | None, code: int, reason: str, timeout: float
    ) -> None:
        link.is_dismissed = True
        self._part_from(link)
        if last is not None:
            link.write(last)
        self._partings.begin(link, code, reason, timeout)


def _name(link: Link) -> str:
    """Return whose connection it is, for the log."""
    assert link.session is not None  # it had one from the beginning
    user = link.identity.username
    who = "somebody anonymous" if user is None else ascii(user[:200])
    return f"{link.session.connection.id} of {who}, from {link.address}"
