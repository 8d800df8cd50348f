"""
The `hyperlambda` command: finds its subcommands, and ends with the right exit code.

A subcommand is loaded when it is called for, so that `run` loads nothing of the server.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from ..compiled import IS_COMPILED
from ..errors import HyperlambdaError, nearest
from .failures import show_failure
from .terminal import Terminal

__all__ = ["CommandGroup", "group", "main"]

# Each is the `command` of the module of that name.
_NAMES = ("run", "serve", "demo", "subscribe", "publish", "token", "slots")

# What shells report for a program that was ended by these signals: 128 + number.
_INTERRUPTED = 130
_BROKEN_PIPE = 141


class CommandGroup(click.Group):
    """
    The subcommands, and what all of them have in common.

    Exit codes: 0 done, 1 the program failed, 2 the command line was wrong.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all subcommands, in the order of the help."""
        return list(_NAMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a subcommand; None if there is none of that name."""
        if cmd_name not in _NAMES:
            return None
        command: click.Command = import_module(f".{cmd_name}", __package__).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand that the arguments begin with."""
        name = args[0]
        if name not in _NAMES and not name.startswith("-"):
            near = nearest(name, _NAMES)
            hint = f"; did you mean '{near}'?" if near else ""
            ctx.fail(f"no command is named '{name}'{hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; when nobody reads its output any more, leave quietly."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _drop_output()
            ctx.exit(_BROKEN_PIPE)

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run the command line, and leave the process with an exit code."""
        terminal = Terminal()
        code = _INTERRUPTED
        try:
            code = self._code(terminal, args, extra)
            if sys.stdout is not None:  # as it is when a shell has closed it
                sys.stdout.flush()
        except BrokenPipeError:
            code = _BROKEN_PIPE
            _drop_output()
        except OSError as error:  # the disk is full, and the like
            code = 1
            _drop_output()
            click.echo(
                f"error: the output cannot be written: {error.strerror}", err=True
            )
        except KeyboardInterrupt:
            pass
        sys.exit(code)

    def _code(self, terminal: Terminal, args: Any, extra: Any) -> int:
        extra.update(standalone_mode=False, obj=terminal)
        try:
            code = super().main(*args, **extra)
        except click.Abort:  # what click makes of Ctrl-C
            return _INTERRUPTED
        except click.ClickException as error:
            error.show()
            return error.exit_code
        except HyperlambdaError as error:
            show_failure(error, traceback=terminal.shows_tracebacks)
            return 1
        return code if isinstance(code, int) else 0


def _drop_output() -> None:
    """Let what still waits in the buffer of stdout go nowhere, without complaint."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError:
        pass


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(
    package_name="pyhyperlambda",
    prog_name="hyperlambda",
    message="%(prog)s %(version)s" + (", accelerated" if IS_COMPILED else ""),
)
def group() -> None:
    """
    Run Hyperlambda, and talk to browsers with it.

    \b
    Examples:
      hyperlambda run hello.hl      run a program
      hyperlambda demo              see who gets which message, and who does not
      hyperlambda serve             start the socket server
    """


def main() -> NoReturn:
    """Run the command line of this process."""
    group.main(prog_name="hyperlambda")
