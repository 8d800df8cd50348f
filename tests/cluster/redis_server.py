"""A redis-server of the tests' own: on a free port, in a folder of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path
from typing import Self

from ..server.javascript import give_up

TIMEOUT = 30.0
"""Seconds until something that must happen counts as not happening."""

ATTEMPTS = 5
"""Another process may take a free port before the server does."""


class RedisServer:
    """
    Runs while a ``with`` block is active; keeps nothing on disk.

    Args:
        folder: Where it works.
        arguments: Of the command, besides the usual ones; "{port}" is the free port.

    Without a redis-server tests that need it are skipped, except where changes are
    checked (CI is set): there that is a failure.
    """

    def __init__(self, folder: Path, *arguments: str) -> None:
        found = shutil.which("redis-server")
        if found is None:
            give_up("redis-server is not installed")
        self._program = str(found)
        self._folder = folder
        self._arguments = arguments or ("--port", "{port}")
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Return when it answers; a second time, it is on the same port."""
        for _ in range(ATTEMPTS):
            port = self.port or free_port()
            process = self._launch(port)
            if process is not None:
                self._process, self.port = process, port
                return
        raise AssertionError("redis-server does not start")

    def stop(self) -> None:
        """Stop it, and with it everything that it knows."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate(timeout=TIMEOUT)
            self._process = None

    def _launch(self, port: int) -> subprocess.Popen[str] | None:
        arguments = [each.format(port=port) for each in self._arguments]
        arguments += ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        process = subprocess.Popen(
            [self._program, *arguments, "--dir", str(self._folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        assert process.stdout is not None
        for line in process.stdout:
            if "ready to accept connections" in line.lower():
                return process
        process.wait(TIMEOUT)
        process.stdout.close()
        return None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
