"""`hyperlambda subscribe`: show messages as they arrive."""

from __future__ import annotations

import json

import click

from .config import config_option
from .options import client_options

__all__ = ["command"]


@click.command("subscribe")
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@client_options
@click.option(
    "--count", type=click.IntRange(1), metavar="N", help="Leave after N messages."
)
@config_option("subscribe")
def command(
    names: tuple[str, ...], url: str, token: str | None, count: int | None
) -> None:
    """
    Print messages of these names as they arrive, each as one line of JSON.

    A name may be a pattern: "foo.*" is everything below foo, "*" is everything.

    \b
    Examples:
      hyperlambda subscribe foo.bar
      hyperlambda subscribe "*" --count 1 --token "$TOKEN"
    """
    # Imported here: only clients should pay for it.
    from ..client import SocketClient

    with SocketClient(url, token=token) as client:
        client.subscribe(*names)
        who = client.username or "somebody anonymous"
        click.echo(f"listening to {', '.join(names)} at {url} as {who}", err=True)
        for number, message in enumerate(client.messages(), 1):
            # click.echo flushes, so that whoever reads a pipe gets it at once.
            click.echo(
                json.dumps(message._asdict(), ensure_ascii=False, separators=(",", ":"))
            )
            if number == count:
                return
