"""Programs on the command line: their files, their arguments, what they return."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from ..errors import HyperlambdaError, nearest
from ..generator import generate
from ..json_writer import write_json
from ..node import Node
from ..values import literal_text, parse_literal
from .failures import CommandError

__all__ = ["read_arguments", "read_program", "result_json", "result_text"]


def read_program(file: str) -> bytes:
    """
    Return the bytes of a program, which `parse` decodes.

    Args:
        file: A path, or "-" for stdin.

    Raises:
        CommandError: It cannot be read.
    """
    if file == "-":
        if sys.stdin is None:  # as it is when a shell has closed it
            raise CommandError("stdin is closed")
        return sys.stdin.buffer.read()
    path = Path(file)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise CommandError(f"no file is named '{file}'{_hint(path)}") from None
    except (IsADirectoryError, PermissionError) as error:
        # Windows refuses to open a folder as if that were a matter of rights.
        if path.is_dir():
            raise CommandError(f"'{file}' is a folder, not a program") from None
        raise CommandError(f"'{file}' cannot be read: {error.strerror}") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise CommandError(f"'{file}' cannot be read: {reason}") from None


def _hint(path: Path) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return ""
    near = nearest(path.name, names)
    return f"; did you mean '{path.with_name(near)}'?" if near else ""


def read_arguments(texts: Iterable[str]) -> dict[str, Any]:
    """
    Return arguments by name.

    Args:
        texts: ``name=text`` or ``name:type=literal`` each.

    Raises:
        click.BadParameter: One of them is neither, or stands there twice.
    """
    arguments: dict[str, Any] = {}
    for text in texts:
        declared, equals, literal = text.partition("=")
        name, colon, kind = (
            declared.rpartition(":") if ":" in declared else (declared, "", "")
        )
        if not equals or not name:
            raise click.BadParameter(f"'{text}' is not of the form name=value")
        if name in arguments:
            raise click.BadParameter(f"'{name}' is given twice")
        try:
            arguments[name] = parse_literal(literal, kind) if colon else literal
        except HyperlambdaError as error:
            raise click.BadParameter(f"'{name}': {error.message}") from None
    return arguments


def result_text(result: Node) -> str:
    """Return what a program returned: the text of a value, nodes as Hyperlambda."""
    text = literal_text(result.value)
    lines = "" if text is None else f"{text}\n"
    return lines + generate(result)


def result_json(result: Node) -> str:
    """Return what a program returned as JSON; nothing is ``null``."""
    if result.children:
        return write_json(result.children, indent=True)
    # An array of one, without its brackets: JSON of a value that stands alone.
    return write_json([Node(".", result.value)])[1:-1]
