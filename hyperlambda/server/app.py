"""
The socket server: listens, upgrades, serves the pages, and ends in good order.

`SocketServer` lives on an event loop; `BackgroundServer` gives it a thread of its own
beside synchronous code.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Collection, Iterable
from functools import partial
from types import TracebackType
from typing import Self

from websockets.asyncio.server import Server
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from ..errors import HyperlambdaError
from .auth import SHORT_SECRET, issue_token, signing_key
from .backplane import Backplane
from .gate import Gate, is_loopback, require_free
from .history import History
from .hub import Connection, SocketHub
from .links import Link, Writer
from .listening import listen
from .metrics import CallTimes, Refusals, write_metrics
from .negotiation import Negotiator
from .pace import Addresses
from .parting import (
    ASKED_BACK,
    SENT_AWAY,
    TOKEN_EXPIRED,
    TOO_SLOW,
    Partings,
    part,
)
from .protocols import Session, signalr
from .protocols.plain import Execute
from .protocols.signalr import SignalRSession
from .recovery import Bounds
from .seats import Seats
from .sessions import SessionMaker
from .watch import Watch

__all__ = ["PLAIN_PATH", "SIGNALR_PATH", "SocketServer"]

PLAIN_PATH = "/ws"

SIGNALR_PATH = "/sockets"

_log = logging.getLogger("hyperlambda.server")


class SocketServer:
    """
    Serves WebSocket clients and the Sockets page on one port.

    Args:
        host: Other than loopback needs a secret.
        port: 0 picks a free one.
        secret: Signs and verifies tokens; without one a random secret is made.
        publishers: Roles of which a client needs one to publish.
        origins: Origins of pages that may connect, besides our own; "*" for all.
        max_size: Bytes of a client's message; bigger ones end the connection (1009).
        queue_bytes: How much may wait for one client before it is dropped (4008).
        queue_messages: The same in messages; counted only while some wait.
        ping_interval: Seconds of silence before a client is asked whether it is there;
            None for never.
        ping_timeout: Seconds that it has to answer.
        close_on_expiry: Whether a connection ends with its token (3005).
        require_auth: Whether nobody may connect without a token.
        reject_invalid_token: Whether who shows a bad token is refused; else it counts
            as none.
        leeway: Seconds by which the clocks of issuer and server may differ.
        max_connections: How many clients at most; None for no limit.
        max_per_address: The same of one address, of IPv6 of one network of 64 bits.
            Clients behind a proxy all have the address of that.
        publish_rate: How many messages a second a client may publish, in the mean of
            some seconds, before it is slowed down; None for no limit.
        execute_rate: The same of files that it runs.
        request_rate: How many HTTP requests a second one address may make, for pages,
            negotiation and WebSockets; None for no limit.
        history: Keeps messages for clients that come back; None: nothing is kept.
        open_timeout: Seconds from the first byte to the open WebSocket.
        handshake_timeout: Seconds from there to the handshake of a SignalR client.
        max_record: Bytes of a SignalR client's record; after a bigger one the
            connection is closed.
        drain_timeout: Seconds that `stop` gives clients to read what is queued.
        execute: Runs files for clients; None: they cannot.
        signalr_path: Where SignalR clients connect; empty: nobody can connect at all.
        backplane: Joins this server to others; None: it is alone.
        seats: Counts the clients of all processes that listen on the port; None: this
            is the only one, and `max_connections` tells how many it may have.

    Attributes:
        hub: Publishes, from any thread, once the server has started.
        secret: The one given, or the random one.
        is_secret_ephemeral: Whether it is random: then tokens end with the server.

    Raises:
        HyperlambdaError: The host needs a secret, or the secret cannot be used.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 8765,
        *,
        secret: str | None = None,
        publishers: Collection[str] = ("root", "admin"),
        origins: Collection[str] = (),
        max_size: int = 64 * 1024,
        queue_bytes: int = 4 * 1024 * 1024,
        queue_messages: int = 10_000,
        ping_interval: float | None = 15,
        ping_timeout: float = 15,
        close_on_expiry: bool = True,
        require_auth: bool = False,
        reject_invalid_token: bool = True,
        leeway: float = 30,
        max_connections: int | None = 10_000,
        max_per_address: int | None = None,
        publish_rate: float | None = 5_000,
        execute_rate: float | None = 500,
        request_rate: float | None = None,
        history: History | None = None,
        open_timeout: float = 10,
        handshake_timeout: float = 15,
        max_record: int = signalr.MAX_RECORD,
        drain_timeout: float = 5,
        execute: Execute | None = None,
        signalr_path: str = SIGNALR_PATH,
        backplane: Backplane | None = None,
        seats: Seats | None = None,
    ) -> None:
        if secret is None and not is_loopback(host):
            raise HyperlambdaError(
                f"a server on '{host}' can be reached from outside and needs a secret"
            )
        self.is_secret_ephemeral = secret is None
        self.secret = secrets.token_urlsafe(48) if secret is None else secret
        signing_key(self.secret)
        self.host = host
        self.port = port
        self.hub = SocketHub(backplane=backplane, history=history)
        self._max_size = max_size
        self._queue_bytes = queue_bytes
        self._queue_messages = queue_messages
        self._ping_interval = ping_interval
        self._ping_timeout = ping_timeout
        self._close_on_expiry = close_on_expiry
        self._leeway = leeway
        self._seats = Seats(max_connections) if seats is None else seats
        self._open_timeout = open_timeout
        self._handshake_timeout = handshake_timeout
        self._drain_timeout = drain_timeout
        self._calls = CallTimes()
        self._maker = SessionMaker(
            hub=self.hub,
            publishers=frozenset(publishers),
            execute=execute,
            calls=self._calls,
            publish_rate=publish_rate,
            execute_rate=execute_rate,
            max_record=max_record,
            bounds=Bounds.within(queue_messages, queue_bytes),
        )
        self._sessions: dict[str, Callable[[Link], Session]] = {}
        if signalr_path:
            require_free(signalr_path, PLAIN_PATH)
            self._sessions[PLAIN_PATH] = self._maker.plain
            self._sessions[signalr_path] = self._signalr_session
        self._refusals = Refusals()
        self._addresses = Addresses(max_per_address, request_rate)
        self._gate = Gate(
            self.secret,
            socket_paths=self._sessions,
            negotiators={
                path: Negotiator(self.secret, is_connected=self.hub.is_connected)
                for path in self._sessions.keys() - {PLAIN_PATH}
            },
            origins=origins,
            is_local=is_loopback(host),
            leeway=leeway,
            # Not the hub's count: SignalR clients join that with their handshake.
            is_full=lambda: self._seats.is_full,
            claim=None if backplane is None else backplane.claim,
            health=self._health,
            metrics=self._write_metrics,
            addresses=self._addresses,
            refusals=self._refusals,
            require_auth=require_auth,
            reject_invalid_token=reject_invalid_token,
        )
        self._sockets: set[Link] = set()
        self._partings = Partings()
        self._server: Server | None = None
        self._writer: Writer | None = None
        self._watch: Watch | None = None
        self._stopped: asyncio.Event | None = None

    @property
    def url(self) -> str:
        """Where the pages are; the port is known once the server has started."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def socket_url(self) -> str:
        """Where clients of the plain protocol connect."""
        return f"ws{self.url.removeprefix('http')}{PLAIN_PATH}"

    def token(
        self,
        username: str,
        roles: Iterable[str] = (),
        groups: Iterable[str] = (),
        lifetime_seconds: float = 12 * 3600,
    ) -> str:
        """Return a token that this server accepts."""
        return issue_token(self.secret, username, roles, groups, lifetime_seconds)

    async def start(self) -> None:
        """
        Listen.

        Raises:
            HyperlambdaError: The port is taken, or there is no such host.
        """
        if self._server is not None:
            raise HyperlambdaError("the server was started already")
        if not self.is_secret_ephemeral and len(self.secret) < SHORT_SECRET:
            _log.warning(
                "the secret has fewer than %d characters: a longer one is safer",
                SHORT_SECRET,
            )
        server = await listen(
            self._handle,
            self.host,
            self.port,
            gate=self._gate,
            make_link=partial(Link, made=self._meet, lost=self._forget),
            open_timeout=self._open_timeout,
            max_size=self._max_size,
            shares_port=self._seats.worker is not None,
        )
        self.port = server.sockets[0].getsockname()[1]
        self._writer = Writer(
            self.hub,
            max_bytes=self._queue_bytes,
            max_messages=self._queue_messages,
            drop=self._drop,
            part=self._send_away,
        )
        self._watch = Watch(
            self._links.values,
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
        self._stopped = asyncio.Event()
        self._server = server
        await self.hub.backplane.start(self.hub)
        await server.start_serving()

    async def stop(self) -> None:
        """
        Stop listening, let clients have what is queued, then close their connections.

        Clients see the close code 1012: they may come back. May be called twice.
        """
        server, writer, watch = self._server, self._writer, self._watch
        stopped = self._stopped
        if server is None or writer is None or watch is None or stopped is None:
            return
        if self.hub.is_closed:
            await stopped.wait()
            return
        server.close(close_connections=False)
        watch.stop()
        self.hub.close()
        while writer.turn():
            await asyncio.sleep(0)
        for link in list(self._links.values()):
            self._dismiss(
                link,
                code=CloseCode.SERVICE_RESTART,
                reason="the server stops",
                is_error=False,
                timeout=self._drain_timeout,
            )
        await self._partings.wait()
        await self.hub.backplane.stop()
        for link in list(self._sockets):
            link.transport.abort()
        await server.wait_closed()
        stopped.set()

    async def serve_forever(self) -> None:
        """Start unless that was done, and return when the server has been stopped."""
        if self._server is None:
            await self.start()
        stopped = self._stopped
        assert stopped is not None  # start has made it
        try:
            await stopped.wait()
        except asyncio.CancelledError:
            await self.stop()
            raise

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def _links(self) -> dict[Connection, Link]:
        return {} if self._writer is None else self._writer.links

    def _health(self) -> dict[str, object]:
        who = {} if self._seats.worker is None else {"worker": self._seats.worker}
        count = self.hub.connection_count
        return {"connections": count, **who, **self.hub.backplane.health()}

    def _write_metrics(self) -> bytes:
        buffers = (
            link.transport.get_write_buffer_size() for link in self._links.values()
        )
        worker = self._seats.worker
        return write_metrics(self.hub, self._calls, self._refusals, buffers, worker)

    def _signalr_session(self, link: Link) -> Session:
        session = self._maker.signalr(link, partial(self._end, link))
        link.loop.call_later(
            self._handshake_timeout, self._check_handshake, link, session
        )
        return session

    def _check_handshake(self, link: Link, session: SignalRSession) -> None:
        if link in self._sockets:
            session.check_handshake()

    async def _handle(self, link: Link) -> None:
        writer, watch = self._writer, self._watch
        assert writer is not None  # start has made both
        assert watch is not None
        session = link.session = self._sessions[link.path](link)
        writer.links[session.connection] = link
        self._seats.take(len(writer.links))
        try:
            session.open()
            watch.add(link)
            async for data in link:
                if not link.is_dismissed:
                    session.receive(data)
                if not link.has_room.is_set():
                    await link.has_room.wait()
        except ConnectionClosed:
            pass
        except Exception:
            # A mistake of ours, or of an executor: it ends this connection only.
            _log.exception("connection %s failed", session.connection.id)
            await part(link, CloseCode.INTERNAL_ERROR, "internal error", 1)

    def _meet(self, link: Link) -> None:
        self._sockets.add(link)
        self._addresses.add(link.address)

    def _forget(self, link: Link) -> None:
        self._sockets.discard(link)
        self._addresses.discard(link.address)
        self._part_from(link)

    def _part_from(self, link: Link) -> None:
        link.has_room.set()
        if link.session is not None:
            self._links.pop(link.session.connection, None)
            self._seats.take(len(self._links))
            self.hub.leave(link.session.connection)

    def _expire(self, link: Link) -> None:
        self._dismiss(link, code=TOKEN_EXPIRED, reason="token expired")

    def _drop(self, link: Link) -> None:
        self.hub.counters.dropped += 1
        assert link.session is not None  # it has subscribed
        connection = link.session.connection
        _log.warning(
            "connection %s of %s reads too slowly and is dropped",
            connection.id,
            connection.identity.username or "somebody anonymous",
        )
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
