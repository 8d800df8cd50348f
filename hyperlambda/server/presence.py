"""
Who is connected, and how many are in which group, for whoever asks.

Unlike the hub's other tables, these are read from any thread. A lock guards them: it is
taken when somebody comes, goes, or enters a group, and never for a message.
"""

from __future__ import annotations

import threading

from ..sockets import SocketGroup, SocketUser
from .connection import Connection

__all__ = ["Presence"]


class Presence:
    """The part of a hub that knows who is there."""

    def __init__(self) -> None:
        self._by_id: dict[str, Connection] = {}
        self._by_user: dict[str, dict[str, Connection]] = {}
        self._group_sizes: dict[str, int] = {}
        self._members_lock = threading.Lock()

    def users(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketUser]:
        """Return users whose name starts with the prefix, by name; one page of them."""
        start = max(offset, 0)
        stop = None if limit is None else start + max(limit, 0)
        with self._members_lock:
            return [
                SocketUser(name, tuple(self._by_user[name]))
                for name in sorted(self._names(prefix))[start:stop]
            ]

    def count_users(self, prefix: str = "") -> int:
        """Return how many users have a name that starts with the prefix."""
        with self._members_lock:
            return len(self._names(prefix))

    def count_connections(self, prefix: str = "") -> int:
        """Return how many connections these users have."""
        with self._members_lock:
            return sum([len(self._by_user[name]) for name in self._names(prefix)])

    def groups(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketGroup]:
        """Return groups whose name starts with the prefix, by name; one page of them."""
        start = max(offset, 0)
        stop = None if limit is None else start + max(limit, 0)
        with self._members_lock:
            names = [name for name in self._group_sizes if name.startswith(prefix)]
            return [
                SocketGroup(name, self._group_sizes[name])
                for name in sorted(names)[start:stop]
            ]

    def groups_of(self, connection: str) -> list[str]:
        """Return the groups of a connection, by name; none if there is no such one."""
        with self._members_lock:
            one = self._by_id.get(connection)
            return [] if one is None else sorted(one.groups)

    @property
    def connections(self) -> list[Connection]:
        """Everybody who is connected, in the order in which they joined."""
        return list(self._by_id.values())

    @property
    def connection_count(self) -> int:
        """How many are connected."""
        return len(self._by_id)

    @property
    def user_count(self) -> int:
        """How many users these are; each anonymous connection is one."""
        return len(self._by_user)

    @property
    def group_count(self) -> int:
        """How many groups have a member."""
        return len(self._group_sizes)

    def is_connected(self, id: str) -> bool:
        """Return whether a connection has this id."""
        return id in self._by_id

    # What the hub does with it.

    def _enter(self, connection: Connection) -> tuple[str, ...]:
        """Add a connection; return the groups that it is in now."""
        key = connection.identity.username or connection.id
        with self._members_lock:
            self._by_id[connection.id] = connection
            self._by_user.setdefault(key, {})[connection.id] = connection
            for group in connection.groups:
                self._count_member(group, 1)
            return tuple(connection.groups)

    def _exit(self, connection: Connection) -> bool:
        """Forget a connection; return whether it was there."""
        key = connection.identity.username or connection.id
        with self._members_lock:
            if self._by_id.pop(connection.id, None) is None:
                return False
            own = self._by_user[key]
            del own[connection.id]
            if not own:
                del self._by_user[key]
            for group in connection.groups:
                self._count_member(group, -1)
            return True

    def _own(self, username: str) -> tuple[Connection, ...]:
        """Return a user's connections, or one by its id; the lock is held."""
        own = self._by_user.get(username)
        if own is not None:
            return tuple(own.values())
        one = self._by_id.get(username)
        return () if one is None else (one,)

    def _count_member(self, group: str, change: int) -> None:
        size = self._group_sizes.get(group, 0) + change
        if size:
            self._group_sizes[group] = size
        else:
            del self._group_sizes[group]

    def _names(self, prefix: str) -> list[str]:
        return [name for name in self._by_user if name.startswith(prefix)]
