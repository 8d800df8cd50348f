"""
A synchronous client of the socket server's plain protocol.

It satisfies `hyperlambda.sockets.Hub`: a program publishes through a running server as it
does inside of it, given a token with one of the publishers' roles.
"""

from __future__ import annotations

import itertools
import json
import queue
import threading
from collections.abc import Iterator
from ipaddress import ip_address
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import urlsplit

from .errors import SocketError
from .sockets import AudienceKind, Message, SocketGroup, SocketUser

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

__all__ = ["ReceivedMessage", "SocketClient"]


class ReceivedMessage(NamedTuple):
    """
    A message that arrived.

    Attributes:
        name: Its name.
        args: Its payload: what JSON can say; None if it has none.
    """

    name: str
    args: Any


class SocketClient:
    """
    Connects to a server.

    All methods may be called from any thread; but one thread only should iterate over
    `messages`.

    Args:
        url: ``ws://127.0.0.1:8765/ws``, or ``wss://…``.
        token: Says who we are; None is anonymous.
        timeout: Seconds to wait for the connection, and for each answer.

    Attributes:
        url: The url.
        connection_id: By which programs can address us.
        username: None if anonymous.
        roles: Those of the token.

    Raises:
        SocketError: No server answers, it refuses us, or the url is none.
    """

    def __init__(
        self, url: str, *, token: str | None = None, timeout: float = 10
    ) -> None:
        self.url = url
        self._timeout = timeout
        self._numbers = itertools.count(1)
        self._waiting: dict[int, queue.SimpleQueue[dict[str, Any] | None]] = {}
        self._lock = threading.Lock()
        self._received: queue.SimpleQueue[ReceivedMessage | None] = queue.SimpleQueue()
        self._is_closing = False
        self._lost: str | None = None
        self._socket = _connect(url, token, timeout)
        welcome = self._read_welcome()
        self.connection_id: str = welcome["connection"]
        self.username: str | None = welcome["user"]
        self.roles: tuple[str, ...] = tuple(welcome["roles"])
        self._reader = threading.Thread(
            target=self._read, name="hyperlambda-client", daemon=True
        )
        self._reader.start()

    def publish(self, message: Message) -> None:
        """
        Publish, and wait until the server has taken the message.

        Raises:
            SocketError: The server refuses it, or does not answer.
        """
        fields: dict[str, Any] = {"type": "publish", "name": message.name}
        if message.argument is not None:
            fields["args"] = _parse(message.argument)
        audience = message.audience
        if audience.kind is not AudienceKind.EVERYONE:
            fields[audience.kind.value] = list(audience.names)
        if message.excluded:
            fields["except"] = list(message.excluded)
        self._ask(fields, "published")

    def users(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketUser]:
        """Return users whose name starts with the prefix, by name; one page of them."""
        answer = self._ask(
            {"type": "users", "prefix": prefix, "offset": offset, "limit": limit},
            "users",
        )
        return [
            SocketUser(user["username"], tuple(user["connections"]))
            for user in answer["users"]
        ]

    def count_users(self, prefix: str = "") -> int:
        """Return how many users have a name that starts with the prefix."""
        count: int = self._count(prefix)["count"]
        return count

    def count_connections(self, prefix: str = "") -> int:
        """Return how many connections these users have."""
        count: int = self._count(prefix)["connections"]
        return count

    def add_to_group(self, username: str, group: str) -> None:
        """Put a user's present connections (or one, by its id) into a group."""
        self._ask(
            {"type": "add-to-group", "user": username, "group": group}, "added-to-group"
        )

    def remove_from_group(self, username: str, group: str) -> None:
        """Take a user's present connections (or one, by its id) out of a group."""
        self._ask(
            {"type": "remove-from-group", "user": username, "group": group},
            "removed-from-group",
        )

    def groups(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketGroup]:
        """Return groups whose name starts with the prefix, by name; one page of them."""
        answer = self._ask(
            {"type": "groups", "prefix": prefix, "offset": offset, "limit": limit},
            "groups",
        )
        return [
            SocketGroup(group["name"], group["connections"])
            for group in answer["groups"]
        ]

    def groups_of(self, connection: str) -> list[str]:
        """Return the groups of a connection, by name; none if there is no such one."""
        answer = self._ask(
            {"type": "connection-groups", "connection": connection}, "connection-groups"
        )
        return [*answer["groups"]]

    def disconnect(
        self, connection: str, reason: str = "", *, may_return: bool = False
    ) -> None:
        """End a connection, by its id, after what was published for it so far."""
        self._disconnect("connection", connection, reason, may_return)

    def disconnect_user(
        self, username: str, reason: str = "", *, may_return: bool = False
    ) -> None:
        """End all present connections of a user (or one, by its id)."""
        self._disconnect("user", username, reason, may_return)

    def _count(self, prefix: str) -> dict[str, Any]:
        return self._ask({"type": "count-users", "prefix": prefix}, "count-users")

    def _disconnect(self, key: str, name: str, reason: str, may_return: bool) -> None:
        self._ask(
            {
                "type": "disconnect",
                key: name,
                "message": reason,
                "reconnect": may_return,
            },
            "disconnected",
        )

    def execute(self, file: str, args: Any = None) -> Any:
        """
        Run a file on the server, as `FileExecutor` does, and wait until it has ended.

        Args:
            file: Its path below ``modules``: ``/chat/join`` for ``chat/join.socket.hl``.
            args: Its arguments: what JSON can say.

        Returns:
            What the file returned; None if that is nothing.

        Raises:
            SocketError: The file fails or there is none, the server runs no files, the
                arguments have no form in JSON, or no answer comes in time.
        """
        fields = {"type": "execute", "file": file}
        if args is not None:
            fields["args"] = _checked(args)
        return self._ask(fields, "executed").get("result")

    def subscribe(self, *names: str) -> None:
        """Ask for messages: by name, by pattern (``foo.*``), or all (``*``)."""
        self._ask({"type": "subscribe", "names": list(names)}, "subscribed")

    def unsubscribe(self, *names: str) -> None:
        """Ask for them no longer."""
        self._ask({"type": "unsubscribe", "names": list(names)}, "unsubscribed")

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
                if self._is_closing:
                    return
                raise SocketError(self._why_lost())
            yield message

    def close(self) -> None:
        """Close the connection; may be called twice."""
        self._is_closing = True
        self._socket.close()
        if threading.current_thread() is not self._reader:
            self._reader.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, fields: dict[str, Any], expected: str) -> dict[str, Any]:
        number = next(self._numbers)
        text = json.dumps({**fields, "id": number}, separators=(",", ":"))
        box: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        with self._lock:
            if self._lost is not None:
                raise SocketError(self._why_lost())
            self._waiting[number] = box
        try:
            self._send(text)
            answer = box.get(timeout=self._timeout)
        except queue.Empty:
            raise SocketError(f"the server at {self.url} does not answer") from None
        finally:
            with self._lock:
                self._waiting.pop(number, None)
        if answer is None:
            raise SocketError(self._why_lost())
        if answer["type"] != expected:
            raise SocketError(
                f"the server refused: {answer.get('message', answer['type'])}"
            )
        return answer

    def _send(self, text: str) -> None:
        from websockets.exceptions import ConnectionClosed  # as in _connect

        try:
            self._socket.send(text)
        except ConnectionClosed as error:
            # The reader sees it too, and says why.
            self._reader.join()
            raise SocketError(self._why_lost()) from error

    def _read_welcome(self) -> dict[str, Any]:
        from websockets.exceptions import ConnectionClosed  # as in _connect

        try:
            welcome = json.loads(self._socket.recv(timeout=self._timeout))
            if welcome["type"] == "welcome":
                return {**welcome}
        except (ConnectionClosed, TimeoutError, ValueError, KeyError, TypeError):
            pass
        self._socket.close()
        raise SocketError(f"what answers at {self.url} is no socket server of ours")

    def _read(self) -> None:
        from websockets.exceptions import ConnectionClosed  # as in _connect

        reason = f"the connection to {self.url} is closed"
        try:
            while True:
                self._take(json.loads(self._socket.recv()))
        except ConnectionClosed as error:
            if not self._is_closing:
                reason = _reason(self.url, error)
        except (ValueError, KeyError, TypeError):
            reason = f"the server at {self.url} sent what cannot be understood"
        finally:
            with self._lock:
                self._lost = reason
                waiting = list(self._waiting.values())
            for box in waiting:
                box.put(None)
            self._received.put(None)

    def _take(self, frame: dict[str, Any]) -> None:
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


