"""
How fast one connection may go, and how many one address may have.

A client that is too fast is not refused but slowed down: its further requests stay unread
for a while, which costs the server nothing and the client nothing but time.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

__all__ = ["Addresses", "Pace"]


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
    How many sockets each address has; of IPv6, each network of 64 bits.

    Args:
        limit: How many one may have; None for no limit.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._counts: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._counts)

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


def network(address: str) -> str:
    """Return what one party has: an IPv4 address, or an IPv6 network of 64 bits."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:  # a socket that has no such address
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return parsed.exploded[:19]
    return str(parsed)
