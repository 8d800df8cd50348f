"""How a connection is closed: politely, and within some seconds in any case."""

from __future__ import annotations

import asyncio

from .links import Link

__all__ = ["Partings", "part"]

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
