"""
Which users are in which groups for good: also with connections that they make later.

Everything else about groups ends with the connection. These memberships are those of a
username, and last until somebody ends them (spec 05 §21.4): on one node as long as the
server, on several as long as their Redis keeps them (redis_memberships.py).
"""

from __future__ import annotations

import threading

from ..errors import SocketError

__all__ = ["MAX_MEMBERSHIPS", "Memberships"]

MAX_MEMBERSHIPS = 1_000_000
"""How many may last: some 200 MB in the memory of each node."""


class Memberships:
    """
    What lasts; all methods may be called from any thread.

    Args:
        max_count: How many memberships there may be.
    """

    def __init__(self, max_count: int = MAX_MEMBERSHIPS) -> None:
        self._max_count = max_count
        self._groups: dict[str, set[str]] = {}
        self._count = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._count

    def of(self, username: str) -> list[str]:
        """Return the groups that a user is in for good, by name."""
        if not self._groups:
            return []
        with self._lock:
            return sorted(self._groups.get(username, ()))

    def may_have(self, username: str, group: str) -> bool:
        """Return whether a user may be in a group for good."""
        with self._lock:
            return group in self._groups.get(username, ())

    def change(self, username: str, group: str, is_member: bool) -> None:
        """
        Let a membership begin or end that somebody asks for at this node.

        Raises:
            SocketError: There are as many as there may be.
        """
        with self._lock:
            self._change(username, group, is_member)

    def hear(self, username: str, group: str, is_member: bool) -> bool:
        """
        Note that a membership has begun or ended at another node.

        Returns:
            Whether it has; what was changed here later stays as it is.
        """
        with self._lock:
            self._note(username, group, is_member)
            return True

    # With the lock held.

    def _change(self, username: str, group: str, is_member: bool) -> None:
        is_full = self._count >= self._max_count
        if is_member and is_full and group not in self._groups.get(username, ()):
            raise SocketError(f"{self._count:,} memberships of groups last already")
        self._note(username, group, is_member)

    def _note(self, username: str, group: str, is_member: bool) -> bool:
        """Let it be so; return whether it was not."""
        groups = self._groups.get(username, set())
        if is_member is (group in groups):
            return False
        if is_member:
            self._groups[username] = groups
            groups.add(group)
            self._count += 1
        else:
            groups.remove(group)
            self._count -= 1
            if not groups:
                del self._groups[username]
        return True
