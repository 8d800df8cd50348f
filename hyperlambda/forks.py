"""
Forks: parts of a program that run on threads of their own (spec 02 §3.11).

A fork is a run that starts with nothing in scope, but with the whitelist of the program
(spec 02 §7, Q21), and shares its budget: however a program is spread over forks, all
of it together takes no more than its limits allow.
"""

from __future__ import annotations

from _thread import LockType, get_ident
from collections.abc import Callable, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

from .errors import HyperlambdaError, LimitError
from .meter import looking_at
from .node import Node

if TYPE_CHECKING:
    from threading import Thread

    from .run import Run

__all__ = ["acquire", "run_forks", "start_fork", "waiting_threads"]

# Seconds between looks at whether a program that waits must end.
_PATIENCE = 0.2


def start_fork(run: Run, code: Node, scopes: Sequence[tuple[str, Any]] = ()) -> None:
    """
    Run the children of a node on another thread, and do not wait.

    What fails there is logged. The thread does not keep the process alive.

    Args:
        run: The program.
        code: Belongs to nobody else from now on.
        scopes: What the fork finds in scope.

    Raises:
        LimitError: There are too many forks.
    """
    [fork] = _forks(run, [code])
    fork._awaited_by = ()
    fork._scopes.extend(scopes)

    def work() -> None:
        failure = _run(fork, code)
        if failure is not None:
            _log(failure)

    _start_thread(fork, work)


def run_forks(run: Run, codes: list[Node]) -> None:
    """
    Run the children of each node on a thread of its own, and wait for all.

    Raises:
        LimitError: There are too many forks; none was started.
        HyperlambdaError: Some failed; it is the error of the first in order.
    """
    forks = _forks(run, codes)
    failures: list[BaseException | None] = [None] * len(forks)

    def worker(index: int) -> Callable[[], None]:
        def work() -> None:
            failures[index] = _run(forks[index], codes[index])

        return work

    threads = []
    for index, fork in enumerate(forks):
        try:
            threads.append(_start_thread(fork, worker(index)))
        except LimitError as error:
            failures[index] = error
    try:
        for thread in threads:
            thread.join()
    except BaseException:  # somebody interrupts: the forks must not go on alone
        run.stopped = True
        raise
    for failure in failures:
        if failure is not None:
            raise failure


def acquire(run: Run, lock: LockType) -> None:
    """
    Wait for a lock, but no longer than the program may run.

    Raises:
        LimitError: Its time is over.
    """
    left = run.time_left()
    while not lock.acquire(timeout=_PATIENCE if left is None else min(_PATIENCE, left)):
        left = run.time_left()


def waiting_threads(run: Run) -> tuple[int, ...]:
    """Return the threads that cannot go on before this run does, its own included."""
    return (get_ident(), *run._awaited_by)


def _forks(run: Run, codes: list[Node]) -> list[Run]:
    """Make a run for each node, all of them counted in."""
    budget = run._budget
    if run._fuel > 0:  # the forks need some of it
        budget.give_steps(run._fuel)
        run._fuel = 0
    forks = [_fork(run, code) for code in codes]
    budget.enter([fork._roots for fork in forks])
    if run._node_allowance is not None:
        share = run._node_allowance // (len(forks) + 1)
        for fork in forks:
            fork._node_allowance = share
        run._node_allowance -= share * len(forks)
    share = run._text_allowance // (len(forks) + 1)
    for fork in forks:
        fork._text_allowance = share
    run._text_allowance -= share * len(forks)
    return forks


def _fork(run: Run, code: Node) -> Run:
    # A copy, so that whatever else belongs to the program comes along: its slots, its
    # hub, its whitelist, its deadline, and how deep it is.
    fork = copy(run)
    fork.result = None
    fork._awaited_by = waiting_threads(run)
    fork._fuel = 0
    fork._roots = [code]
    fork._runner = None
    fork._scopes = []
    fork._codes = ({}, {})
    return fork


def _start_thread(fork: Run, work: Callable[[], None]) -> Thread:
    # Only programs that fork pay for loading this.
    from threading import Thread

    thread = Thread(target=work, name="hyperlambda-fork", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        fork._budget.leave(fork._roots)
        raise LimitError("the machine cannot start another thread") from error
    return thread


def _run(fork: Run, code: Node) -> BaseException | None:
    """Run a fork to its end, and return what it failed with."""
    try:
        with looking_at(fork.look):
            fork.run_children(code)
    except HyperlambdaError as error:
        error.add_frame(code.name, code.source, code.offset)
        return error
    except BaseException as error:  # the thread ends here: it is for who waits
        return error
    finally:
        if fork._runner is not None:
            fork._runner.close()
        if fork._fuel > 0:
            fork._budget.give_steps(fork._fuel)
        fork._budget.leave(fork._roots)
    return None


def _log(failure: BaseException) -> None:
    # Only forks that fail pay for loading this.
    import logging

    logging.getLogger("hyperlambda").error("a fork failed: %s", failure)
