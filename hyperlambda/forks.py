"""
Forks: parts of a program that run on threads of their own (spec 02 §3.11).

A fork is a run that starts with nothing in scope, but with the whitelist of the program
(spec 02 §7, Q21), and shares its `Budget`: however a program is spread over forks, all
of it together takes no more than its limits allow.
"""

from __future__ import annotations

from _thread import LockType, allocate_lock, get_ident
from collections.abc import Callable, Sequence
from copy import copy
from time import monotonic
from typing import TYPE_CHECKING, Any

from .errors import HyperlambdaError, LimitError
from .node import Node

if TYPE_CHECKING:
    from threading import Thread

    from .run import Run

__all__ = ["MAX_FORKS", "Budget", "acquire", "run_forks", "start_fork", "waiting_threads"]

# The most that one program may have running at a time.
MAX_FORKS = 64
# Seconds between looks at whether a program that waits must end.
_PATIENCE = 0.2


class Budget:
    """
    What a program and its forks have left, together.

    Attributes:
        steps: Slots that may still be called, apart from those that a run took already.
        roots: For the program and each of its forks that runs, the trees that it has.
        stopped: Whether all of them are to end.
    """

    __slots__ = ("_lock", "roots", "steps", "stopped")

    def __init__(self, steps: int, roots: list[Node]) -> None:
        self.steps = steps
        self.roots = [roots]
        self.stopped = False
        self._lock = allocate_lock()

    def take_steps(self, most: int) -> int:
        """Take some steps away and return how many; 0 when there are none left."""
        with self._lock:
            sharing = len(self.roots)
            # A run that takes what it may not need leaves the others without.
            left = self.steps if sharing == 1 else -(-self.steps // (4 * sharing))
            taken = min(most, left)
            self.steps -= taken
            return taken

    def give_steps(self, steps: int) -> None:
        """Take back steps that were not used."""
        with self._lock:
            self.steps += steps

    def enter(self, forks: Sequence[Run]) -> None:
        """
        Count some forks in.

        Raises:
            LimitError: There would be too many; none of them is counted.
        """
        with self._lock:
            if len(self.roots) - 1 + len(forks) > MAX_FORKS:
                raise LimitError(
                    f"the program has more than the {MAX_FORKS} forks it may at a time"
                )
            self.roots = [*self.roots, *(fork._roots for fork in forks)]

    def leave(self, fork: Run) -> None:
        """Count a fork out."""
        with self._lock:
            # By identity: lists of the same nodes are equal. A new list, since others
            # may be reading the old one.
            self.roots = [roots for roots in self.roots if roots is not fork._roots]


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
    while not lock.acquire(timeout=_patience(run)):
        run._look()


def waiting_threads(run: Run) -> tuple[int, ...]:
    """Return the threads that cannot go on before this run does, its own included."""
    return (get_ident(), *run._awaited_by)


def _patience(run: Run) -> float:
    if run._deadline is None:
        return _PATIENCE
    return min(_PATIENCE, max(0.0, run._deadline - monotonic()))


def _forks(run: Run, codes: list[Node]) -> list[Run]:
    """Make a run for each node, all of them counted in."""
    budget = run._budget
    if run._fuel > 0:  # the forks need some of it
        budget.give_steps(run._fuel)
        run._fuel = 0
    forks = [_fork(run, code) for code in codes]
    budget.enter(forks)
    if run._node_allowance is not None:
        share = run._node_allowance // (len(forks) + 1)
        for fork in forks:
            fork._node_allowance = share
        run._node_allowance -= share * len(forks)
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
    return fork


def _start_thread(fork: Run, work: Callable[[], None]) -> Thread:
    # Only programs that fork pay for loading this.
    from threading import Thread

    thread = Thread(target=work, name="hyperlambda-fork", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        fork._budget.leave(fork)
        raise LimitError("the machine cannot start another thread") from error
    return thread


def _run(fork: Run, code: Node) -> BaseException | None:
    """Run a fork to its end, and return what it failed with."""
    try:
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
        fork._budget.leave(fork)
    return None


def _log(failure: BaseException) -> None:
    # Only forks that fail pay for loading this.
    import logging

    logging.getLogger("hyperlambda").error("a fork failed: %s", failure)
