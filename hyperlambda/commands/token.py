"""`hyperlambda token`: make a token for somebody."""

from __future__ import annotations

import re

import click

from .config import config_option, settings_of
from .failures import CommandError
from .options import names, secret_file_option
from .reference_keys import SECRET, TOKEN_KEYS
from .secret import SECRET_VARIABLE, find_secret

__all__ = ["command"]

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = 100 * 365 * 86400


def _time_span(text: str) -> int:
    """Return the seconds of a time span like ``12h``, ``30m`` or ``90``."""
    match = re.fullmatch(r"([0-9]{1,12})([smhd]?)", text.strip())
    seconds = int(match[1]) * _SECONDS[match[2]] if match else 0
    if not 0 < seconds <= _LONGEST:
        raise click.BadParameter(f"'{text}' is not a time span like 12h, 30m or 90")
    return seconds


@click.command("token")
@click.option("--user", required=True, metavar="NAME", help="Whose token it is.")
@click.option("--roles", type=names, metavar="A,B", help="Their roles.")
@click.option("--groups", type=names, metavar="A,B", help="Their groups.")
@click.option(
    "--lifetime",
    type=_time_span,
    default="12h",
    show_default=True,
    metavar="SPAN",
    help="How long it is valid: 12h, 30m, 7d, or seconds.",
)
@secret_file_option
@config_option("token", paths=("secret_file",), keys=TOKEN_KEYS)
@click.pass_context
def command(
    ctx: click.Context,
    user: str,
    roles: tuple[str, ...] | None,
    groups: tuple[str, ...] | None,
    lifetime: int,
    secret_file: str | None,
) -> None:
    """
    Print a token, signed with the secret of the server.

    \b
    Examples:
      hyperlambda token --user ada --roles root --secret-file secret.txt
      export HYPERLAMBDA_TOKEN=$(hyperlambda token --user ada --groups group1)
    """
    # Imported here: only who makes tokens should pay for it.
    from ..server.auth import issue_token

    secret = find_secret(secret_file, settings_of(ctx).get(SECRET))
    if secret is None:
        raise CommandError(
            f"there is no secret: set {SECRET_VARIABLE}, or use --secret-file"
        )
    click.echo(issue_token(secret, user, roles or (), groups or (), lifetime))
