"""
Room for the frames of a program that calls deep.

CPython keeps the frames of Python functions in chunks of 16 KB, and gives a chunk back to
the system as soon as the last frame in it ends. A program whose calls go up and down
across the end of a chunk asks for memory and gives it back each time, which took a sixth
of the time of recursive programs. A function that seems to need a large stack gets a
large chunk, and what it calls uses the rest of that.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from .node import Node

__all__ = ["call_with_room"]

# In objects of 8 bytes: a little over half a megabyte makes a chunk of one, of which
# the system hands out only what is used.
_STACK: Final = 66_000


def _call(function: Callable[[Node], Node], node: Node) -> Node:
    return function(node)


def _with_room(function: Callable[..., Any]) -> Callable[..., Any]:
    code = getattr(function, "__code__", None)
    if code is None:  # another Python, or compiled: it has frames of another kind
        return function
    return FunctionType(code.replace(co_stacksize=_STACK), globals())


call_with_room = cast(
    "Callable[[Callable[[Node], Node], Node], Node]", _with_room(_call)
)
"""Call a function of a node, with room for a few hundred blocks inside of each other."""
