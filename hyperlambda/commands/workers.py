"""
Several server processes on one port of one machine (`hyperlambda serve --workers N`).

A parent holds the port without listening, forks the workers, which listen on it
(SO_REUSEPORT), starts another one for each that dies, and passes on the wish to stop. It
runs no threads and no event loop, so that it may fork at any time.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from ..errors import HyperlambdaError

__all__ = ["Work", "can_share_ports", "reserved_port", "run_workers"]

_SHORT_LIFE = 5.0
"""Seconds that a worker must live, or its successor waits."""

_LONGEST_DELAY = 5.0

_log = logging.getLogger("hyperlambda.server")

Work = Callable[[Callable[[], object], int, int], None]
"""
What a worker does: ``work(is_ready, parent, number)``.

Its number counts from 1; who replaces it gets the same. It calls ``is_ready`` when it
serves, and ends when it gets SIGTERM, or when the file descriptor ``parent`` becomes
readable: then the parent is gone. Raises HyperlambdaError if it cannot serve.
"""


def can_share_ports() -> bool:
    """Return whether this system lets several processes listen on one port."""
    return hasattr(socket, "SO_REUSEPORT") and hasattr(os, "fork")


@contextmanager
def reserved_port(host: str, port: int) -> Iterator[int]:
    """
    Hold a port for the workers while the block runs; return it, 0 being any free one.

    Raises:
        HyperlambdaError: It is taken, or there is no such host.
    """
    with _bind(host, port, shares=False):
        # Somebody else who shares ports would not be noticed otherwise.
        pass
    with _bind(host, port, shares=True) as held:
        yield held.getsockname()[1]


def _bind(host: str, port: int, *, shares: bool) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shares:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            bound.bind(address)
        except OSError:
            bound.close()
            raise
    except OSError as error:
        raise HyperlambdaError(
            f"cannot listen on port {port} of '{host}': {error.strerror}"
        ) from error
    return bound


@dataclass(slots=True)
class _Worker:
    """
    A child.

    Attributes:
        number: The first is 1.
        process: The process.
        news: Where it says that it is ready (None), or why it cannot be.
        started: When, by the monotonic clock.
    """

    number: int
    process: BaseProcess
    news: Connection
    started: float


class _Signals:
    """Remembers SIGINT and SIGTERM, and wakes whoever waits for `reader`."""

    def __init__(self) -> None:
        self.reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._before = {
            number: signal.signal(number, lambda *_: None)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        self._wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)

    def close(self) -> None:
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self.reader)
        os.close(self._writer)


class _Herd:
    def __init__(self, work: Work) -> None:
        self._work = work
        self._context = multiprocessing.get_context("fork")
        self._signals = _Signals()
        # Children read it; it ends when the last holder of the other end does.
        self._alive = os.pipe()
        self.workers: list[_Worker] = []

    def start(self, number: int) -> None:
        """Start another worker."""
        reader, writer = self._context.Pipe(duplex=False)
        process = self._context.Process(target=self._be_worker, args=(writer, number))
        process.start()
        writer.close()
        self.workers.append(_Worker(number, process, reader, time.monotonic()))

    def wait_until_ready(self) -> bool:
        """
        Return when all workers serve; False if we were told to stop before.

        Raises:
            HyperlambdaError: One of them cannot.
        """
        waiting = [worker.news for worker in self.workers]
        while waiting:
            ready = wait([*waiting, self._signals.reader])
            if self._signals.reader in ready:
                return False
            for news in waiting[:]:
                if news in ready:
                    waiting.remove(news)
                    _check(news)
        return True

    def keep(self, count: int) -> None:
        """Replace workers that die, until we are told to stop."""
        delay, due = 0.0, 0.0
        while True:
            present = {worker.number for worker in self.workers}
            missing = set(range(1, count + 1)) - present
            now = time.monotonic()
            if missing and now >= due:
                for number in missing:
                    self.start(number)
                missing = set()
            sentinels = [worker.process.sentinel for worker in self.workers]
            ready = wait(
                [*sentinels, self._signals.reader], due - now if missing else None
            )
            if self._signals.reader in ready:
                return
            for worker in [w for w in self.workers if w.process.sentinel in ready]:
                is_short = time.monotonic() - worker.started < _SHORT_LIFE
                delay = min(2 * delay + 0.1, _LONGEST_DELAY) if is_short else 0.0
                due = time.monotonic() + delay
                self._bury(worker)

    def stop(self) -> None:
        """Let all workers end in good order, and wait for that."""
        os.close(self._alive[1])
        self._tell(signal.SIGTERM)
        while self.workers:
            sentinels = [worker.process.sentinel for worker in self.workers]
            ready = wait([*sentinels, self._signals.reader])
            if self._signals.reader in ready:
                # Asked once more: nobody wants to wait for clients that read slowly.
                os.read(self._signals.reader, 64)
                self._tell(signal.SIGKILL)
            for worker in [w for w in self.workers if w.process.sentinel in ready]:
                worker.process.join()
                worker.news.close()
                self.workers.remove(worker)
        os.close(self._alive[0])
        self._signals.close()

    def _tell(self, number: signal.Signals) -> None:
        if number is signal.SIGTERM and _is_pending(self._signals.reader):
            os.read(self._signals.reader, 64)
        for worker in self.workers:
            assert worker.process.pid is not None
            os.kill(worker.process.pid, number)

    def _bury(self, worker: _Worker) -> None:
        worker.process.join()
        worker.news.close()
        self.workers.remove(worker)
        _log.error(
            "worker %s has ended (%s); another one starts",
            worker.process.pid,
            worker.process.exitcode,
        )

    def _be_worker(self, news: Connection, number: int) -> None:
        """Work; in the child."""
        self._signals.close()
        # Or the end of the parent would not be seen.
        os.close(self._alive[1])
        try:
            self._work(lambda: news.send(None), self._alive[0], number)
        except HyperlambdaError as error:
            news.send(error.message)
            os._exit(1)
        except KeyboardInterrupt:
            os._exit(1)


def _check(news: Connection) -> None:
    try:
        message = news.recv()
    except EOFError:
        message = "a worker has ended before it could serve"
    if message is not None:
        raise HyperlambdaError(message)


def _is_pending(reader: int) -> bool:
    return bool(wait([reader], 0))


def run_workers(count: int, work: Work, is_ready: Callable[[], object]) -> None:
    """
    Keep so many workers until SIGTERM or Ctrl-C, then let them end in good order.

    Args:
        is_ready: Called once, when all of them serve.

    Raises:
        HyperlambdaError: A worker cannot serve.
    """
    herd = _Herd(work)
    try:
        for number in range(1, count + 1):
            herd.start(number)
        if herd.wait_until_ready():
            is_ready()
            herd.keep(count)
    finally:
        herd.stop()
