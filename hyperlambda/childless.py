"""
The list of children that all nodes without children share.

Most nodes are leaves, and a list of its own would make each half as large again.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

from .errors import TreeError

__all__ = ["NO_CHILDREN"]


class _NoChildren(list[Any]):
    """An empty list that stays empty."""

    __slots__ = ()

    def _refuse(self, *given: object, **options: object) -> NoReturn:
        raise TreeError(
            "a list of children is changed by the methods of its node",
            help="node.add(child)",
        )

    append = extend = insert = __iadd__ = __imul__ = __setitem__ = _refuse

    def __reduce__(self) -> str:
        return "NO_CHILDREN"  # copies of a leaf share it too


NO_CHILDREN: Final[list[Any]] = _NoChildren()
