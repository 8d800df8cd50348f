"""The command line: `hyperlambda run`, `serve`, `subscribe`, and so on."""

from .group import main

__all__ = ["main"]
