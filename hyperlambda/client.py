"""
A synchronous client of the socket server's plain protocol.

It satisfies `hyperlambda.sockets.Hub`: a program publishes through a running server as it
does inside of it, given a token with one of the publishers' roles.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from .errors import SocketError
from .line import Line, ReceivedMessage
from .sockets import AudienceKind, Message, SocketGroup, SocketUser

__all__ = ["ReceivedMessage", "SocketClient"]


class SocketClient(Line):
    """
    Connects to a server.

    All methods may be called from any thread; but one thread only should iterate over
    `messages`.

    Args:
        url: ``ws://127.0.0.1:8765/ws``, or ``wss://…``.
        token: Says who we are, or returns what does, for each connection anew; None is
            anonymous.
        timeout: Seconds to wait for the connection, and for each answer.
        reconnect: Whether to come back when the connection is lost, subscribed as
            before, and to ask for messages that were missed. Requests fail meanwhile.
        on_return: Called each time when we are back, behind the messages that were
            missed, with whether these were all. On a thread of ours.

    Attributes:
        url: The url.
        connection_id: By which programs can address us; another one after a return.
        username: None if anonymous.
        roles: Those of the token.

    Raises:
        SocketError: No server answers, it refuses us, or the url is none.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | Callable[[], str] | None = None,
        timeout: float = 10,
        reconnect: bool = False,
        on_return: Callable[[bool], object] = lambda is_whole: None,
    ) -> None:
        super().__init__(url, token, timeout, reconnect, on_return)

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

    def add_to_group(self, username: str, group: str, *, persist: bool = False) -> None:
        """
        Put a user's present connections (or one, by its id) into a group.

        Args:
            username: Whose, or the id of one.
            group: Which group.
            persist: Whether later connections of the user are put there too.
        """
        fields: dict[str, Any] = {"user": username, "group": group}
        if persist:
            fields["persist"] = True
        self._ask({"type": "add-to-group", **fields}, "added-to-group")

    def remove_from_group(self, username: str, group: str) -> None:
        """
        Take a user's present connections (or one, by its id) out of a group.

        Later ones are not put there any more either.
        """
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

    def lasting_groups_of(self, username: str) -> list[str]:
        """Return the groups that a user is in for good, by name."""
        answer = self._ask({"type": "user-groups", "user": username}, "user-groups")
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

    def subscribe(self, *names: str, since: str | None = None) -> bool:
        """
        Ask for messages: by name, by pattern (``foo.*``), or all (``*``).

        Args:
            names: Which.
            since: A position: what was published behind it and is kept comes first.

        Returns:
            Whether nothing of that was gone already; True without a position.
        """
        fields: dict[str, Any] = {"type": "subscribe", "names": list(names)}
        if since is None:
            self._ask(fields, "subscribed")
            return True
        is_whole = True
        while True:
            answer = self._ask({**fields, "since": since}, "subscribed", "replayed")
            is_whole = is_whole and answer["recovered"]
            if answer["type"] == "subscribed":
                return is_whole
            since = answer["position"]

    def unsubscribe(self, *names: str) -> None:
        """Ask for them no longer."""
        self._ask({"type": "unsubscribe", "names": list(names)}, "unsubscribed")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


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
