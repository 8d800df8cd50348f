"""A socket server on a thread of its own, beside synchronous code."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Any, Self

from .app import SocketServer
from .hub import SocketHub
from .loops import run

__all__ = ["BackgroundServer"]


class BackgroundServer:
    """
    Runs a `SocketServer` while a ``with`` block is active.

    Args:
        options: Those of `SocketServer`; the port is 0 unless given.

    Attributes:
        server: The server; its coroutines belong to the other thread.

    Example::

        with BackgroundServer() as background:
            background.hub.publish(Message("foo.bar", '{"answer":42}'))
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, **options: Any) -> None:
        self.server = SocketServer(host, port, **options)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._error: Exception | None = None
        self._end: asyncio.Event | None = None
        self._is_running = False
        self._thread = threading.Thread(
            target=self._run, name="hyperlambda-server", daemon=True
        )

    @property
    def hub(self) -> SocketHub:
        """Publishes from any thread."""
        return self.server.hub

    @property
    def url(self) -> str:
        """Where the pages are."""
        return self.server.url

    @property
    def socket_url(self) -> str:
        """Where clients of the plain protocol connect."""
        return self.server.socket_url

    def token(self, *args: Any, **options: Any) -> str:
        """Return a token, as `SocketServer.token` does."""
        return self.server.token(*args, **options)

    def start(self) -> None:
        """
        Return when the server listens.

        Raises:
            HyperlambdaError: It cannot.
        """
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error
        self._is_running = True

    def stop(self) -> None:
        """Return when the server has stopped and its thread has ended."""
        if self._is_running:
            self._is_running = False
            assert self._loop is not None  # _serve has made both
            assert self._end is not None
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        try:
            await self.server.start()
        except Exception as error:
            # Raised by `start`, in the thread that waits there.
            self._error = error
            return
        finally:
            self._ready.set()
        await self._end.wait()
        await self.server.stop()
