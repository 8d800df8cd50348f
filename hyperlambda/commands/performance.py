"""
A program that publishes, before an audience: a server, four clients, and what each got.

After each message of the program a marker goes to everybody. Messages reach a connection
in the order of their publishing, so what a client has not got before the marker it will
not get any more: nobody has to wait to know that.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import NamedTuple

from ..client import ReceivedMessage, SocketClient
from ..errors import SocketError
from ..evaluator import Evaluator
from ..node import Node
from ..server import BackgroundServer
from ..sockets import Message, SocketGroup, SocketUser

__all__ = ["PEOPLE", "Person", "Scene", "perform"]

_MARKER = "hyperlambda.demo: all have got what came before"
_TIMEOUT = 10.0
"""Seconds that a marker may take."""


class Person(NamedTuple):
    """
    A client.

    Attributes:
        label: What they are.
        username: None for who did not log in.
        roles: Those in the token.
        groups: Those in the token.
    """

    label: str
    username: str | None
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.label} ({self.username})" if self.username else self.label


PEOPLE = (
    Person("root", "rita", roles=("root",)),
    Person("admin", "adam", roles=("admin",)),
    Person("group1", "gina", groups=("group1",)),
    Person("guest", None),
)


@dataclass
class Scene:
    """
    One message.

    Attributes:
        message: As the program published it.
        received: What each person got before the marker, by label; normally the message
            once, or nothing.
    """

    message: Message
    received: dict[str, list[ReceivedMessage]] = field(default_factory=dict)

    def reached(self, label: str) -> bool:
        """Return whether somebody got the message: as it is, once, and nothing else."""
        argument = self.message.argument
        args = None if argument is None else json.loads(argument)
        return self.received[label] == [ReceivedMessage(self.message.name, args)]

    def missed(self, label: str) -> bool:
        """Return whether somebody got nothing at all."""
        return not self.received[label]


class _MarkingHub:
    """Publishes each message with a marker behind it, and remembers the message."""

    def __init__(self, server: BackgroundServer) -> None:
        self._hub = server.hub
        # A marker must not land behind the message of another thread.
        self._lock = Lock()
        self.published: list[Message] = []

    def publish(self, message: Message) -> None:
        with self._lock:
            self._hub.publish(message)
            self._hub.publish(Message(_MARKER))
            self.published.append(message)

    def users(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketUser]:
        return self._hub.users(prefix, offset, limit)

    def count_users(self, prefix: str = "") -> int:
        return self._hub.count_users(prefix)

    def count_connections(self, prefix: str = "") -> int:
        return self._hub.count_connections(prefix)

    def add_to_group(self, username: str, group: str, *, persist: bool = False) -> None:
        self._hub.add_to_group(username, group, persist=persist)

    def remove_from_group(self, username: str, group: str) -> None:
        self._hub.remove_from_group(username, group)

    def groups(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketGroup]:
        return self._hub.groups(prefix, offset, limit)

    def groups_of(self, connection: str) -> list[str]:
        return self._hub.groups_of(connection)

    def lasting_groups_of(self, username: str) -> list[str]:
        return self._hub.lasting_groups_of(username)

    def disconnect(
        self, connection: str, reason: str = "", *, may_return: bool = False
    ) -> None:
        self._hub.disconnect(connection, reason, may_return=may_return)

    def disconnect_user(
        self, username: str, reason: str = "", *, may_return: bool = False
    ) -> None:
        self._hub.disconnect_user(username, reason, may_return=may_return)


def perform(program: Node) -> list[Scene]:
    """
    Run a program while all people listen to all names.

    Returns:
        Its messages, in order.

    Raises:
        HyperlambdaError: The program failed.
        SocketError: A client was not served any more.
    """
    with BackgroundServer() as server, _clients(server) as clients:
        hub = _MarkingHub(server)
        Evaluator(hub=hub).evaluate(program)
        scenes = [Scene(message) for message in hub.published]
        for label, client in clients.items():
            messages = client.messages(timeout=_TIMEOUT)
            for scene in scenes:
                scene.received[label] = list(_until_marker(messages, label))
        return scenes


@contextmanager
def _clients(server: BackgroundServer) -> Iterator[dict[str, SocketClient]]:
    with ExitStack() as stack:
        clients = {}
        for person in PEOPLE:
            token = None
            if person.username is not None:
                token = server.token(person.username, person.roles, person.groups)
            client = SocketClient(server.socket_url, token=token)
            clients[person.label] = stack.enter_context(client)
            client.subscribe("*")
        yield clients


def _until_marker(
    messages: Iterator[ReceivedMessage], label: str
) -> Iterator[ReceivedMessage]:
    for message in messages:
        if message.name == _MARKER:
            return
        yield message
    raise SocketError(f"'{label}' was not served within {_TIMEOUT:g} seconds")
