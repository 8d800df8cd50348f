"""What the hub knows about one client, and what it counts about all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ..sockets import Message

if TYPE_CHECKING:
    from .auth import Identity

__all__ = ["NO_OUTLET", "Connection", "Counters", "Encode", "outlets"]

Encode: TypeAlias = Callable[[Message], bytes]
"""Makes the frame of a message in a protocol; one function object per protocol."""


NO_OUTLET = -1
"""The `outlet` of a connection whose frames must take the long way."""


class Outlets:
    """
    Tells whether any connection's outlet was opened or closed.

    Attributes:
        state: Another object after each change. Not a number: connections of several
            threads may change at once, and none must bring an old state back.
    """

    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state = object()


outlets = Outlets()
"""Of all connections of this process; see `Roster`."""


class Connection:
    """
    One client.

    Attributes:
        id: What programs address it by; public.
        identity: Whose it is; `ANONYMOUS` if it brought no token.
        encode: How its protocol writes a message.
        join: How its protocol makes bytes to send of several frames.
        groups: From its token, and what programs have put it into.
        names: What it has subscribed to: names and patterns.
        starts: Of those, where there is history, the offset behind which messages are
            sent as they are published.
        ahead: The highest of `starts` that was not reached yet when it was set.
        follows: Whether its client knows positions, and could tell what it has missed.
        outlet: The file descriptor that takes its frames at once, or `NO_OUTLET` while
            some wait before them, or there is no such thing. Who sends looks after it.
        last_sent: When frames were last sent, in seconds of the clock of who sends; to
            many at a time, it may have been a moment later.
    """

    __slots__ = (
        "_outlet",
        "ahead",
        "encode",
        "follows",
        "groups",
        "id",
        "identity",
        "join",
        "last_sent",
        "names",
        "starts",
    )

    def __init__(
        self,
        id: str,
        identity: Identity,
        encode: Encode,
        join: Callable[[list[bytes]], bytes] = b"".join,
    ) -> None:
        self.id = id
        self.identity = identity
        self.encode = encode
        self.join = join
        self.groups: set[str] = set(identity.groups)
        self.names: set[str] = set()
        self.starts: dict[str, int] = {}
        self.ahead = 0
        self.follows = True
        self._outlet = NO_OUTLET
        self.last_sent = 0.0

    @property
    def outlet(self) -> int:
        return self._outlet

    @outlet.setter
    def outlet(self, descriptor: int) -> None:
        if descriptor != self._outlet:
            self._outlet = descriptor
            outlets.state = object()


@dataclass(slots=True)
class Counters:
    """
    What has happened since the hub was made.

    Attributes:
        connections: How many have joined.
        messages: How many were published.
        deliveries: How many frames these became.
        dropped: How many connections were ended because they read too slowly.
        failed: How many messages could not be encoded.
        resumes: How many requests there were for what was missed.
        gaps: How many of these found that something was gone already.
        replayed: How many frames of missed messages were sent.
    """

    connections: int = 0
    messages: int = 0
    deliveries: int = 0
    dropped: int = 0
    failed: int = 0
    resumes: int = 0
    gaps: int = 0
    replayed: int = 0
