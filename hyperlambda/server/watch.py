"""
One timer for all connections: tokens that end, and clients that fell silent.

A timer for each of many thousand connections would cost more than a walk over them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from itertools import count

from websockets.protocol import State

from .links import Link

__all__ = ["Watch"]

WALK_INTERVAL = 5.0
"""Seconds between two walks, at most."""


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
        self._ping_interval = ping_interval
        self._ping_timeout = ping_timeout
        self._leeway = leeway
        self._expired = expired
        self._silent = silent
        self._walk_interval = WALK_INTERVAL
        if ping_interval is not None:
            shortest = min(ping_interval, ping_timeout)
            self._walk_interval = min(WALK_INTERVAL, max(shortest / 4, 0.01))
        # The number keeps links with equal ends from being compared.
        self._ends: list[tuple[float, int, Link]] = []
        self._number = count()
        self._loop = asyncio.get_running_loop()
        self._next_walk = self._loop.time() + self._walk_interval
        self._timer: asyncio.TimerHandle | None = None
        self._arm()

    def add(self, link: Link) -> None:
        """Begin to watch for the end of a connection's token."""
        end = link.identity.expires_at
        if end is not None and self._expired is not None:
            heappush(self._ends, (end + self._leeway, next(self._number), link))
            if self._ends[0][2] is link:
                self._arm()

    def stop(self) -> None:
        """End the watch."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        self.stop()
        delay = self._next_walk - self._loop.time()
        if self._ends:
            # Never longer than to the next walk: the wall clock may be set meanwhile.
            delay = min(delay, self._ends[0][0] - time.time())
        self._timer = self._loop.call_later(max(delay, 0.001), self._tick)

    def _tick(self) -> None:
        try:
            self._end_expired()
            if self._loop.time() >= self._next_walk:
                self._walk()
        finally:
            self._arm()

    def _end_expired(self) -> None:
        now = time.time()
        while self._ends and self._ends[0][0] <= now:
            link = heappop(self._ends)[2]
            if self._expired is not None and link.protocol.state is State.OPEN:
                self._expired(link)

    def _walk(self) -> None:
        now = self._loop.time()
        self._next_walk = now + self._walk_interval
        if self._ping_interval is None:
            return
        for link in list(self._links()):
            session = link.session
            if session is None or link.protocol.state is not State.OPEN:
                continue
            silence = now - link.last_received
            if (
                silence >= self._ping_interval + self._ping_timeout
                and session.answers_heartbeats
            ):
                self._silent(link)
            elif max(silence, now - link.last_sent) >= self._ping_interval:
                link.last_sent = now
                link.transport.write(session.heartbeat)
