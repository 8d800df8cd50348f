"""Event loops and threads: programs started from a loop, coroutine slots called by one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import LimitError

if TYPE_CHECKING:
    from .evaluator import Evaluator
    from .node import Node
    from .run import Run

__all__ = ["on_thread", "run_on_thread", "wait"]

# Seconds between looks at whether a program that waits must end.
_PATIENCE = 0.2

Result = TypeVar("Result")


def on_thread(work: Callable[[], Result]) -> asyncio.Future[Result]:
    """
    Call a function on a thread of its own; the result belongs to the running loop.

    Not a pool: programs whose slots wait for other programs would fill it, and then
    wait for ever.
    """
    done: Future[Result] = Future()
    done.set_running_or_notify_cancel()  # from here on nobody can cancel it
    context = copy_context()

    def target() -> None:
        try:
            result = context.run(work)
        except BaseException as error:
            done.set_exception(error)
        else:
            done.set_result(result)

    Thread(target=target, name="hyperlambda-program", daemon=True).start()
    return asyncio.wrap_future(done)


async def run_on_thread(
    evaluator: Evaluator,
    text: str | bytes,
    arguments: Mapping[str, Any] | None,
    file: str,
) -> Node:
    """Run a program on a thread; when the task is cancelled, stop it at its next step."""
    loop = asyncio.get_running_loop()
    with evaluator._begin(loop) as run:
        task = on_thread(lambda: run.run(text, arguments=arguments, file=file))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            run.stopped = True
            await asyncio.wait([task])
            task.exception()  # seen: the program was told to stop
            raise


def wait(run: Run, awaitable: Awaitable[Any]) -> Any:
    """
    Run an awaitable to its end on the event loop of the program.

    That is the loop that started the program (`run_async`), or else one of its own.

    Raises:
        LimitError: The time of the program is over.
    """
    timeout = None if run._deadline is None else max(0.0, run._deadline - monotonic())
    try:
        if _is_in_loop():
            # This thread is busy with a loop that called us, and cannot turn it.
            with ThreadPoolExecutor(1) as pool:
                return pool.submit(asyncio.run, _limited(awaitable, timeout)).result()
        if run._loop is not None:
            return _wait_elsewhere(run, run._loop, awaitable, timeout)
        return _wait_here(run, awaitable, timeout)
    except TimeoutError:
        if run._deadline is not None and monotonic() >= run._deadline:
            raise LimitError(
                f"the program runs longer than the {run.limits.timeout:g} seconds it may"
            ) from None
        raise


def _is_in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _wait_elsewhere(
    run: Run,
    loop: asyncio.AbstractEventLoop,
    awaitable: Awaitable[Any],
    timeout: float | None,
) -> Any:
    future = asyncio.run_coroutine_threadsafe(_limited(awaitable, timeout), loop)
    try:
        while True:
            try:
                return future.result(_PATIENCE)
            except TimeoutError:
                if future.done():  # it was the awaitable's own
                    raise
                run.time_left()  # raises when the program was told to stop
    except BaseException:
        future.cancel()
        raise


def _wait_here(run: Run, awaitable: Awaitable[Any], timeout: float | None) -> Any:
    if run._runner is None:
        run._runner = asyncio.Runner()
    return run._runner.run(_limited(awaitable, timeout))


async def _limited(awaitable: Awaitable[Any], timeout: float | None) -> Any:
    return await asyncio.wait_for(awaitable, timeout)
