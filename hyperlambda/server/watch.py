"""
One timer for all connections: tokens that end, and clients that fell silent.

A timer for each of many thousand connections would cost more than a walk over them.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterable

from websockets.protocol import State

from .links import Link

__all__ = ["Watch"]

WALK_INTERVAL = 5.0
"""Seconds between two walks, at most."""

SHORTEST_INTERVAL = 0.2
"""Seconds between two walks for the sake of tokens: thousands may end in one second."""


class Watch:
    """
    Asks idle clients whether they are there, and reports who must go.

    Args:
        links: Returns the open links.
        ping_interval: Seconds without a frame in one of the directions after which a
            heartbeat is sent; None for never.
        ping_timeout: Seconds that the answer to it may take.
        leeway: Seconds that a connection outlives its token.
        expired: Called with a link whose token has ended; None: tokens do not matter.
        silent: Called with a link that does not answer.
    """

    def __init__(
        self,
        links: Callable[[], Iterable[Link]],
        *,
        ping_interval: float | None,
        ping_timeout: float,
        leeway: float,
        expired: Callable[[Link], None] | None,
        silent: Callable[[Link], None],
    ) -> None:
        self._links = links
        self._ping_interval = math.inf if ping_interval is None else ping_interval
        self._ping_timeout = ping_timeout
        self._leeway = leeway
        self._expired = expired
        self._silent = silent
        shortest = min(self._ping_interval, ping_timeout)
        self._walk_interval = min(WALK_INTERVAL, max(shortest / 4, 0.01))
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(self._walk_interval, self._walk)

    def add(self, link: Link) -> None:
        """Begin to watch a connection."""
        due = self._loop.time() + self._delay(self._end(link))
        if due < self._timer.when():
            self._timer.cancel()
            self._timer = self._loop.call_at(due, self._walk)

    def stop(self) -> None:
        """End the watch."""
        self._timer.cancel()

    def _end(self, link: Link) -> float:
        """Return the Unix time at which a connection must end."""
        end = link.identity.expires_at
        return math.inf if end is None or self._expired is None else end + self._leeway

    def _delay(self, end: float) -> float:
        # Never longer than to the next walk: the wall clock may be set meanwhile.
        return min(self._walk_interval, max(end - time.time(), SHORTEST_INTERVAL))

    def _walk(self) -> None:
        nearest = math.inf
        try:
            wall, now = time.time(), self._loop.time()
            for link in list(self._links()):
                if link.protocol.state is not State.OPEN:
                    continue
                end = self._end(link)
                if end <= wall and self._expired is not None:
                    self._expired(link)
                else:
                    nearest = min(nearest, end)
                    self._look_after(link, now)
        finally:
            # Whatever goes wrong with one connection, the others stay watched.
            self._timer = self._loop.call_later(self._delay(nearest), self._walk)

    def _look_after(self, link: Link, now: float) -> None:
        session = link.session
        if session is None:
            return
        is_heard = session.answers_heartbeats and link.has_room.is_set()
        silence = now - link.last_received if is_heard else 0.0
        if silence >= self._ping_interval + self._ping_timeout:
            self._silent(link)
        elif max(silence, now - session.connection.last_sent) >= self._ping_interval:
            link.write(session.heartbeat)
