"""`hyperlambda serve`: the socket server."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .config import config_option, settings_of
from .failures import CommandError
from .logs import logging_to_stderr
from .options import names, secret_file_option
from .reference_keys import SECRET, SERVER_KEYS, VALID_MINUTES, effective
from .secret import find_secret

if TYPE_CHECKING:
    from ..server import SocketServer

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
    publish_rate: int,
    execute_rate: int,
    request_rate: int | None,
    max_message_size: int,
    sockets_url: str,
    require_auth: bool,
    reject_invalid_token: bool,
    close_on_expiry: bool,
    silent_errors: bool,
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
    """
    # Imported here, so that `--help` is quick.
    from ..evaluator import Evaluator, limits_of
    from ..server import FILE_LIMITS, FileExecutor, SocketServer
    from ..server.loops import SWITCH_INTERVAL, run

    if root is not None and not Path(root).is_dir():
        raise CommandError(f"no folder is named '{root}'")
    settings = settings_of(ctx)
    evaluator = Evaluator(
        root=root,
        limits=limits_of(settings, FILE_LIMITS),
        config=effective(settings, ctx.params),
    )
    executor = (
        None if root is None else FileExecutor(evaluator, silent_errors=silent_errors)
    )
    server = SocketServer(
        host,
        port,
        secret=find_secret(secret_file, settings.get(SECRET)),
        publishers=publishers,
        origins=origins or (),
        max_connections=max_connections,
        max_per_address=max_per_address,
        publish_rate=publish_rate,
        execute_rate=execute_rate,
        request_rate=request_rate,
        max_record=max_message_size,
        max_size=2 * max_message_size,
        signalr_path=sockets_url,
        require_auth=require_auth,
        reject_invalid_token=reject_invalid_token,
        close_on_expiry=close_on_expiry,
        execute=executor,
    )
    if sockets_url:
        evaluator.hub = server.hub
    minutes = int(settings.get(VALID_MINUTES, 720))
    sys.setswitchinterval(SWITCH_INTERVAL)
    with logging_to_stderr("info"), executor or nullcontext():
        run(_serve(server, minutes * 60))


async def _serve(server: SocketServer, lifetime_seconds: int) -> None:
    # As in `command`.
    import asyncio
    import signal

    loop = asyncio.get_running_loop()
    end = asyncio.Event()

    def leave(number: int) -> None:
        # Who asks twice does not want to wait for clients that read slowly.
        loop.remove_signal_handler(number)
        end.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, leave, number)
        except NotImplementedError:  # Windows, where Ctrl-C cancels us instead
            break
    async with server:
        click.echo(f"listening on {server.url}")
        if server.is_secret_ephemeral:
            token = server.token("root", ["root"], lifetime_seconds=lifetime_seconds)
            click.echo(
                "there is no secret, so tokens end with this server; one to try, for "
                f"the user and role 'root':\n{token}",
                err=True,
            )
        await end.wait()
