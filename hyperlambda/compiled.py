"""Which form of the language runs: pure Python, or the one compiled by mypyc."""

from __future__ import annotations

from types import FunctionType
from typing import Any

__all__ = ["IS_COMPILED"]


def _probe() -> None:
    """Be a Python function, or a compiled one."""


def _form() -> bool:
    probe: Any = _probe
    return type(probe) is not FunctionType


# The build tells mypyc that it is true: what the pure form does otherwise is left out.
IS_COMPILED: bool = _form()
"""Whether the hot modules are compiled. Nothing but speed depends on it."""
