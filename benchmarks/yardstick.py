"""
A fixed piece of work, by which times that were taken elsewhere are scaled.

It is work of the interpreter alone: small linked objects, names that are looked up, calls,
comparisons of text. The times elsewhere stand beside what it took in a process of its
own, so it runs in one here too: how often the garbage collector looks, and at how much,
depends on all that a process holds.

Run as a program, it prints how long each of some rounds took: seconds by the clock and
seconds of processor time, a line each.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from time import perf_counter, process_time

__all__ = ["rounds"]


def rounds(number: int) -> list[tuple[float, float]]:
    """Return how long each of some rounds takes: by the clock, and processor time."""
    command = [sys.executable, "-I", __file__, str(number)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found = []
    for line in done.stdout.splitlines():
        clock, processor = line.split()
        found.append((float(clock), float(processor)))
    return found


class _Thing:
    __slots__ = ("children", "name", "parent", "value")

    def __init__(self, name: str, value: int) -> None:
        self.name = name
        self.value = value
        self.children: list[_Thing] = []
        self.parent: _Thing | None = None


def _touch(thing: _Thing, amount: int) -> int:
    thing.value += amount
    return thing.value


def _work() -> int:
    table = {f"name-{n}": _touch for n in range(100)}
    names = list(table)
    root = _Thing("root", 0)
    for n in range(60_000):
        child = _Thing(names[n % 100], n)
        child.parent = root
        root.children.append(child)
    total = 0
    for child in root.children:
        total += table[child.name](child, 1)
        if child.name == "name-7" and child.parent is root:
            total -= 1
    return total


def _main(arguments: Sequence[str]) -> None:
    for _ in range(int(arguments[0])):
        clock, processor = perf_counter(), process_time()
        _work()
        print(perf_counter() - clock, process_time() - processor)


if __name__ == "__main__":
    _main(sys.argv[1:])
