"""Coroutine slots, called from programs that run on a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from time import monotonic
from typing import TYPE_CHECKING, Any

from .errors import LimitError

if TYPE_CHECKING:
    from .run import Run

__all__ = ["wait"]


def wait(run: Run, awaitable: Awaitable[Any]) -> Any:
    """
    Run an awaitable to its end on the event loop of the program.

    That is the loop that started the program (`run_async`), or else one of its own.

    Raises:
        LimitError: The time of the program is over.
    """
    timeout = None if run._deadline is None else max(0.0, run._deadline - monotonic())
    try:
        if run._loop is not None:
            return _wait_elsewhere(run, awaitable, timeout)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return _wait_here(run, awaitable, timeout)
        # The thread is busy with a loop that called `evaluate`: it cannot run another.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, _limited(awaitable, timeout)).result()
    except (TimeoutError, FutureTimeoutError):
        if run._deadline is not None and monotonic() >= run._deadline:
            raise LimitError(
                f"the program runs longer than the {run.limits.timeout:g} seconds it may"
            ) from None
        raise


def _wait_elsewhere(run: Run, awaitable: Awaitable[Any], timeout: float | None) -> Any:
    assert run._loop is not None
    future = asyncio.run_coroutine_threadsafe(_limited(awaitable, timeout), run._loop)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def _wait_here(run: Run, awaitable: Awaitable[Any], timeout: float | None) -> Any:
    if run._runner is None:
        run._runner = asyncio.Runner()
    return run._runner.run(_limited(awaitable, timeout))


async def _limited(awaitable: Awaitable[Any], timeout: float | None) -> Any:
    return await asyncio.wait_for(awaitable, timeout)
