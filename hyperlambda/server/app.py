"""
The socket server: listens, upgrades, serves the pages, and ends in good order.

`SocketServer` lives on an event loop; `BackgroundServer` gives it a thread of its own
beside synchronous code.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Collection, Iterable
from functools import partial
from types import TracebackType
from typing import Self

from websockets.asyncio.server import Server

from ..errors import HyperlambdaError
from .auth import SHORT_SECRET, issue_token, signing_key
from .backplane import Backplane
from .gate import Gate, is_loopback, require_free
from .history import History
from .hub import SocketHub
from .links import Link
from .listening import listen
from .metrics import CallTimes, Refusals, write_metrics
from .negotiation import Negotiator
from .pace import Addresses
from .protocols import signalr
from .protocols.plain import Execute
from .proxies import Proxies
from .reception import Reception
from .recovery import Bounds
from .seats import Seats
from .sessions import SessionMaker

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
            Clients behind a proxy all have its address, unless it is trusted.
        publish_rate: How many messages a second a client may publish, in the mean of
            some seconds, before it is slowed down; None for no limit.
        execute_rate: The same of files that it runs.
        request_rate: How many HTTP requests a second one address may make, for pages,
            negotiation and WebSockets; None for no limit.
        trusted_proxies: Addresses and networks of reverse proxies, who tell where
            clients are: with them the server is not for this machine only.
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
        HyperlambdaError: The host needs a secret, or an option cannot be used.
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
        trusted_proxies: Collection[str] = (),
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
        self._seats = Seats(max_connections) if seats is None else seats
        self._open_timeout = open_timeout
        self._drain_timeout = drain_timeout
        self._calls = CallTimes()
        self._refusals = Refusals()
        addresses = Addresses(max_per_address, request_rate)
        maker = SessionMaker(
            hub=self.hub,
            publishers=frozenset(publishers),
            execute=execute,
            calls=self._calls,
            publish_rate=publish_rate,
            execute_rate=execute_rate,
            max_record=max_record,
            bounds=Bounds.within(queue_messages, queue_bytes),
        )
        self._reception = Reception(
            self.hub,
            maker,
            plain_path=PLAIN_PATH if signalr_path else None,
            signalr_path=signalr_path or None,
            seats=self._seats,
            addresses=addresses,
            queue_bytes=queue_bytes,
            queue_messages=queue_messages,
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
            leeway=leeway,
            close_on_expiry=close_on_expiry,
            handshake_timeout=handshake_timeout,
        )
        negotiators = {}
        if signalr_path:
            require_free(signalr_path, PLAIN_PATH)
            negotiators[signalr_path] = Negotiator(
                self.secret, is_connected=self.hub.is_connected
            )
        self._gate = Gate(
            self.secret,
            socket_paths=self._reception.paths,
            negotiators=negotiators,
            origins=origins,
            is_local=is_loopback(host) and not trusted_proxies,
            leeway=leeway,
            # Not the hub's count: SignalR clients join that with their handshake.
            is_full=lambda: self._seats.is_full,
            claim=None if backplane is None else backplane.claim,
            health=self._health,
            metrics=self._write_metrics,
            addresses=addresses,
            proxies=Proxies(trusted_proxies) if trusted_proxies else None,
            refusals=self._refusals,
            require_auth=require_auth,
            reject_invalid_token=reject_invalid_token,
        )
        self._server: Server | None = None
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
            self._reception.handle,
            self.host,
            self.port,
            gate=self._gate,
            make_link=partial(
                Link, made=self._reception.meet, lost=self._reception.forget
            ),
            open_timeout=self._open_timeout,
            max_size=self._max_size,
            shares_port=self._seats.worker is not None,
        )
        self.port = server.sockets[0].getsockname()[1]
        self._reception.open()
        self._stopped = asyncio.Event()
        self._server = server
        await self.hub.backplane.start(self.hub)
        await server.start_serving()

    async def stop(self) -> None:
        """
        Stop listening, let clients have what is queued, then close their connections.

        Clients see the close code 1012: they may come back. May be called twice.
        """
        server, stopped = self._server, self._stopped
        if server is None or stopped is None:
            return
        if self.hub.is_closed:
            await stopped.wait()
            return
        server.close(close_connections=False)
        await self._reception.close(self._drain_timeout)
        await self.hub.backplane.stop()
        self._reception.abort()
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

    def _health(self) -> dict[str, object]:
        who = {} if self._seats.worker is None else {"worker": self._seats.worker}
        count = self.hub.connection_count
        return {"connections": count, **who, **self.hub.backplane.health()}

    def _write_metrics(self) -> bytes:
        buffers = (
            link.transport.get_write_buffer_size()
            for link in self._reception.links.values()
        )
        worker = self._seats.worker
        return write_metrics(self.hub, self._calls, self._refusals, buffers, worker)
