"""
How a client that comes back gets what it has missed.

Called in the hub's turn: everything that was published before has been delivered and is
in the history, what comes afterwards is delivered live. So nothing falls between the two,
and nothing comes twice.

Who may see a kept message is decided by who asks now: by the roles and the name of the
token, and the groups that the connection is in at this moment.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..sockets import AudienceKind, Message
from .connection import Connection, Encode
from .history import History, split_position
from .hub import SocketHub
from .tables import has_live

__all__ = ["MAX_FORMER", "Bounds", "Outcome", "resume"]

MAX_FORMER = 100
"""Former connections that a client may name."""

MOST_AHEAD = 1_000_000
"""
Messages by which another node may be before this one.

A node that is too busy to read has as much as Redis holds back for it, 32 MB by default, and
10,000 in its inbox.
"""


@dataclass(frozen=True, slots=True)
class Bounds:
    """
    How much is sent for one request; see `History.since`.

    Attributes:
        messages: How many.
        bytes: How much payload.
        looks: How many messages are looked at.
    """

    messages: int = 1_000
    bytes: int = 1 << 20
    looks: int = 10_000

    @classmethod
    def within(cls, queue_messages: int, queue_bytes: int) -> Bounds:
        """Return bounds that make no client too slow for which so much may wait."""
        most = cls()
        return cls(
            max(1, min(most.messages, queue_messages // 4)),
            max(1, min(most.bytes, queue_bytes // 4)),
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What came of it.

    Attributes:
        position: Where to go on, now or another time.
        is_recovered: Whether nothing was missing.
        has_more: Whether there is more, which is to be asked for: then nothing has been
            subscribed to.
        cost: Bytes of frames, or what the search for them was worth.
    """

    position: str
    is_recovered: bool
    has_more: bool
    cost: int


_LOOK = 100
"""Bytes that take as long to send as it takes to look at a message."""


def resume(
    hub: SocketHub,
    history: History,
    connection: Connection,
    names: Sequence[str],
    position: str,
    *,
    former: Collection[str] = (),
    encode: Encode,
    bounds: Bounds,
) -> Outcome:
    """
    Send a connection what it has missed of some names, and subscribe it to them.

    Args:
        hub: Where the connection is.
        history: Of the hub.
        connection: Who asks.
        names: Names and patterns.
        position: What the client has seen; one of another history, or one that cannot
            have been reached yet, is as good as none.
        former: Ids of connections that the client had before: it does not get what
            excludes one of them.
        encode: Makes the frames.
        bounds: How much is sent at once.
    """
    epoch, offset = split_position(position)
    most = history.top + (MOST_AHEAD if history.is_shared else 0)
    is_ours = epoch == history.epoch and offset <= most
    if not is_ours:
        offset = 0
    page = history.since(
        offset,
        names,
        _Filter(hub, connection, frozenset(former)).is_wanted,
        max_messages=bounds.messages,
        max_bytes=bounds.bytes,
        max_looks=bounds.looks,
    )
    cost = page.looks * _LOOK
    cost += sum(hub.push(connection, encode(message)) for message in page.messages)
    if not page.has_more:
        for name in names:
            hub.subscribe(connection, name, page.end)
    is_recovered = is_ours and page.is_whole and history.may_keep_any(names)
    counters = hub.counters
    counters.resumes += 1
    counters.gaps += not is_recovered
    counters.replayed += len(page.messages)
    return Outcome(history.position_at(page.end), is_recovered, page.has_more, cost)


class _Filter:
    """Tells what is for a connection and has not been sent to it."""

    def __init__(
        self, hub: SocketHub, connection: Connection, former: frozenset[str]
    ) -> None:
        self._hub = hub
        self._connection = connection
        self._ids = former | {connection.id}

    def is_wanted(self, message: Message) -> bool:
        """Return whether a message is to be sent."""
        assert message.position is not None  # it was kept
        return (
            self._is_meant(message)
            and self._ids.isdisjoint(message.excluded)
            and not has_live(self._connection, message.name, message.position[1])
        )

    def _is_meant(self, message: Message) -> bool:
        kind, names = message.audience.kind, message.audience.names
        identity = self._connection.identity
        if kind is AudienceKind.EVERYONE:
            return True
        if kind is AudienceKind.ROLES:
            return not identity.roles.isdisjoint(names)
        if kind is AudienceKind.USERS:
            return identity.username is not None and identity.username in names
        if kind is AudienceKind.GROUPS:
            return any(self._hub.is_member(self._connection, name) for name in names)
        return False
