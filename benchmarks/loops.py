"""The event loops that servers are measured on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from hyperlambda.server.loops import find_loop_factory

__all__ = ["LOOPS", "run_on"]

Found = TypeVar("Found")

_FACTORIES: dict[str, Callable[[], asyncio.AbstractEventLoop] | None] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": find_loop_factory(),
}

LOOPS = [name for name, factory in _FACTORIES.items() if factory is not None]
"""Those that are installed."""


def run_on(loop: str, main: Coroutine[Any, Any, Found]) -> Found:
    """Run a coroutine on a loop, by its name."""
    with asyncio.Runner(loop_factory=_FACTORIES[loop]) as runner:
        return runner.run(main)
