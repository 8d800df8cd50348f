"""
One connection after another to a socket server, for a client that stays.

A thread of its own reads: answers go to whoever waits for them, messages into a queue. If
it may, it comes back when a connection is lost, and asks for what was missed.
"""

from __future__ import annotations

import itertools
import json
import logging
import queue
import random
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from .dialing import RefusedError, dial, is_final, why_closed
from .errors import SocketError
from .progress import Progress

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

__all__ = ["Line", "ReceivedMessage"]

DELAYS = (0, 1, 2, 5, 10, 30)
"""Seconds before each attempt to come back; the last one for all further ones."""

_log = logging.getLogger(__name__)


class ReceivedMessage(NamedTuple):
    """
    A message that arrived.

    Attributes:
        name: Its name.
        args: Its payload: what JSON can say; None if it has none.
    """

    name: str
    args: Any


class Line:
    """
    What `SocketClient` says, but for its requests.

    Raises:
        SocketError: No server answers, it refuses us, or the url is none.
    """

    def __init__(
        self,
        url: str,
        token: str | Callable[[], str] | None,
        timeout: float,
        reconnects: bool,
        on_return: Callable[[bool], object],
    ) -> None:
        self.url = url
        self._token = token
        self._timeout = timeout
        self._reconnects = reconnects
        self._on_return = on_return
        self._progress = Progress()
        self._numbers = itertools.count(1)
        self._waiting: dict[int, queue.SimpleQueue[dict[str, Any] | None]] = {}
        self._lock = threading.Lock()
        self._received: queue.SimpleQueue[ReceivedMessage | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._lost: str | None = None
        self.connection_id = ""
        self.username: str | None = None
        self.roles: tuple[str, ...] = ()
        self._socket = self._connect()
        self._reader = threading.Thread(
            target=self._run, name="hyperlambda-client", daemon=True
        )
        self._reader.start()

    @property
    def position(self) -> str | None:
        """How far we have seen messages of names with history; None if of none."""
        return self._progress.position

    def messages(self, timeout: float | None = None) -> Iterator[ReceivedMessage]:
        """
        Yield messages as they arrive, and end when this client is closed.

        Args:
            timeout: End also when none arrived for so many seconds; None: wait.

        Raises:
            SocketError: The connection is lost.
        """
        while True:
            try:
                message = self._received.get(timeout=timeout)
            except queue.Empty:
                return
            if message is None:
                # Stays there for whoever iterates again.
                self._received.put(None)
                if self._closing.is_set():
                    return
                raise SocketError(self._why_lost())
            yield message

    def close(self) -> None:
        """Close the connection; may be called twice."""
        self._closing.set()
        self._socket.close()
        if threading.current_thread() is not self._reader:
            self._reader.join()

    def _ask(self, fields: dict[str, Any], *expected: str) -> dict[str, Any]:
        number = next(self._numbers)
        text = json.dumps({**fields, "id": number}, separators=(",", ":"))
        box: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        with self._lock:
            if self._lost is not None:
                raise SocketError(self._why_lost())
            self._waiting[number] = box
            socket = self._socket
        try:
            _send(socket, text)
            answer = box.get(timeout=self._timeout)
        except queue.Empty:
            raise SocketError(f"the server at {self.url} does not answer") from None
        finally:
            with self._lock:
                self._waiting.pop(number, None)
        if answer is None:
            raise SocketError(self._why_lost())
        if answer["type"] not in expected:
            raise SocketError(
                f"the server refused: {answer.get('message', answer['type'])}"
            )
        return answer

    # What the reader does, on its own thread.

    def _run(self) -> None:
        is_here = True
        while is_here:
            reason, may_return = self._read()
            self._lose(reason)
            is_here = self._reconnects and may_return and self._come_back()
        self._received.put(None)

    def _read(self) -> tuple[str, bool]:
        """Return why the connection is lost, and whether we may come back."""
        from websockets.exceptions import ConnectionClosed  # as in `dial`

        try:
            while True:
                self._take(json.loads(self._socket.recv()))
        except ConnectionClosed as error:
            if self._closing.is_set():
                return f"the connection to {self.url} is closed", False
            return why_closed(self.url, error), not is_final(error)
        except (ValueError, KeyError, TypeError):
            return f"the server at {self.url} sent what cannot be understood", False

    def _lose(self, reason: str) -> None:
        self._progress.lose(self.connection_id)
        with self._lock:
            self._lost = reason
            waiting = list(self._waiting.values())
        for box in waiting:
            box.put(None)

    def _come_back(self) -> bool:
        for delay in itertools.chain(DELAYS, itertools.repeat(DELAYS[-1])):
            # Not all clients at the same moment, when a server is back.
            if self._closing.wait(delay * random.uniform(0.75, 1.25)):
                return False
            try:
                self._socket = self._connect()
                is_whole = self._catch_up()
            except RefusedError as error:
                self._lost = error.message
                return False
            except SocketError:
                continue
            with self._lock:
                self._lost = None
            self._tell(is_whole)
            return True
        return False

    def _connect(self) -> ClientConnection:
        from websockets.exceptions import ConnectionClosed  # as in `dial`

        token = self._token() if callable(self._token) else self._token
        socket = dial(self.url, token, self._timeout)
        try:
            welcome = json.loads(socket.recv(timeout=self._timeout))
            if welcome["type"] == "welcome":
                self.connection_id = welcome["connection"]
                self.username = welcome["user"]
                self.roles = tuple(welcome["roles"])
                return socket
        except (ConnectionClosed, TimeoutError, ValueError, KeyError, TypeError):
            pass
        socket.close()
        raise SocketError(f"what answers at {self.url} is no socket server of ours")

    def _catch_up(self) -> bool:
        """Subscribe anew, and take what was missed; return whether it was all."""
        steps = self._progress.catch_up()
        try:
            request = next(steps)
            while True:
                request = steps.send(self._carry_out(request))
        except StopIteration as end:
            is_whole: bool = end.value
            return is_whole

    def _carry_out(self, request: dict[str, Any]) -> dict[str, Any]:
        _send(self._socket, json.dumps({**request, "id": "return"}))
        while True:
            try:
                frame = json.loads(self._socket.recv(timeout=self._timeout))
            except Exception as error:
                # Whatever it is, this connection is of no use.
                self._socket.close()
                raise SocketError(f"the connection to {self.url} was lost") from error
            self._take(frame)
            if frame.get("id") != "return":
                continue
            if frame["type"] == "error":
                raise RefusedError(f"the server refused: {frame['message']}")
            return {**frame}

    def _tell(self, is_whole: bool) -> None:
        try:
            self._on_return(is_whole)
        except Exception:
            # A mistake of our caller, which must not cost it the messages.
            _log.exception("what was to be done after a return has failed")

    def _take(self, frame: dict[str, Any]) -> None:
        self._progress.take(frame)
        if frame["type"] == "message":
            self._received.put(ReceivedMessage(frame["name"], frame["args"]))
            return
        with self._lock:
            boxes = list(self._waiting.items())
        for number, box in boxes:
            # An error without a number is about a request that could not be read.
            if frame.get("id", number) == number:
                box.put(frame)

    def _why_lost(self) -> str:
        return self._lost or f"the connection to {self.url} is closed"


def _send(socket: ClientConnection, text: str) -> None:
    from websockets.exceptions import ConnectionClosed  # as in `dial`

    try:
        socket.send(text)
    except ConnectionClosed:
        # The reader sees it too, and says why.
        pass
