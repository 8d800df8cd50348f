"""How many files one connection may wait for: beyond that, its requests stay unread."""

from __future__ import annotations

from functools import partial

from .hub import Connection
from .links import Link
from .metrics import CallTimes
from .protocols.plain import Done, Execute

__all__ = ["MAX_CALLS", "counted"]

MAX_CALLS = 64
"""A frame may hold several requests, so that there can be more than this for a while."""


def counted(execute: Execute | None, link: Link, times: CallTimes) -> Execute | None:
    """Return what runs files for a link, keeps count of them, and answers on its loop."""
    if execute is None:
        return None

    def end(done: Done, start: float, *outcome: str | None) -> None:
        times.end(link.loop.time() - start, outcome[0] is not None)
        link.calls -= 1
        if link.calls < MAX_CALLS:
            link.has_room.set()
        done(*outcome)

    def run(connection: Connection, file: str, json: str | None, done: Done) -> None:
        start = link.loop.time()
        times.begin()
        link.calls += 1
        if link.calls >= MAX_CALLS:
            link.has_room.clear()

        def finish(*outcome: str | None) -> None:
            try:
                link.loop.call_soon_threadsafe(partial(end, done, start, *outcome))
            except RuntimeError:  # the loop has ended, and with it the connection
                pass

        execute(connection, file, json, finish)

    return run
