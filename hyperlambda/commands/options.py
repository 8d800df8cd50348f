"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..errors import HyperlambdaError
from .failures import CommandError

if TYPE_CHECKING:
    from ..server.redis_client import Redis
    from ..server.retention import Rule

__all__ = [
    "client_options",
    "find_redis",
    "history_rule",
    "names",
    "proxies",
    "redis_options",
    "secret_file_option",
    "token_option",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def names(value: str | list[str]) -> tuple[str, ...]:
    """
    Return names that have commas between them, or a list from a configuration file.

    Blanks around them do not count, and empty ones are none.

    Raises:
        click.BadParameter: No name is left: an audience must not become everybody.
    """
    given = value.split(",") if isinstance(value, str) else value
    found = tuple(stripped for name in given if (stripped := name.strip()))
    if not found:
        raise click.BadParameter("it names nobody")
    return found


def proxies(value: str | list[str]) -> tuple[str, ...]:
    """
    Read addresses and networks of proxies, written as names are.

    Raises:
        CommandError: One of them is none.
    """
    # Imported here, because it takes the whole server with it.
    from ..server.proxies import Proxies

    found = names(value)
    try:
        Proxies(found)
    except HyperlambdaError as error:
        raise CommandError(error.message) from None
    return found


def history_rule(value: str) -> Rule:
    """
    Read for which names messages are kept, how many, and how long.

    Raises:
        click.BadParameter: It says nothing of the kind.
    """
    # Imported here, because it takes the whole server with it.
    from ..server.retention import Rule

    try:
        return Rule.parse(value)
    except HyperlambdaError as error:
        raise click.BadParameter(error.message) from None


def _sendable(
    ctx: click.Context, param: click.Parameter, token: str | None
) -> str | None:
    """Refuse what cannot stand in a header: a token is letters, digits and points."""
    token = token.strip() if token is not None else None
    if token and not (token.isascii() and token.isprintable()):
        raise CommandError("the token has characters that no token has")
    return token


def token_option(function: _Function) -> _Function:
    """Add who we are at a server."""
    return click.option(
        "--token",
        envvar="HYPERLAMBDA_TOKEN",
        metavar="JWT",
        callback=_sendable,
        help="Who we are; or the variable HYPERLAMBDA_TOKEN, which others cannot see.",
    )(function)


def client_options(function: _Function) -> _Function:
    """Add where the server is, and who we are there."""
    url = click.option(
        "--url",
        default="ws://127.0.0.1:8765/ws",
        show_default=True,
        metavar="URL",
        help="Where the server is.",
    )
    return url(token_option(function))


def secret_file_option(function: _Function) -> _Function:
    """Add where the secret is."""
    return click.option(
        "--secret-file",
        metavar="FILE",
        help="What signs tokens; by default the variable HYPERLAMBDA_SECRET.",
    )(function)


def redis_options(help: str) -> Callable[[_Function], _Function]:
    """Add which Redis joins the servers of a cluster."""

    def add(function: _Function) -> _Function:
        url = click.option(
            "--redis", envvar="HYPERLAMBDA_REDIS", metavar="URL", help=help
        )
        prefix = click.option(
            "--redis-prefix",
            default="hyperlambda",
            show_default=True,
            metavar="NAME",
            help="What the names of our keys there begin with.",
        )
        return url(prefix(function))

    return add


def find_redis(url: str | None, prefix: str) -> Redis | None:
    """
    Return which Redis is meant, or None if there is none.

    Raises:
        CommandError: The URL is none, or the extra is not installed.
    """
    if url is None:
        return None
    # Imported here: only who has several servers should pay for it.
    from ..server.redis_client import Redis

    try:
        return Redis(url, prefix)
    except HyperlambdaError as error:
        raise CommandError(error.message) from None
