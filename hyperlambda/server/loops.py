"""
Which event loop a server runs on when it may choose: uvloop's, if that is installed.

It reads requests and accepts connections faster (`pip install 'pyhyperlambda[fast]'`). Frames
are written the same way on both. `SocketServer` itself runs on whatever loop it is started
on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

__all__ = ["find_loop_factory", "run"]


def find_loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes an event loop; None stands for asyncio's own."""
    try:
        # An extra, which also takes a while to load.
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end, as `asyncio.run` does, on the faster loop."""
    with asyncio.Runner(loop_factory=find_loop_factory()) as runner:
        runner.run(main)