def _parse(argument: str) -> Any:
    try:
        args = json.loads(argument)
        # What Python reads beyond JSON: NaN, and numbers that become infinite.
        json.dumps(args, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise SocketError("the argument of the message is no JSON") from error
    return args


def _checked(args: Any) -> Any:
    try:
        json.dumps(args, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise SocketError("the arguments of the file have no form in JSON") from error
    return args


def _connect(url: str, token: str | None, timeout: float) -> ClientConnection:
    # Imported here: only programs that talk to a server should pay for it.
    from websockets.exceptions import (
        InvalidHandshake,
        InvalidStatus,
        InvalidURI,
    )
    from websockets.sync.client import connect

    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    try:
        return connect(
            url,
            additional_headers=headers,
            compression=None,
            open_timeout=timeout,
            close_timeout=2,
            max_size=None,
            # Messages are read at once and wait in our own queue.
            max_queue=None,
            # A proxy of the environment leads away from this machine, not back to it.
            proxy=None if _is_this_machine(url) else True,
        ).__enter__()
    except InvalidURI as error:
        raise SocketError(f"'{url}' is no address of a socket server") from error
    except InvalidStatus as error:
        raise SocketError(_refusal(url, error.response.status_code)) from error
    except ImportError as error:  # a SOCKS proxy, for which websockets needs a package
        raise SocketError(
            f"the proxy on the way to {url} cannot be used: {error}"
        ) from error
    except (InvalidHandshake, EOFError) as error:
        raise SocketError(f"what answers at {url} is no socket server") from error
    except (OSError, TimeoutError) as error:
        raise SocketError(f"no server answers at {url}") from error


def _is_this_machine(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _refusal(url: str, status: int) -> str:
    if status == 401:
        return "the server refused the token"
    if status == 429:
        return f"the server at {url} has too many connections from this address"
    if status == 503:
        return f"the server at {url} takes no more connections now"
    return f"there is no socket server at {url}: it answers with status {status}"


def _reason(url: str, error: Any) -> str:
    close = error.rcvd
    if close is None:
        return f"the connection to {url} was lost"
    return f"the server at {url} closed the connection: {close.reason or close.code}"
