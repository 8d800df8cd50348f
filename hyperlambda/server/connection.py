"""What the hub knows about one client, and what it counts about all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ..sockets import Message

if TYPE_CHECKING:
    from .auth import Identity

__all__ = ["Connection", "Counters", "Encode"]

Encode: TypeAlias = Callable[[Message], bytes]
"""Makes the frame of a message in a protocol; one function object per protocol."""


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
        pending: Frames that wait for the next flush, oldest first.
    """

    __slots__ = ("encode", "groups", "id", "identity", "join", "names", "pending")

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
        self.pending: list[bytes] = []


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
    """

    connections: int = 0
    messages: int = 0
    deliveries: int = 0
    dropped: int = 0
    failed: int = 0
