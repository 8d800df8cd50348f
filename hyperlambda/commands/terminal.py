"""What we write to: in UTF-8, whatever comes, and without ever failing for a character."""

from __future__ import annotations

import sys
from io import TextIOWrapper

__all__ = ["Terminal"]


class Terminal:
    """
    Where the output goes, and what the user wants to see of it.

    Making one switches stdout and stderr. Files and pipes get UTF-8, since programs
    are written in it. A terminal keeps its encoding; what that lacks is written as an
    escape.

    Attributes:
        encoding: What stdout was declared to have.
        shows_tracebacks: Whether failures show Python's traceback as well.
    """

    def __init__(self) -> None:
        self.encoding: str = getattr(sys.stdout, "encoding", None) or "ascii"
        self.shows_tracebacks = False
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                encoding = stream.encoding if stream.isatty() else "utf-8"
                stream.reconfigure(encoding=encoding, errors="backslashreplace")

    def can_show(self, text: str) -> bool:
        """Return whether whoever declared the encoding of stdout expects such a text."""
        try:
            text.encode(self.encoding)
        except (UnicodeEncodeError, LookupError):
            return False
        return True
