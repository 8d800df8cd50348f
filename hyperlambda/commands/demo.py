"""`hyperlambda demo`: who gets which message, and who does not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..parser import parse
from .programs import read_program
from .terminal import Terminal

if TYPE_CHECKING:
    from .performance import Scene

__all__ = ["EXPECTED", "command"]

_PROGRAM = Path(__file__).with_name("signal.hl")

EXPECTED = {
    "foo.bar": {"root", "admin"},
    "group.news": {"group1"},
    "user.note": {"admin", "group1"},
    "everyone.note": {"root", "admin", "group1", "guest"},
}
"""Who gets which message of signal.hl, and nobody else does."""


@click.command("demo")
@click.argument("file", required=False)
@click.pass_context
def command(ctx: click.Context, file: str | None) -> None:
    """
    Show who gets which message, and who does not.

    Starts a server and connects four clients: a root user, an admin, a member of group1,
    and a guest who did not log in. All of them listen to everything. Then a program runs
    that sends messages to roles, groups, users and everybody; with FILE, that program.

    Leaves nothing running. Without FILE it fails if anybody got what they should not
    have, or missed what they should have got.

    \b
    Examples:
      hyperlambda demo
      hyperlambda demo samples/sockets-groups.hl
    """
    # Imported here, so that `--help` is quick.
    from .performance import perform

    text = _PROGRAM.read_bytes() if file is None else read_program(file)
    name = _PROGRAM.name if file is None else file
    scenes = perform(parse(text, file=name))
    click.echo(_table(scenes, ctx.ensure_object(Terminal)), nl=False)
    if file is not None:
        return
    wrong = _mistakes(scenes)
    for mistake in wrong:
        click.echo(f"error: {mistake}", err=True)
    if wrong:
        ctx.exit(1)
    delivered = sum(map(len, EXPECTED.values()))
    withheld = sum(len(scene.received) for scene in scenes) - delivered
    click.echo(
        f"\nAs it should be: {delivered} messages were delivered, and {withheld} were "
        "rightly not."
    )


def _table(scenes: list[Scene], terminal: Terminal) -> str:
    # Imported above already, by `perform`; at the top it would cost `--help` the server.
    from .performance import PEOPLE

    yes, no = ("✓", "–") if terminal.can_show("✓–") else ("yes", "-")
    rows = [["message", "sent to", *map(str, PEOPLE)]]
    for scene in scenes:
        audience = scene.message.audience
        cells = [yes * len(scene.received[person.label]) or no for person in PEOPLE]
        names = ", ".join(audience.names)
        rows.append(
            [scene.message.name, f"{audience.kind.value} {names}".strip(), *cells]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * width for width in widths])
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _mistakes(scenes: list[Scene]) -> list[str]:
    """Return what is wrong with each cell of the table that is not as expected."""
    mistakes = []
    names = [scene.message.name for scene in scenes]
    if names != list(EXPECTED):
        mistakes.append(f"the program published {names}, not {list(EXPECTED)}")
    for scene in scenes:
        name = scene.message.name
        for label, received in scene.received.items():
            if label not in EXPECTED.get(name, ()):
                if not scene.missed(label):
                    mistakes.append(f"'{label}' got '{name}', which is not for them")
            elif scene.missed(label):
                mistakes.append(f"'{label}' did not get '{name}'")
            elif not scene.reached(label):
                mistakes.append(f"'{label}' got '{name}' as {received}")
    return mistakes
