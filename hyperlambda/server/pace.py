"""
How fast one connection may go, and how many one address may have.

A client that is too fast is not refused but slowed down: its further requests stay unread
for a while, which costs the server nothing and the client nothing but time. An address that
makes too many HTTP requests is refused: each of them is a connection of its own.
"""

from __future__ import annotations

from ipaddress import IPv6Address

from .proxies import parse_address

__all__ = ["Addresses", "Pace"]


_MOST_ADDRESSES = 10_000
"""So many are remembered, and then only those that have made requests lately."""


_LEAST_BURST = 20.0


class Pace:
    """
    A token bucket that may be overdrawn: what is taken too early is waited for later.

    Args:
        rate: How many in a second; None for no limit.
        burst: How many at once after a rest; as many as in one second by default.
    """

    __slots__ = ("_burst", "_last", "_left", "_rate")

    def __init__(self, rate: float | None, burst: float | None = None) -> None:
        self._rate = rate
        self._burst = self._left = max(1.0, (rate or 0) if burst is None else burst)
        self._last = 0.0

    def take(self, now: float) -> float:
        """Take one at a time in seconds; return how many seconds to wait afterwards."""
        rate = self._rate
        if rate is None:
            return 0.0
        left = min(self._burst, self._left + (now - self._last) * rate)
        self._last = now
        self._left = left = left - 1
        return 0.0 if left >= 0 else -left / rate


class Addresses:
    """
    How many sockets each address has, and how many requests it makes; of IPv6, each
    network of 64 bits.

    Args:
        limit: How many sockets one may have; None for no limit.
        rate: How many requests one may make in a second; None for no limit. After a
            rest as many at once, and at least 20, so that a page can load.
    """

    def __init__(self, limit: int | None, rate: float | None = None) -> None:
        self._limit = limit
        self._rate = rate
        self._counts: dict[str, int] = {}
        # Of who made requests lately: how many are left, and at what time.
        self._left: dict[str, tuple[float, float]] = {}
        self._most = _MOST_ADDRESSES

    def __len__(self) -> int:
        return len(self._counts.keys() | self._left.keys())

    def add(self, address: str) -> None:
        """Count a socket."""
        key = network(address)
        self._counts[key] = self._counts.get(key, 0) + 1

    def discard(self, address: str) -> None:
        """Count a socket no longer."""
        key = network(address)
        count = self._counts.get(key, 0) - 1
        if count > 0:
            self._counts[key] = count
        else:
            self._counts.pop(key, None)

    def is_over(self, address: str) -> bool:
        """Return whether an address has more than it may."""
        limit = self._limit
        return limit is not None and self._counts.get(network(address), 0) > limit

    def is_too_fast(self, address: str, now: float) -> bool:
        """Count a request at a time in seconds; return whether it is one too many."""
        rate = self._rate
        if rate is None:
            return False
        burst = max(_LEAST_BURST, rate)
        key = network(address)
        left, last = self._left.get(key, (burst, now))
        left = min(burst, left + (now - last) * rate)
        if len(self._left) >= self._most:
            self._forget_rested(now, rate, burst)
        # Refused ones cost nothing: who goes on too fast gets its rate all the same.
        self._left[key] = (left - 1 if left >= 1 else left, now)
        return left < 1

    def _forget_rested(self, now: float, rate: float, burst: float) -> None:
        self._left = {
            key: (left, last)
            for key, (left, last) in self._left.items()
            if left + (now - last) * rate < burst
        }
        # Not with each request, should nearly all of them have made some lately.
        self._most = max(_MOST_ADDRESSES, 2 * len(self._left))


def network(address: str) -> str:
    """Return what one party has: an IPv4 address, or an IPv6 network of 64 bits."""
    parsed = parse_address(address)
    if parsed is None:  # a socket that has no such address
        return address
    return parsed.exploded[:19] if isinstance(parsed, IPv6Address) else str(parsed)
