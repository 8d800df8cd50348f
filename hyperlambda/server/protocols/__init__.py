"""What each kind of client speaks. A protocol does no I/O: text comes in, frames go out."""

from __future__ import annotations

from typing import Protocol

from ..hub import Connection

__all__ = ["Session"]


class Session(Protocol):
    """
    One connection's side of the conversation, as the server drives it.

    Attributes:
        connection: The connection that the session joins to the hub, and speaks for.
        heartbeat: The frame that asks whether somebody is there.
        answers_heartbeats: Whether a client that stays silent must be gone.
    """

    connection: Connection
    heartbeat: bytes
    answers_heartbeats: bool

    def open(self) -> None:
        """Begin: the WebSocket is open."""

    def receive(self, data: str | bytes) -> None:
        """Take one message of the client. What it does wrong is answered, not raised."""

    def farewell(self, reason: str, *, may_return: bool) -> bytes | None:
        """
        Return the frame to send before the connection is closed, if there is one.

        Args:
            reason: What is wrong; "" if nothing is.
            may_return: Whether the client is welcome to connect again at once.
        """

    def overflow(self) -> bytes | None:
        """Return the frame that says that a message was too large to be read, if any."""
