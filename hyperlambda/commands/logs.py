"""What programs and the server log, on stderr."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click

__all__ = ["LEVELS", "logging_to_stderr"]

# Those of the slots [log.*] (spec 03 §9.1).
LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
}


class _StderrHandler(logging.Handler):
    """Writes to what is stderr at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one entry."""
        level = (
            "fatal" if record.levelno >= logging.CRITICAL else record.levelname.lower()
        )
        click.echo(f"{level}: {self.format(record)}", err=True)


@contextmanager
def logging_to_stderr(level: str) -> Iterator[None]:
    """Write entries of a level and above to stderr while the block runs."""
    logger = logging.getLogger("hyperlambda")
    handler = _StderrHandler()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(LEVELS[level])
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
