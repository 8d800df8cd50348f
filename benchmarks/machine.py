"""
What a measurement was taken with: the machine, Python, and the versions of the others.

No name of a host and no path is told.
"""

from __future__ import annotations

import gc
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from os import cpu_count
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

__all__ = ["REFERENCE_YARDSTICK", "describe", "versions", "work_time", "yardstick"]

REFERENCE_YARDSTICK = 0.025
"""Seconds that the yardstick took, at best, where the times of other engines were taken."""


def describe() -> str:
    """Return the processor, its cores, the system, Python, and the yardstick."""
    fastest, usual = yardstick()
    return (
        f"{_processor()}, {cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"{platform.python_implementation()} {platform.python_version()}, yardstick "
        f"{fastest * 1000:.0f} ms at best, {usual * 1000:.0f} ms in the median"
    )


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of those of some packages that are installed."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            pass
    return found


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text("utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or "an unnamed processor"


class _Thing:
    __slots__ = ("children", "name", "parent", "value")

    def __init__(self, name: str, value: int) -> None:
        self.name = name
        self.value = value
        self.children: list[_Thing] = []
        self.parent: _Thing | None = None


def yardstick(rounds: int = 9) -> tuple[float, float]:
    """
    Return how long a fixed piece of work takes, at best and in the median, in seconds.

    It is work of the interpreter alone: small linked objects, names that are looked up,
    calls, comparisons of text. Times that were taken elsewhere are multiplied by the ratio
    of the two machines' yardsticks before they are held against ours.
    """
    times = []
    # With all that a server holds, collecting garbage would take longer than the work.
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        start = perf_counter()
        _work()
        times.append(perf_counter() - start)
    gc.unfreeze()
    return min(times), median(times)


def work_time(rounds: int = 3) -> float:
    """Return the seconds of processor time that the same work takes at best, just now."""
    best = float("inf")
    for _ in range(rounds):
        start = process_time()
        _work()
        best = min(best, process_time() - start)
    return best


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
