"""
Who is connected to all nodes of a cluster: a copy in the memory of each node.

So questions are answered without asking anybody, from any thread and on the event loop.
Own connections stand in it at once; those of other nodes when these have told of them,
which takes milliseconds (see redis_presence.py).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..sockets import SocketGroup, SocketUser

__all__ = ["ClusterTables", "Record"]


class Record(NamedTuple):
    """
    What is known about a connection.

    Attributes:
        node: Where it is.
        username: None if it is anonymous.
        joined: Unix time in seconds, by the clock of its node.
        groups: By name.
    """

    node: str
    username: str | None
    joined: float
    groups: tuple[str, ...]


class ClusterTables:
    """Satisfies `ClusterView`; all methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_id: dict[str, Record] = {}
        self._by_user: dict[str, dict[str, Record]] = {}
        self._by_node: dict[str, set[str]] = {}
        self._group_sizes: dict[str, int] = {}

    # What programs ask.

    def users(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketUser]:
        """Return users whose name starts with the prefix, by name; one page of them."""
        with self._lock:
            names = [name for name in self._by_user if name.startswith(prefix)]
        # Outside the lock, since connections that come and go must not wait for it.
        page = _page(names, offset, limit)
        with self._lock:
            own = [(name, list(self._by_user.get(name, {}).items())) for name in page]
        return [
            SocketUser(
                name,
                tuple(id for id, _ in sorted(found, key=lambda each: each[1].joined)),
            )
            for name, found in own
            if found
        ]

    def count_users(self, prefix: str = "") -> int:
        """Return how many users have a name that starts with the prefix."""
        with self._lock:
            if not prefix:
                return len(self._by_user)
            return sum(name.startswith(prefix) for name in self._by_user)

    def count_connections(self, prefix: str = "") -> int:
        """Return how many connections these users have."""
        with self._lock:
            if not prefix:
                return len(self._by_id)
            own = self._by_user.items()
            return sum([len(ids) for name, ids in own if name.startswith(prefix)])

    def groups(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketGroup]:
        """Return groups whose name starts with the prefix, by name; one page of them."""
        with self._lock:
            sizes = dict(self._group_sizes)
        names = [name for name in sizes if name.startswith(prefix)]
        return [SocketGroup(name, sizes[name]) for name in _page(names, offset, limit)]

    def groups_of(self, connection: str) -> list[str]:
        """Return the groups of a connection, by name; none if there is no such one."""
        record = self._by_id.get(connection)
        return [] if record is None else sorted(record.groups)

    def is_connected(self, id: str) -> bool:
        """Return whether a connection has this id."""
        return id in self._by_id

    # What nodes tell.

    def get(self, id: str) -> Record | None:
        """Return what is known about a connection."""
        return self._by_id.get(id)

    def change(self, node: str, records: Mapping[str, Record | None]) -> None:
        """Note connections of a node that have come, changed, or (None) gone."""
        with self._lock:
            for id, record in records.items():
                self._remove(node, id)
                if record is not None:
                    self._add(id, record)

    def replace(self, node: str, records: Mapping[str, Record]) -> None:
        """Note that a node has these connections, and no others."""
        with self._lock:
            for id in list(self._by_node.get(node, ())):
                self._remove(node, id)
            for id, record in records.items():
                self._add(id, record)

    def drop(self, node: str) -> None:
        """Forget a node and its connections."""
        self.replace(node, {})

    def of_node(self, node: str) -> dict[str, Record]:
        """Return the connections of a node."""
        with self._lock:
            return {id: self._by_id[id] for id in self._by_node.get(node, ())}

    def count_of_node(self, node: str) -> int:
        """Return how many connections a node has."""
        return len(self._by_node.get(node, ()))

    def _add(self, id: str, record: Record) -> None:
        known = self._by_id.get(id)
        if known is not None:  # it has moved, and its old node did not tell yet
            self._remove(known.node, id)
        self._by_id[id] = record
        self._by_user.setdefault(record.username or id, {})[id] = record
        self._by_node.setdefault(record.node, set()).add(id)
        for group in record.groups:
            self._group_sizes[group] = self._group_sizes.get(group, 0) + 1

    def _remove(self, node: str, id: str) -> None:
        record = self._by_id.get(id)
        if record is None or record.node != node:
            return
        del self._by_id[id]
        _discard(self._by_user, record.username or id, id)
        own = self._by_node[node]
        own.discard(id)
        if not own:
            del self._by_node[node]
        for group in record.groups:
            size = self._group_sizes[group] - 1
            if size:
                self._group_sizes[group] = size
            else:
                del self._group_sizes[group]


def _page(names: Iterable[str], offset: int, limit: int | None) -> list[str]:
    start = max(offset, 0)
    return sorted(names)[start : None if limit is None else start + max(limit, 0)]


def _discard(table: dict[str, dict[str, Record]], name: str, id: str) -> None:
    members = table[name]
    del members[id]
    if not members:
        del table[name]
