"""Failures as people read them: what, where, and the slots that led there."""

from __future__ import annotations

from typing import IO, Any

import click

from ..errors import HyperlambdaError
from ..source import Place

__all__ = ["CommandError", "show_failure"]

_MOST_FRAMES = 10


class CommandError(click.ClickException):
    """The command line asks for what cannot be; shown without a reminder of its usage."""

    exit_code = 2

    def __init__(self, message: str, *, place: Place | None = None) -> None:
        super().__init__(message)
        self.error = HyperlambdaError(message, place=place)

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the message to stderr."""
        click.echo(self.error.render(), file=file, err=True)


def show_failure(error: HyperlambdaError, *, traceback: bool = False) -> None:
    """
    Write to stderr what a program did wrong.

    Args:
        traceback: Show Python's traceback first.
    """
    if traceback:
        # Imported here: few want to see one.
        from traceback import format_exception

        click.echo("".join(format_exception(error)), nl=False, err=True)
    click.echo(error.render(), err=True)
    # Where it failed is told already; the rest is how the program came there.
    frames = error.stack
    if frames and frames[0][1] == error.place:
        frames = frames[1:]
    for name, place in frames[:_MOST_FRAMES]:
        click.echo(f"  in '{name}'" + (f" at {place}" if place else ""), err=True)
    if len(frames) > _MOST_FRAMES:
        click.echo(f"  … and {len(frames) - _MOST_FRAMES} more", err=True)
