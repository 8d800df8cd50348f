"""
What `/metrics` tells: the server's counts, as Prometheus reads them.

Nothing is counted for it that would cost a delivery anything: most numbers are those
that the hub keeps anyway, the others are looked up when somebody asks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

from .backplane import Figure
from .hub import SocketHub

__all__ = ["CONTENT_TYPE", "CallTimes", "Refusals", "write_metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of Prometheus' text format."""

BOUNDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0)
"""Seconds; upper ends of the classes into which execute times are sorted."""


@dataclass(slots=True)
class CallTimes:
    """
    How long files ran that clients asked for, the time that they waited included.

    Attributes:
        classes: How many took at most so long, by `BOUNDS`; the last took longer.
        seconds: How long all of them took together.
        failed: How many ended with an error.
        running: How many have not ended.
    """

    classes: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0
    failed: int = 0
    running: int = 0

    def begin(self) -> None:
        """Count a call that was asked for."""
        self.running += 1

    def end(self, seconds: float, has_failed: bool) -> None:
        """Count a call that has ended."""
        self.running -= 1
        self.classes[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds
        self.failed += has_failed


@dataclass(slots=True)
class Refusals:
    """
    How many requests were turned away, negotiation counted, by the reason.

    Attributes:
        full: The server had no room.
        address: Their address had too many connections already.
        rate: Their address made too many requests; those for pages count here too.
        origin: A page of theirs may not connect.
        token: What they showed was no valid token, or they needed one.
        negotiation: What they negotiated is unknown, too old, or open already.
    """

    full: int = 0
    address: int = 0
    rate: int = 0
    origin: int = 0
    token: int = 0
    negotiation: int = 0


def write_metrics(
    hub: SocketHub,
    calls: CallTimes,
    refusals: Refusals,
    buffers: Iterable[int],
    worker: int | None = None,
) -> bytes:
    """
    Return the page.

    Args:
        hub: Whose counters are shown.
        calls: Of the files that clients ran.
        refusals: Of those who did not come in.
        buffers: Bytes that wait in the buffer of each socket.
        worker: The number of the process among those that share its port, with which
            each figure is labelled; None for no label.
    """
    counters = hub.counters
    waiting = list(buffers)
    page = _Page() if worker is None else _Page(f'worker="{worker}"')
    page.add("connections", "gauge", "Open connections.", hub.connection_count)
    page.add("users", "gauge", "Distinct users who are connected.", hub.user_count)
    page.add("groups", "gauge", "Groups with a member.", hub.group_count)
    page.add(
        "connections_total", "counter", "Connections so far.", counters.connections
    )
    page.add("messages_total", "counter", "Messages published.", counters.messages)
    page.add(
        "messages_failed_total",
        "counter",
        "Messages that could not be encoded.",
        counters.failed,
    )
    page.add(
        "deliveries_total", "counter", "Frames of messages sent.", counters.deliveries
    )
    page.add(
        "dropped_total",
        "counter",
        "Connections ended because they read too slowly.",
        counters.dropped,
    )
    page.add_by(
        "refused_total",
        "Requests turned away.",
        "reason",
        {name: getattr(refusals, name) for name in Refusals.__slots__},
    )
    page.add("inbox_messages", "gauge", "Messages not delivered yet.", hub.inbox_size)
    page.add(
        "send_buffer_bytes", "gauge", "Bytes waiting for all clients.", sum(waiting)
    )
    page.add(
        "send_buffer_max_bytes",
        "gauge",
        "Bytes waiting for the slowest client.",
        max(waiting, default=0),
    )
    page.add("executes_running", "gauge", "Calls that have not ended.", calls.running)
    page.add(
        "executes_failed_total", "counter", "Calls that ended badly.", calls.failed
    )
    for figure in (*_history(hub), *hub.backplane.figures()):
        page.add(*figure)
    page.add_histogram("execute_seconds", "Time from request to result.", calls)
    return page.text()


def _history(hub: SocketHub) -> list[Figure]:
    history, counters = hub.history, hub.counters
    if history is None:
        return []
    return [
        Figure("history_messages", "gauge", "Kept messages.", history.count),
        Figure("history_bytes", "gauge", "Memory of these, about.", history.size),
        Figure(
            "resumes_total",
            "counter",
            "Requests for what was missed.",
            counters.resumes,
        ),
        Figure(
            "resume_gaps_total",
            "counter",
            "Those of them that found a gap.",
            counters.gaps,
        ),
        Figure("replayed_total", "counter", "Missed messages sent.", counters.replayed),
    ]


class _Page:
    def __init__(self, label: str = "") -> None:
        self._lines: list[str] = []
        self._label = label

    def _head(self, name: str, kind: str, help: str) -> str:
        full = f"hyperlambda_{name}"
        self._lines += [f"# HELP {full} {help}", f"# TYPE {full} {kind}"]
        return full

    def _write(self, name: str, value: object, label: str = "") -> None:
        labels = ",".join(each for each in (self._label, label) if each)
        self._lines.append(
            f"{name}{{{labels}}} {value}" if labels else f"{name} {value}"
        )

    def add(self, name: str, kind: str, help: str, value: int) -> None:
        self._write(self._head(name, kind, help), value)

    def add_by(self, name: str, help: str, label: str, values: dict[str, int]) -> None:
        full = self._head(name, "counter", help)
        for each, value in values.items():
            self._write(full, value, f'{label}="{each}"')

    def add_histogram(self, name: str, help: str, calls: CallTimes) -> None:
        full = self._head(name, "histogram", help)
        count = 0
        for bound, members in zip((*BOUNDS, "+Inf"), calls.classes, strict=True):
            count += members
            self._write(f"{full}_bucket", count, f'le="{bound}"')
        self._write(f"{full}_sum", f"{calls.seconds:.6f}")
        self._write(f"{full}_count", count)

    def text(self) -> bytes:
        return "".join(f"{line}\n" for line in self._lines).encode()
