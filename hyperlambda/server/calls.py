"""
When a connection's requests stay unread: it waits for too many files, or was too fast.
"""

from __future__ import annotations

from functools import partial

from .hub import Connection
from .links import Link
from .metrics import CallTimes
from .pace import Pace
from .protocols.plain import Done, Execute

__all__ = ["MAX_CALLS", "counted", "slow_down"]

MAX_CALLS = 64
"""A frame may hold several requests, so that there can be more than this for a while."""


def slow_down(link: Link, pace: Pace) -> None:
    """Count something that a link asks for; if it is too fast, read on only later."""
    wait = pace.take(link.loop.time())
    if wait > 0:
        # As if it waited for files: whoever looks after links knows what that means.
        link.calls += MAX_CALLS
        link.has_room.clear()
        link.loop.call_later(wait, _release, link, MAX_CALLS)


def _release(link: Link, count: int = 1) -> None:
    link.calls -= count
    if link.calls < MAX_CALLS:
        link.has_room.set()


def counted(
    execute: Execute | None, link: Link, times: CallTimes, pace: Pace
) -> Execute | None:
    """Return what runs files for a link, keeps count of them, and answers on its loop."""
    if execute is None:
        return None

    def end(done: Done, start: float, *outcome: str | None) -> None:
        times.end(link.loop.time() - start, outcome[0] is not None)
        _release(link)
        done(*outcome)

    def run(connection: Connection, file: str, json: str | None, done: Done) -> None:
        start = link.loop.time()
        times.begin()
        link.calls += 1
        if link.calls >= MAX_CALLS:
            link.has_room.clear()
        slow_down(link, pace)

        def finish(*outcome: str | None) -> None:
            try:
                link.loop.call_soon_threadsafe(partial(end, done, start, *outcome))
            except RuntimeError:  # the loop has ended, and with it the connection
                pass

        execute(connection, file, json, finish)

    return run
