"""`hyperlambda serve`: the socket server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .config import config_option, settings_of
from .failures import CommandError
from .logs import LEVELS, logging_to_stderr
from .options import (
    find_redis,
    history_rule,
    names,
    proxies,
    redis_options,
    secret_file_option,
)
from .reference_keys import SECRET, SERVER_KEYS, VALID_MINUTES, effective
from .secret import find_secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..server.retention import Rule
    from .service import Service

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
    help="How many clients may be connected, to all workers together.",
)
@click.option(
    "--max-per-address",
    type=click.IntRange(1),
    metavar="N",
    help="How many of one address, at each worker; behind a proxy all have its address, "
    "unless it is trusted.",
)
@click.option(
    "--trusted-proxies",
    type=proxies,
    metavar="A,B",
    help="Addresses and networks of proxies that tell the client's address, in "
    "X-Forwarded-For or Forwarded.",
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
@click.option(
    "--history",
    type=history_rule,
    multiple=True,
    metavar="NAME=COUNT,AGE",
    help="Keep messages of a name or pattern for clients that come back, as in "
    "'chat.*=1000,5m'; may be given again.",
)
@click.option(
    "--history-bytes",
    type=click.IntRange(1),
    default=64 * 1024 * 1024,
    show_default=True,
    metavar="N",
    help="Memory of all kept messages together.",
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
@click.option(
    "--request-rate",
    type=click.IntRange(1),
    metavar="N",
    help="Requests a second of one address, pages counted; further ones are refused.",
)
@click.option(
    "--max-message-size",
    type=click.IntRange(1),
    default=32 * 1024,
    show_default=True,
    metavar="BYTES",
    help="Of a SignalR client; a frame of the plain protocol may have twice as many.",
)
@click.option(
    "--sockets-url",
    default="/sockets",
    show_default=True,
    metavar="PATH",
    help="Where SignalR clients connect; empty, there are no sockets at all.",
)
@click.option(
    "--require-auth/--allow-anonymous",
    show_default=True,
    help="Whether who brings no token is refused.",
)
@click.option(
    "--reject-invalid-token/--ignore-invalid-token",
    default=True,
    show_default=True,
    help="Whether who brings a bad token is refused, or is anonymous.",
)
@click.option(
    "--close-on-expiry/--outlive-token",
    default=True,
    show_default=True,
    help="Whether a connection ends with its token.",
)
@click.option(
    "--silent-errors/--tell-errors",
    show_default=True,
    help="Whether a file that fails looks to its client as if it had not.",
)
@click.option(
    "--log-level",
    type=click.Choice(list(LEVELS)),
    default="info",
    show_default=True,
    help="Show log entries from this level on; debug tells who comes, goes, and is "
    "refused.",
)
@config_option("server", paths=("root", "secret_file"), keys=SERVER_KEYS)
@click.pass_context
def command(
    ctx: click.Context,
    host: str,
    port: int,
    root: str | None,
    secret_file: str | None,
    publishers: tuple[str, ...],
    origins: tuple[str, ...] | None,
    max_connections: int,
    max_per_address: int | None,
    trusted_proxies: tuple[str, ...] | None,
    publish_rate: int,
    execute_rate: int,
    history: tuple[Rule, ...],
    history_bytes: int,
    redis: str | None,
    redis_prefix: str,
    redis_heartbeat: float,
    workers: int,
    request_rate: int | None,
    max_message_size: int,
    sockets_url: str,
    require_auth: bool,
    reject_invalid_token: bool,
    close_on_expiry: bool,
    silent_errors: bool,
    log_level: str,
) -> None:
    """
    Serve sockets to browsers, phones and services, until Ctrl-C.

    Without a secret the server makes one, and shows a token to try it with.

    \b
    Examples:
      hyperlambda serve
      hyperlambda serve --port 0 --secret-file secret.txt
      hyperlambda serve --root app
      hyperlambda serve --history 'chat.*=1000,5m'
      hyperlambda serve --config server.toml
      hyperlambda serve --redis redis://127.0.0.1 --workers 4
    """
    # Imported here, so that `--help` is quick.
    from ..evaluator import limits_of
    from ..server import FILE_LIMITS
    from .service import Service, show

    if root is not None and not Path(root).is_dir():
        raise CommandError(f"no folder is named '{root}'")
    settings = settings_of(ctx)
    service = Service(
        root=root,
        limits=limits_of(settings, FILE_LIMITS),
        config=effective(settings, ctx.params),
        silent_errors=silent_errors,
        has_sockets=bool(sockets_url),
        redis=find_redis(redis, redis_prefix),
        heartbeat=redis_heartbeat,
        options={
            "host": host,
            "port": port,
            "secret": find_secret(secret_file, settings.get(SECRET)),
            "publishers": publishers,
            "origins": origins or (),
            "max_connections": max_connections,
            "max_per_address": max_per_address,
            "trusted_proxies": trusted_proxies or (),
            "publish_rate": publish_rate,
            "execute_rate": execute_rate,
            "request_rate": request_rate,
            "max_record": max_message_size,
            "max_size": 2 * max_message_size,
            "signalr_path": sockets_url,
            "require_auth": require_auth,
            "reject_invalid_token": reject_invalid_token,
            "close_on_expiry": close_on_expiry,
        },
        history=history,
        history_bytes=history_bytes,
    )
    minutes = int(settings.get(VALID_MINUTES, 720))
    with logging_to_stderr(log_level):
        if service.redis is not None:
            # Imported here: only who has several servers should pay for it.
            from ..server.redis_hub import check_redis

            check_redis(service.redis)
        if workers == 1:
            service.run(lambda server: show(server, minutes * 60))
        else:
            _run_workers(service, workers, minutes * 60)


def _run_workers(service: Service, count: int, lifetime_seconds: int) -> None:
    # Imported here: few servers have several processes.
    from ..server.seats import Seats, shared_counts
    from .service import show
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
        options = {**service.options, "port": port, "secret": server.secret}
        counts = shared_counts(count)

        def work(is_ready: Callable[[], object], parent: int, number: int) -> None:
            seats = Seats(options["max_connections"], number, counts)
            each = replace(service, options={**options, "seats": seats})
            each.run(lambda _: is_ready(), parent)

        run_workers(count, work, lambda: show(server, lifetime_seconds))
