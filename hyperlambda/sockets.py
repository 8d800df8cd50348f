"""
What programs say to connected clients: messages, audiences, and who carries them.

The slots of `sockets.*` speak to a `Hub`. The server's hub, the client that publishes
through a running server and the doubles of the tests all satisfy it (spec 05 §1–2).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

__all__ = [
    "CONNECTION",
    "TICKET",
    "Audience",
    "AudienceKind",
    "Hub",
    "Message",
    "SocketGroup",
    "SocketUser",
]

CONNECTION = "dynamic.sockets.connection"
"""The scope with the id of the connection that runs a file; `[get-context]` sees it."""

TICKET = ".auth.ticket.get"
"""The scope with who runs a program: a node, the username with `roles` below (03 §11.1)."""


class AudienceKind(Enum):
    """By what the receivers of a message are chosen."""

    EVERYONE = "everyone"
    ROLES = "roles"
    GROUPS = "groups"
    USERS = "users"
    CLIENTS = "clients"


@dataclass(frozen=True, slots=True)
class Audience:
    """
    Who receives a message.

    Attributes:
        kind: What the names are names of.
        names: Exact, case-sensitive; no names of a kind reach nobody.
    """

    kind: AudienceKind = AudienceKind.EVERYONE
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """
    A message as it leaves a program.

    Attributes:
        name: What clients subscribe to; never empty.
        argument: JSON text, or None when the program gave no [args].
        audience: Who receives it.
        excluded: Ids of connections that do not, although they are in the audience.
        position: Epoch and offset in the history of its name, which the server gives;
            None where none is kept.
    """

    name: str
    argument: str | None = None
    audience: Audience = field(default_factory=Audience)
    excluded: tuple[str, ...] = ()
    position: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class SocketUser:
    """
    Somebody who is connected.

    Attributes:
        username: An anonymous connection has its connection id here.
        connections: Ids, in the order in which they connected.
    """

    username: str
    connections: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SocketGroup:
    """
    A group that somebody is in.

    Attributes:
        name: Its name.
        connections: How many connections are in it.
    """

    name: str
    connections: int


class Hub(Protocol):
    """
    Carries messages to connected clients, and knows who is connected.

    All methods may be called from any thread and raise `SocketError` when they cannot
    do what they say. None of them waits for a client.
    """

    def publish(self, message: Message) -> None:
        """Send a message to everyone in its audience, each connection once."""

    def users(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketUser]:
        """Return users whose name starts with the prefix, by name; one page of them."""

    def count_users(self, prefix: str = "") -> int:
        """Return how many users have a name that starts with the prefix."""

    def count_connections(self, prefix: str = "") -> int:
        """Return how many connections these users have."""

    def add_to_group(self, username: str, group: str, *, persist: bool = False) -> None:
        """
        Put a user's present connections (or one, by its id) into a group.

        Args:
            username: Whose, or the id of one.
            group: Which group.
            persist: Whether later connections of the user are put there too, until
                `remove_from_group`.
        """

    def remove_from_group(self, username: str, group: str) -> None:
        """Take a user's present connections (or one, by its id) out of a group."""

    def groups(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketGroup]:
        """Return groups whose name starts with the prefix, by name; one page of them."""

    def groups_of(self, connection: str) -> list[str]:
        """Return the groups of a connection, by name; none if there is no such one."""

    def lasting_groups_of(self, username: str) -> list[str]:
        """Return the groups that a user's connections are put into, by name."""

    def disconnect(
        self, connection: str, reason: str = "", *, may_return: bool = False
    ) -> None:
        """
        End a connection, by its id, after what was published for it so far.

        Args:
            connection: Its id; nothing happens if there is no such connection.
            reason: What its client is told.
            may_return: Whether its client is asked to connect anew.
        """

    def disconnect_user(
        self, username: str, reason: str = "", *, may_return: bool = False
    ) -> None:
        """End all present connections of a user (or one, by its id); see `disconnect`."""
