"""How a connection is closed: politely, and within some seconds in any case."""

from __future__ import annotations

import asyncio

from .links import Link

__all__ = [
    "ASKED_BACK",
    "SENT_AWAY",
    "TOKEN_EXPIRED",
    "TOO_SLOW",
    "Partings",
    "part",
]

TOKEN_EXPIRED = 3005
"""Close code; below 3500, clients may come back at once with a fresh token."""

SENT_AWAY = 3503
"""Close code of a client that a program has disconnected; it is to stay away."""

ASKED_BACK = 3003
"""The same of one that is to come back at once."""

TOO_SLOW = 4008
"""Close code of a client that does not read what it asked for."""

MAX_REASON = 123
"""Bytes of a reason that a close frame has room for (RFC 6455 §5.5)."""


class Partings:
    """The connections that are being closed."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, link: Link, code: int, reason: str, timeout: float) -> None:
        """Start to close a connection; see `part`."""
        task = asyncio.create_task(part(link, code, reason, timeout))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait(self) -> None:
        """Return when all of them are closed."""
        if self._tasks:
            await asyncio.wait(self._tasks)


async def part(link: Link, code: int, reason: str, timeout: float) -> None:
    """Close politely within some seconds; then no more politely."""
    short = reason.encode()[:MAX_REASON].decode(errors="ignore")
    try:
        # Waits behind what is queued, which `websockets` itself does without an end.
        async with asyncio.timeout(timeout):
            await link.close(code, short)
    except TimeoutError:
        pass
    finally:
        link.transport.abort()
