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

__all__ = ["SWITCH_INTERVAL", "find_loop_factory", "run"]

SWITCH_INTERVAL = 0.0005
"""
Seconds that a thread may compute while others wait, in a process that is only a server.

By Python's default of 0.005, programs that compute in threads let the event loop wait for so
long after each call to the system, of which it makes several for each message.
"""


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
