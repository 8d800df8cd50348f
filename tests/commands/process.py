"""The installed `hyperlambda` as a real process, which tests wait for and never for long."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hyperlambda.server import issue_token

TIMEOUT = 30.0
"""Seconds; slow machines may stretch this one."""

EXECUTABLE = str(Path(sys.executable).with_name("hyperlambda"))
SECRET = "a secret of the tests that has more than fifty characters"


def environment(**variables: str) -> dict[str, str]:
    """Return an environment without settings of ours, except those given."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HYPERLAMBDA_")}
    return {**kept, **variables}


def hyperlambda(
    *arguments: str, input: bytes = b"", **variables: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end."""
    return subprocess.run(
        [EXECUTABLE, *arguments],
        input=input,
        capture_output=True,
        timeout=TIMEOUT,
        env=environment(**variables),
    )


@contextmanager
def started(*arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command while the block runs."""
    options: dict[str, Any] = {"encoding": "utf-8", "env": environment(**variables)}
    with subprocess.Popen(
        [EXECUTABLE, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(stream: Any) -> str:
    """Wait for a line and return it, without its end; "" means there is no other."""
    line: str = stream.readline()
    return line.rstrip("\n")


def token(*roles: str, user: str = "ada", groups: str = "") -> str:
    """Return a token of the tests' secret."""
    return issue_token(SECRET, user, roles, [groups] if groups else [])


@contextmanager
def serving(*arguments: str) -> Iterator[str]:
    """Run a server on a free port, and give the address for clients."""
    with started(
        "serve", "--port", "0", *arguments, HYPERLAMBDA_SECRET=SECRET
    ) as server:
        line = line_of(server.stdout)
        assert line.startswith("listening on http://127.0.0.1:"), server.communicate()
        yield line.replace("listening on http", "ws") + "/ws"
