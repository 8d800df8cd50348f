"""What stands in a hub's inbox, besides the messages that programs publish."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from ..sockets import Message
from .backplane import DisconnectCommand, GroupCommand
from .connection import Connection
from .line import Ticket

__all__ = [
    "Accepted",
    "Action",
    "Entry",
    "Farewell",
    "GroupChange",
    "Own",
    "Ready",
    "Reply",
    "Returned",
    "Work",
    "ready",
]


@dataclass(frozen=True, slots=True)
class GroupChange:
    """
    A change of groups.

    Attributes:
        connections: Whose, at this node.
        command: Which change.
        is_forwarded: Whether other nodes have to know of it.
    """

    connections: tuple[Connection, ...]
    command: GroupCommand
    is_forwarded: bool


@dataclass(frozen=True, slots=True)
class Farewell:
    """
    Connections that must end, and how.

    Attributes:
        connections: Which.
        reason: What their clients are told.
        may_return: Whether these are asked to connect anew.
        command: What other nodes have to know of it; None for nothing.
    """

    connections: tuple[Connection, ...]
    reason: str
    may_return: bool
    command: DisconnectCommand | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A frame for one connection."""

    connection: Connection
    frame: bytes


@dataclass(frozen=True, slots=True)
class Action:
    """Something that is done in its turn; returns its cost, in bytes of frames."""

    run: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that goes no further, and waits for nothing before it."""

    message: Message


@dataclass(frozen=True, slots=True)
class Returned:
    """A message of this node that was on its way, and what stood in line for it."""

    message: Message
    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Ready:
    """Something else that goes no further, and waits for nothing before it."""

    entry: Work


Work: TypeAlias = GroupChange | Farewell | Reply | Action
"""What a hub does in its turn, besides to deliver messages."""

Own: TypeAlias = Message | Work
"""What is caused here, and may have to wait for what was caused before it."""

Entry: TypeAlias = Own | Accepted | Returned | Ready
"""What stands in the inbox."""


def ready(entry: Own) -> Entry:
    """Return what lets an entry take effect that has waited long enough."""
    return Accepted(entry) if isinstance(entry, Message) else Ready(entry)
