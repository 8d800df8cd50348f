"""
What the compiled form needs of Python's interpreter: this module is never compiled.

`mypyc_attr` is read when classes are compiled, and does nothing when they run; here it is
so that nobody needs `mypy_extensions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["breathe", "mypyc_attr"]

if TYPE_CHECKING:
    from mypy_extensions import mypyc_attr
else:

    def mypyc_attr(**attributes: object):
        """Return a decorator that leaves a class as it is."""
        return lambda decorated: decorated


def breathe() -> None:
    """
    Let other threads, and signals, have their turn.

    Python sees to them when it begins a function of its own, and compiled code never does.
    """
