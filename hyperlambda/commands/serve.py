"""`hyperlambda serve`: the socket server."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .config import config_option
from .failures import CommandError
from .logs import logging_to_stderr
from .options import find_redis, names, redis_options, secret_file_option
from .secret import find_secret

if TYPE_CHECKING:
    from ..server import FileExecutor, SocketServer
    from ..server.redis_client import Redis

__all__ = ["command"]


@click.command("serve")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="HOST",
    help="The address to listen on; one that others can reach needs a secret.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    metavar="PORT",
    help="0 picks a free one.",
)
@click.option(
    "--root",
    metavar="DIR",
    help="Let clients run the files *.socket.hl below its 'modules' and 'system'.",
)
@secret_file_option
@click.option(
    "--publishers",
    type=names,
    default="root,admin",
    show_default=True,
    metavar="A,B",
    help="Roles of which a client needs one to publish.",
)
@click.option(
    "--origins",
    type=names,
    metavar="A,B",
    help="Origins of web pages that may connect, besides our own; * for all.",
)
@click.option(
    "--max-connections",
    type=click.IntRange(1),
    default=10_000,
    show_default=True,
    metavar="N",
    help="How many clients may be connected.",
)
@click.option(
    "--max-per-address",
    type=click.IntRange(1),
    metavar="N",
    help="How many of one address; behind a proxy all have the address of that.",
)
@click.option(
    "--publish-rate",
    type=click.IntRange(1),
    default=5_000,
    show_default=True,
    metavar="N",
    help="Messages a second that one client may publish before it is slowed down.",
)
@click.option(
    "--execute-rate",
    type=click.IntRange(1),
    default=500,
    show_default=True,
    metavar="N",
    help="Files a second that one client may run before it is slowed down.",
)
@redis_options(
    "Be one of several servers that meet there and behave as one: redis://HOST:PORT/0; "
    "or the variable HYPERLAMBDA_REDIS, which others cannot see."
)
@click.option(
    "--redis-heartbeat",
    type=click.FloatRange(0.1, 60),
    default=3,
    show_default=True,
    metavar="SECONDS",
    help="Between two signs of life; who misses three of them counts as dead.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Processes that share the port; more than one need --redis.",
)
@config_option("server", paths=("root", "secret_file"))
def command(
    host: str,
    port: int,
    root: str | None,
    secret_file: str | None,
    publishers: tuple[str, ...],
    origins: tuple[str, ...] | None,
    max_connections: int,
    max_per_address: int | None,
    publish_rate: int,
    execute_rate: int,
    redis: str | None,
    redis_prefix: str,
    redis_heartbeat: float,
    workers: int,
) -> None:
    """
    Serve sockets to browsers, phones and services, until Ctrl-C.

    Without a secret the server makes one, and shows a token to try it with.

    \b
    Examples:
      hyperlambda serve
      hyperlambda serve --port 0 --secret-file secret.txt
      hyperlambda serve --root app
      hyperlambda serve --config server.toml
      hyperlambda serve --redis redis://127.0.0.1 --workers 4
    """
    if root is not None and not Path(root).is_dir():
        raise CommandError(f"no folder is named '{root}'")
    target = find_redis(redis, redis_prefix)
    service = _Service(
        root=root,
        redis=target,
        heartbeat=redis_heartbeat,
        options={
            "host": host,
            "port": port,
            "secret": find_secret(secret_file),
            "publishers": publishers,
            "origins": origins or (),
            "max_connections": max_connections,
            "max_per_address": max_per_address,
            "publish_rate": publish_rate,
            "execute_rate": execute_rate,
        },
    )
    with logging_to_stderr("info"):
        if target is not None:
            # Imported here: only who has several servers should pay for it.
            from ..server.redis_hub import check_redis

            check_redis(target)
        if workers == 1:
            service.run(_show)
        else:
            _run_workers(service, workers)


@dataclass(frozen=True, slots=True)
class _Service:
    """
    What a process serves.

    Attributes:
        root: The folder of the files that clients run, or None.
        redis: Where it meets the others, or None.
        heartbeat: Seconds between two signs of life there.
        options: Of `SocketServer`.
    """

    root: str | None
    redis: Redis | None
    heartbeat: float
    options: dict[str, Any]

    def make(self) -> tuple[SocketServer, FileExecutor | None]:
        """
        Return a server, and what runs its files.

        Raises:
            HyperlambdaError: The options do not fit together.
        """
        # Imported here, so that `--help` is quick.
        from ..evaluator import Evaluator
        from ..server import FILE_LIMITS, FileExecutor, SocketServer

        backplane = None
        if self.redis is not None:
            from ..server.redis_backplane import RedisBackplane

            backplane = RedisBackplane(self.redis, heartbeat=self.heartbeat)
        evaluator = Evaluator(root=self.root, limits=FILE_LIMITS)
        executor = None if self.root is None else FileExecutor(evaluator)
        server = SocketServer(**self.options, backplane=backplane, execute=executor)
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
        from ..server.loops import run  # as in `make`

        server, executor = self.make()
        with executor or nullcontext():
            run(_serve(server, is_ready, parent))


def _run_workers(service: _Service, count: int) -> None:
    # Imported here: few servers have several processes.
    from .workers import can_share_ports, reserved_port, run_workers

    if service.redis is None:
        raise CommandError(
            f"{count} workers need --redis, where they meet: without it, a message would "
            "reach only the clients of one of them"
        )
    if not can_share_ports():
        raise CommandError("this system cannot share a port between several workers")
    # Made to be checked, and for its secret, which all have to share.
    server, _ = service.make()
    with reserved_port(server.host, server.port) as port:
        server.port = port
        own = {"port": port, "secret": server.secret, "shares_port": True}
        each = replace(service, options={**service.options, **own})
        run_workers(
            count,
            lambda is_ready, parent: each.run(lambda _: is_ready(), parent),
            lambda: _show(server),
        )


def _show(server: SocketServer) -> None:
    click.echo(f"listening on {server.url}")
    if server.is_secret_ephemeral:
        click.echo(
            "there is no secret, so tokens end with this server; one to try, for "
            f"the user and role 'root':\n{server.token('root', ['root'])}",
            err=True,
        )


async def _serve(
    server: SocketServer, is_ready: Callable[[SocketServer], object], parent: int | None
) -> None:
    # As in `_Service.make`.
    import asyncio
    import signal

    loop = asyncio.get_running_loop()
    end = asyncio.Event()

    def leave(number: int) -> None:
        # Who asks twice does not want to wait for clients that read slowly.
        loop.remove_signal_handler(number)
        end.set()

    def follow() -> None:
        loop.remove_reader(parent or 0)
        end.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, leave, number)
        except NotImplementedError:  # Windows, where Ctrl-C cancels us instead
            break
    if parent is not None:
        loop.add_reader(parent, follow)
    async with server:
        is_ready(server)
        await end.wait()
