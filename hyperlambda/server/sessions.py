"""How a connection gets its session: what each protocol needs, and how fast it may go."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

from .calls import counted, slow_down
from .frames import join_text_frames
from .hub import Connection, SocketHub
from .links import Link
from .metrics import CallTimes
from .negotiation import new_id
from .pace import Pace
from .protocols import plain, signalr
from .protocols.plain import Execute, PlainSession
from .protocols.signalr import SignalRSession
from .recovery import Bounds

__all__ = ["SessionMaker"]

RESUME_RATE = 20.0
"""How often a second a client may ask for what it has missed, before it is slowed down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionMaker:
    """
    Makes sessions; see `SocketServer` for what the options mean.

    Attributes:
        calls: Where the calls of files are counted.
    """

    hub: SocketHub
    publishers: Collection[str]
    execute: Execute | None
    calls: CallTimes
    publish_rate: float | None
    execute_rate: float | None
    max_record: int
    bounds: Bounds

    def plain(self, link: Link) -> PlainSession:
        """Return a session of the plain protocol."""
        return PlainSession(
            self.hub,
            Connection(new_id(), link.identity, plain.encode_message),
            publishers=self.publishers,
            execute=self._execute_for(link),
            count_publish=partial(slow_down, link, Pace(self.publish_rate)),
            count_resume=self._count_resume_for(link),
            bounds=self.bounds,
        )

    def signalr(
        self, link: Link, end: Callable[[bytes | None], object]
    ) -> SignalRSession:
        """Return a session of SignalR's protocol, which ends the connection so."""
        connection = Connection(
            link.connection_id or new_id(),
            link.identity,
            signalr.encode_with_position if link.resumes else signalr.encode_message,
            join_text_frames,
        )
        connection.follows = link.resumes
        return SignalRSession(
            self.hub,
            connection,
            write=link.write,
            end=end,
            execute=self._execute_for(link),
            max_record=self.max_record,
            resumes=link.resumes,
            count_resume=self._count_resume_for(link),
            bounds=self.bounds,
        )

    def _count_resume_for(self, link: Link) -> Callable[[], object]:
        return partial(slow_down, link, Pace(RESUME_RATE))

    def _execute_for(self, link: Link) -> Execute | None:
        return counted(self.execute, link, self.calls, Pace(self.execute_rate))
