"""`hyperlambda publish`: send one message."""

from __future__ import annotations

import json
from typing import NoReturn

import click

from ..sockets import Audience, AudienceKind, Message
from ..source import Place
from .config import config_option
from .failures import CommandError
from .options import client_options, names

__all__ = ["command"]

_Names = tuple[str, ...] | None


@click.command("publish")
@click.argument("name")
@click.argument("payload", required=False, metavar="[JSON]")
@click.option("--roles", type=names, metavar="A,B", help="Only who has one of these.")
@click.option("--groups", type=names, metavar="A,B", help="Only members of these.")
@click.option("--users", type=names, metavar="A,B", help="Only these users.")
@click.option("--clients", type=names, metavar="A,B", help="Only these connection ids.")
@client_options
@config_option("publish")
def command(
    name: str,
    payload: str | None,
    roles: _Names,
    groups: _Names,
    users: _Names,
    clients: _Names,
    url: str,
    token: str | None,
) -> None:
    """
    Send the message NAME to everybody who listens, or to some of them.

    Most servers let only root and admin users publish.

    \b
    Examples:
      hyperlambda publish foo.bar '{"message":"Hello"}' --roles root,admin
      hyperlambda publish news
    """
    audience = _audience(
        {
            AudienceKind.ROLES: roles,
            AudienceKind.GROUPS: groups,
            AudienceKind.USERS: users,
            AudienceKind.CLIENTS: clients,
        }
    )
    if payload is not None:
        _check_json(payload)
    # Imported here: only clients should pay for it.
    from ..client import SocketClient

    with SocketClient(url, token=token) as client:
        client.publish(Message(name, payload, audience))


def _audience(given: dict[AudienceKind, _Names]) -> Audience:
    chosen = [(kind, some) for kind, some in given.items() if some is not None]
    if len(chosen) > 1:
        options = " and ".join(f"--{kind.value}" for kind, _ in chosen)
        raise click.UsageError(f"a message has one audience at most, not {options}")
    return Audience(*chosen[0]) if chosen else Audience()


def _check_json(text: str) -> None:
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        line = text.split("\n")[error.lineno - 1]
        place = Place("JSON", error.lineno, error.colno, line)
        raise CommandError(
            f"the payload is no JSON: {_sentence(error.msg)}", place=place
        ) from None
    except (ValueError, RecursionError) as error:
        reason = (
            "it is nested too deeply"
            if isinstance(error, RecursionError)
            else str(error)
        )
        raise CommandError(f"the payload is no JSON: {reason}") from None


def _refuse_constant(name: str) -> NoReturn:
    # Python reads these, and JSON does not know them.
    raise ValueError(f"'{name}' is no number there")


def _sentence(text: str) -> str:
    return text[:1].lower() + text[1:]
