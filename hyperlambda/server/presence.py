"""
Who is connected, and how many are in which group, for whoever asks.

Unlike the hub's other tables, these are read from any thread. A lock guards them: it is
taken when somebody comes, goes, or enters a group, and never for a message.
"""

from __future__ import annotations

import threading

from ..sockets import SocketGroup, SocketUser
from .backplane import Backplane
from .connection import Connection

__all__ = ["Presence"]


class Presence:
    """
    The part of a hub that knows who is there.

    Args:
        backplane: Is told who is here, and knows who is elsewhere. What programs ask is
            about all nodes; `connections` and the counts are about this one.
    """

    def __init__(self, backplane: Backplane) -> None:
        self.backplane = backplane
        self._by_id: dict[str, Connection] = {}
        self._by_user: dict[str, dict[str, Connection]] = {}
        self._group_sizes: dict[str, int] = {}
        self._members_lock = threading.Lock()

    def users(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketUser]:
        """Return users whose name starts with the prefix, by name; one page of them."""
        view = self.backplane.view
        if view is not None:
            return view.users(prefix, offset, limit)
        start = max(offset, 0)
        stop = None if limit is None else start + max(limit, 0)
        with self._members_lock:
            return [
                SocketUser(name, tuple(self._by_user[name]))
                for name in sorted(self._names(prefix))[start:stop]
            ]

    def count_users(self, prefix: str = "") -> int:
        """Return how many users have a name that starts with the prefix."""
        view = self.backplane.view
        if view is not None:
            return view.count_users(prefix)
        with self._members_lock:
            return len(self._names(prefix))

    def count_connections(self, prefix: str = "") -> int:
        """Return how many connections these users have."""
        view = self.backplane.view
        if view is not None:
            return view.count_connections(prefix)
        with self._members_lock:
            return sum([len(self._by_user[name]) for name in self._names(prefix)])

    def groups(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketGroup]:
        """Return groups whose name starts with the prefix, by name; one page of them."""
        view = self.backplane.view
        if view is not None:
            return view.groups(prefix, offset, limit)
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
        view = self.backplane.view
        if view is not None:
            return view.groups_of(connection)
        with self._members_lock:
            one = self._by_id.get(connection)
            return [] if one is None else sorted(one.groups)

    def lasting_groups_of(self, username: str) -> list[str]:
        """Return the groups that a user is in for good, by name."""
        return self.backplane.memberships.of(username)

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
        """Return whether a connection has this id, on whatever node."""
        view = self.backplane.view
        return id in self._by_id or (view is not None and view.is_connected(id))

    # What the hub does with it.

    def _enter(self, connection: Connection) -> tuple[str, ...]:
        """Add a connection; return the groups that it is in now."""
        username = connection.identity.username
        key = username or connection.id
        with self._members_lock:
            if username is not None:
                connection.groups.update(self.backplane.memberships.of(username))
            self._by_id[connection.id] = connection
            self._by_user.setdefault(key, {})[connection.id] = connection
            for group in connection.groups:
                self._count_member(group, 1)
            self.backplane.announce(connection, True)
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
            self.backplane.announce(connection, False)
            return True

    def _own(self, username: str) -> tuple[Connection, ...]:
        """Return a user's connections, or one by its id; the lock is held."""
        own = self._by_user.get(username)
        if own is not None:
            return tuple(own.values())
        one = self._by_id.get(username)
        return () if one is None else (one,)

    def _note_group(self, connection: Connection, group: str, is_member: bool) -> None:
        """Put a connection into a group or take it out; the lock is held."""
        if is_member is (group in connection.groups):
            return
        if is_member:
            connection.groups.add(group)
        else:
            connection.groups.remove(group)
        self._count_member(group, 1 if is_member else -1)
        self.backplane.announce(connection, True)

    def _count_member(self, group: str, change: int) -> None:
        size = self._group_sizes.get(group, 0) + change
        if size:
            self._group_sizes[group] = size
        else:
            del self._group_sizes[group]

    def _names(self, prefix: str) -> list[str]:
        return [name for name in self._by_user if name.startswith(prefix)]
