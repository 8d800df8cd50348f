"""
Room for the frames of a program that calls deep.

CPython keeps the frames of Python functions in chunks of 16 KB, and gives a chunk back to
the system as soon as the last frame in it ends. A program whose calls go up and down
across the end of a chunk asks for memory and gives it back each time, which took a sixth
of the time of recursive programs. A function that seems to need a large stack gets a
large chunk, and what it calls uses the rest of that.

To get one takes twice as long as the smallest programs do, so that only those get it that
go deep, or run something again and again.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Final, TypeVar

__all__ = ["call_with_room"]

# In objects of 8 bytes: a little over half a megabyte makes a chunk of one, of which
# the system hands out only what is used.
_STACK: Final = 66_000


_Argument = TypeVar("_Argument")
_Result = TypeVar("_Result")


def _call(function: Callable[[_Argument], _Result], argument: _Argument) -> _Result:
    return function(argument)


def _with_room(
    function: Callable[[Callable[[_Argument], _Result], _Argument], _Result],
) -> Callable[[Callable[[_Argument], _Result], _Argument], _Result]:
    code = getattr(function, "__code__", None)
    if code is None:  # another Python, or compiled: it has frames of another kind
        return function
    return FunctionType(code.replace(co_stacksize=_STACK), globals())


call_with_room = _with_room(_call)
"""Call a function with room for a few hundred blocks inside of each other."""
