"""
Files that clients run: `<file>.socket.hl` below `modules/` or `system/` (spec 05 §3).

They run on a bounded pool of threads: those of one connection one after another, in the
order in which it asked, those of different connections side by side. A file that was
asked for runs even if the connection ends meanwhile: pages send and leave.

What a file finds in scope is the id of its connection (`sockets.connection`) and, unless
the connection is anonymous, its ticket: a node with the username, and below it the roles.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Lock
from types import TracebackType
from typing import Self

from ..errors import HyperlambdaError
from ..evaluator import Evaluator
from ..json_writer import write_json
from ..limits import Limits
from ..node import Node
from ..parser import parse
from ..sockets import CONNECTION, TICKET
from .arguments import attach_arguments
from .hub import Connection
from .paths import locate
from .protocols.plain import Done

__all__ = ["FILE_LIMITS", "FileExecutor"]

FILE_LIMITS = Limits(timeout=30, max_nodes=500_000, max_text=8_000_000)
"""What files may use up that clients run, unless the server's owner says otherwise."""

MAX_FILE = 4 * 1024 * 1024
"""Bytes of a file. A program that was read takes fifty times as much memory, and stays."""

FAILED = "the file failed; the server's log says why"
"""What clients see of errors that are not public."""

_MAX_PARSED = 256

_log = logging.getLogger("hyperlambda.server")


@dataclass(frozen=True, slots=True)
class _Call:
    connection: Connection
    file: str
    json: str | None
    done: Done


class FileExecutor:
    """
    Runs files for the connections of a server; it is what `SocketServer` calls `execute`.

    Args:
        evaluator: Knows the root folder, the slots, the limits, and the server's hub.
        workers: How many files run at one time.
        max_waiting: How many may wait in all; further ones are refused.
        silent_errors: Whether a call that fails looks as if it had not, as the
            reference has it (spec 05 §3.3); the log tells in any case.

    Raises:
        HyperlambdaError: The evaluator has no root.

    Example::

        evaluator = Evaluator(root="files", limits=FILE_LIMITS)
        with FileExecutor(evaluator) as executor:
            server = SocketServer(execute=executor)
            evaluator.hub = server.hub
    """

    def __init__(
        self,
        evaluator: Evaluator,
        *,
        workers: int = 8,
        max_waiting: int = 10_000,
        silent_errors: bool = False,
    ) -> None:
        if evaluator.root is None:
            raise HyperlambdaError(
                "files are run below a root folder, and there is none"
            )
        self._evaluator = evaluator
        self._root = evaluator.root
        self._max_waiting = max_waiting
        self._hides_errors = silent_errors
        self._pool = ThreadPoolExecutor(workers, "hyperlambda-file")
        self._lock = Lock()
        self._has_ended = Condition(self._lock)
        # Of each connection that has a file running: what it has asked for besides.
        self._waiting: dict[Connection, deque[_Call]] = {}
        self._count = 0
        self._runs: set[Evaluator] = set()
        self._is_closed = False
        # Parsed files, by path, with what tells that they were changed.
        self._parsed: dict[Path, tuple[tuple[int, int, int], Node]] = {}

    def __call__(
        self, connection: Connection, file: str, json: str | None, done: Done
    ) -> None:
        """Run a file when its turn has come; see `Execute`."""
        call = _Call(connection, file, json, done)
        with self._lock:
            is_refused = self._is_closed or self._count >= self._max_waiting
            if not is_refused:
                self._count += 1
                queue = self._waiting.get(connection)
                if queue is not None:
                    queue.append(call)
                    return
                self._waiting[connection] = deque()
                self._pool.submit(self._work, call)
        if is_refused:
            done("the server is busy")

    def close(self, timeout: float = 5) -> None:
        """
        Run nothing more, and return when what runs has ended.

        Args:
            timeout: Seconds after which programs are told to stop.
        """
        with self._lock:
            self._is_closed = True
            self._waiting.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._has_ended.wait_for(lambda: not self._runs, timeout)
            for run in self._runs:
                run.stopped = True
        self._pool.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # On the threads of the pool.

    def _work(self, call: _Call) -> None:
        try:
            call.done(*self._outcome(call))
        finally:
            self._go_on(call.connection)

    def _go_on(self, connection: Connection) -> None:
        with self._lock:
            self._count -= 1
            queue = self._waiting.get(connection)
            if queue:
                # To the end of the pool's queue, so that others have their turn.
                self._pool.submit(self._work, queue.popleft())
            else:
                self._waiting.pop(connection, None)

    def _outcome(self, call: _Call) -> tuple[str | None, str | None]:
        """Return the error or the result that the client gets to see."""
        try:
            return None, self._run(call)
        except HyperlambdaError as error:
            level = logging.INFO if error.public else logging.ERROR
            _log.log(level, "file %.200r failed: %s", call.file, _one_line(str(error)))
            shown = error.message if error.public else FAILED
        except Exception:
            _log.exception("file %.200r failed", call.file)
            shown = FAILED
        return (None if self._hides_errors else shown), None

    def _run(self, call: _Call) -> str | None:
        program = self._load(locate(self._root, call.file))
        attach_arguments(program, call.json)
        ticket = _ticket(call.connection)
        with (
            self._begin() as run,
            run.scope(CONNECTION, call.connection.id),
            run.scope(TICKET, ticket),
        ):
            return _json(run.run_tree(program))

    @contextmanager
    def _begin(self) -> Iterator[Evaluator]:
        """Make the run of one program, which `close` can stop."""
        with self._evaluator._begin() as run:
            with self._lock:
                if self._is_closed:
                    raise HyperlambdaError("the server stops", public=True, status=503)
                self._runs.add(run)
            try:
                yield run
            finally:
                with self._lock:
                    self._runs.discard(run)
                    self._has_ended.notify_all()

    def _load(self, path: Path) -> Node:
        """Return the program in a file, which is parsed anew when that has changed."""
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            known = self._parsed.get(path)
            if known is None or known[0] != stamp:
                known = (stamp, _read_program(path, status.st_size))
                if len(self._parsed) >= _MAX_PARSED:
                    self._parsed.clear()
                self._parsed[path] = known
        except OSError as error:
            raise HyperlambdaError(f"it cannot be read: {error.strerror}") from error
        return known[1].clone()


def _read_program(path: Path, size: int) -> Node:
    if size > MAX_FILE:
        raise HyperlambdaError(f"it has more than {MAX_FILE} bytes")
    return parse(path.read_bytes(), file=str(path))


def _ticket(connection: Connection) -> Node | None:
    identity = connection.identity
    if identity.username is None:
        return None
    roles = [Node(".", role) for role in sorted(identity.roles)]
    return Node("", identity.username, [Node("roles", None, roles)] if roles else [])


def _one_line(text: str) -> str:
    """Escape what could make a log show lines that nobody wrote: clients sent a part."""
    if text.isprintable():
        return text
    return "".join([c if c.isprintable() else repr(c)[1:-1] for c in text])


def _json(result: Node) -> str | None:
    """Return what a program returned as JSON; None if that is nothing."""
    if result.children:
        return write_json(result.children)
    if result.value is None:
        return None
    # An array of one, without its brackets: JSON of a value that stands alone.
    return write_json([Node(".", result.value)])[1:-1]
