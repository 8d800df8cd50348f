"""
What a measurement was taken with: the machine, Python, and the versions of the others.

No name of a host and no path is told.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from os import cpu_count
from pathlib import Path
from statistics import median

from .yardstick import rounds

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


def yardstick(number: int = 9) -> tuple[float, float]:
    """
    Return how long the fixed piece of work takes (yardstick.py), in seconds.

    Times that were taken elsewhere are multiplied by the ratio of the two machines'
    yardsticks before they are held against ours.

    Returns:
        What it took by the clock: at best, and in the median.
    """
    times = [clock for clock, _ in rounds(number)]
    return min(times), median(times)


def work_time(number: int = 5) -> float:
    """Return the seconds of processor time that the same work takes at best, just now."""
    return min(processor for _, processor in rounds(number))
