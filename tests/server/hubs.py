"""What the tests of the hub share: connections, and what they have received."""

from __future__ import annotations

from hyperlambda.server.auth import ANONYMOUS, Identity
from hyperlambda.server.hub import Connection, SocketHub
from hyperlambda.sockets import Audience, AudienceKind, Message

EVERYONE = AudienceKind.EVERYONE


def encode(message: Message) -> bytes:
    return f"{message.name}={message.argument};".encode()


def add(
    hub: SocketHub,
    id: str,
    username: str | None = None,
    *names: str,
    roles: str = "",
    groups: str = "",
) -> Connection:
    """Join a connection; roles and groups are single letters."""
    identity = Identity(username, frozenset(roles), frozenset(groups))
    connection = Connection(id, identity if username else ANONYMOUS, encode)
    hub.join(connection)
    for name in names:
        hub.subscribe(connection, name)
    return connection


def take(hub: SocketHub) -> dict[str, list[bytes]]:
    """Deliver everything; return what each connection got."""
    while hub.deliver():
        pass
    return unpack(hub)


def unpack(hub: SocketHub) -> dict[str, list[bytes]]:
    """Return what each connection gets of what is delivered."""
    parcels, hub.parcels = hub.parcels, []
    found: dict[str, list[bytes]] = {}
    for parcel in parcels:
        for connection in parcel.connections:
            found.setdefault(connection.id, []).extend(parcel.frames)
    return found


def reached(
    hub: SocketHub, name: str, kind: AudienceKind = EVERYONE, *names: str
) -> set[str]:
    hub.publish(Message(name, None, Audience(kind, names)))
    got = take(hub)
    assert all(len(frames) == 1 for frames in got.values())
    return set(got)
