"""
The system's `send`, called without letting go of the interpreter's lock.

Python's own calls give the lock away for as long as the system works, and a thread that
computes takes it, at worst for a switch interval after each call: a loop over a thousand
sockets then takes a second. What `send` does for a socket that never blocks is too short
for that; between two calls others may have the lock as usual.

The accelerated form has the loop over many sockets in C (native/sending.c).
"""

from __future__ import annotations

import os
import socket
from array import array
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import repeat
from typing import TypeAlias, cast

try:
    import ctypes
except ImportError:  # Python can be built without it
    ctypes = None  # type: ignore[assignment] # as above

__all__ = ["FLAGS", "MOST", "Send", "SendAll", "find_send", "find_send_all"]

Send: TypeAlias = Callable[[int, bytes, int, int], int]
"""
Takes a descriptor, bytes, how many of these (`MOST` at most), and `FLAGS`.

Returns how many were taken; -1 when there is an error, or no room.
"""

SendAll: TypeAlias = Callable[["array[int]", bytes, int, int], Sequence[int] | None]
"""
Takes many descriptors, and what `Send` takes.

Returns what `Send` would for each, or None when all took everything.
"""

MOST = 1 << 30
"""Fits the C type that ctypes makes of an int, from which it is extended to a size."""

FLAGS = getattr(socket, "MSG_NOSIGNAL", 0)


def find_send() -> Send:
    """Return the system's `send`; where it cannot be had, something slower."""
    try:
        # To declare the types of its arguments would cost more than the call.
        return cast("Send", ctypes.PyDLL(None).send)
    except (AttributeError, OSError, TypeError):
        return _write


def find_send_all(send: Send) -> SendAll:
    """Return what sends to many sockets: in C where that is there, else by `send`."""
    try:
        module = import_module("._sending", __package__)
    except ImportError:
        pass
    else:
        return cast("SendAll", module.send_all)

    def send_all(
        outlets: array[int], data: bytes, size: int, flags: int
    ) -> Sequence[int] | None:
        found = map(send, outlets, repeat(data), repeat(size), repeat(flags))
        taken = list(found)
        return None if taken.count(size) == len(taken) else taken

    return send_all


def _write(descriptor: int, data: bytes, size: int, flags: int) -> int:
    if descriptor < 0:
        return -1
    try:
        return os.write(descriptor, data if len(data) == size else data[:size])
    except OSError:
        return -1
