"""What a server process does, from its options to its end."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import click

from ..evaluator import Evaluator
from ..limits import Limits
from ..server import FileExecutor, History, Rule, SocketServer
from ..server.loops import SWITCH_INTERVAL, run
from ..server.redis_client import Redis

__all__ = ["Service", "show"]


@dataclass(frozen=True, slots=True)
class Service:
    """
    What a process serves.

    Attributes:
        root: The folder of the files that clients run, or None.
        limits: Of these.
        config: What they find in their configuration.
        silent_errors: Whether a file that fails looks to its client as if it had not.
        has_sockets: Whether programs have a hub.
        redis: Where the process meets the others, or None.
        heartbeat: Seconds between two signs of life there.
        options: Of `SocketServer`.
        history: Of which names messages are kept.
        history_bytes: Memory for all of them.
    """

    root: str | None
    limits: Limits
    config: Mapping[str, Any]
    silent_errors: bool
    has_sockets: bool
    redis: Redis | None
    heartbeat: float
    options: Mapping[str, Any]
    history: tuple[Rule, ...]
    history_bytes: int

    def make(self) -> tuple[SocketServer, FileExecutor | None]:
        """
        Return a server, and what runs its files.

        Raises:
            HyperlambdaError: The options do not fit together.
        """
        history = None
        if self.history:
            history = History(self.history, max_bytes=self.history_bytes)
        backplane = None
        if self.redis is not None:
            # Imported here: only who has several servers should pay for it.
            from ..server.redis_backplane import RedisBackplane

            backplane = RedisBackplane(
                self.redis, heartbeat=self.heartbeat, history=history
            )
        evaluator = Evaluator(root=self.root, limits=self.limits, config=self.config)
        executor = None
        if self.root is not None:
            executor = FileExecutor(evaluator, silent_errors=self.silent_errors)
        server = SocketServer(
            **self.options, backplane=backplane, history=history, execute=executor
        )
        if self.has_sockets:
            evaluator.hub = server.hub
        return server, executor

    def run(
        self, is_ready: Callable[[SocketServer], object], parent: int | None = None
    ) -> None:
        """
        Serve until SIGTERM or Ctrl-C.

        Args:
            is_ready: Called when it serves.
            parent: A file descriptor that becomes readable when it must end too.
        """
        server, executor = self.make()
        sys.setswitchinterval(SWITCH_INTERVAL)
        with executor or nullcontext():
            run(_serve(server, is_ready, parent))


def show(server: SocketServer, lifetime_seconds: int) -> None:
    """Tell where a server is, and a token to try it with if it made its own secret."""
    click.echo(f"listening on {server.url}")
    if server.is_secret_ephemeral:
        token = server.token("root", ["root"], lifetime_seconds=lifetime_seconds)
        click.echo(
            "there is no secret, so tokens end with this server; one to try, for "
            f"the user and role 'root':\n{token}",
            err=True,
        )


async def _serve(
    server: SocketServer, is_ready: Callable[[SocketServer], object], parent: int | None
) -> None:
    loop = asyncio.get_running_loop()
    end = asyncio.Event()

    def leave(number: int) -> None:
        # Who asks twice does not want to wait for clients that read slowly. A worker
        # may hear of one wish from several: its parent counts them.
        if parent is None:
            loop.remove_signal_handler(number)
        end.set()

    def follow(parent: int) -> None:
        loop.remove_reader(parent)
        end.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, leave, number)
        except NotImplementedError:  # Windows, where Ctrl-C cancels us instead
            break
    if parent is not None:
        loop.add_reader(parent, follow, parent)
    async with server:
        is_ready(server)
        await end.wait()
