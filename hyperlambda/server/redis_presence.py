"""
How nodes tell each other through Redis who is connected to them.

Each node keeps a hash with its connections, which Redis forgets unless the node renews
it, and tells the others of each change of it. A change and its telling are one
transaction, and carry a version that grows by one: a node that hears of a version which
does not follow the last one reads the whole hash again. So it does when it hears of a
node for the first time, or comes back after a while. Nothing else repairs anything.

=====  ================================  =================================================
entry  fields                            says
=====  ================================  =================================================
"p"    version, [[id, record or null]…]  these have come, changed, or gone
"a"    version                           the node is alive; sent at each heartbeat
"b"                                      the node leaves
=====  ================================  =================================================

A record is ``[username or null, Unix time at which it joined, [group, …]]``.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from json import loads
from typing import Any, TypeAlias

from .cluster_view import ClusterTables, Record
from .connection import Connection
from .envelope import Entry, encode_entry
from .redis_client import Client, Keys, patience

__all__ = ["OwnPresence", "Peers", "parse_records", "read_records"]

VERSION_FIELD = b""
"""The field of a node's hash that holds its version: no connection has an empty id."""

_Tell: TypeAlias = Callable[[Any, Entry], None]
"""Adds the publishing of an entry to a pipeline."""

_log = logging.getLogger("hyperlambda.server")


class OwnPresence:
    """
    The connections of this node.

    Args:
        node: Its id.
        tables: Where its connections stand at once.
        keys: Names in Redis.
        lifetime: Seconds after which Redis forgets the node, unless it is renewed.
        wake: Called, from whatever thread, when there is something to write.
    """

    def __init__(
        self,
        node: str,
        tables: ClusterTables,
        keys: Keys,
        lifetime: float,
        wake: Callable[[], object],
    ) -> None:
        self.version = 0
        self._node = node
        self._tables = tables
        self._keys = keys
        self._lifetime = max(1, round(lifetime * 1000))
        self._wake = wake
        self._lock = threading.Lock()
        # What is written later must arrive later.
        self._turn = asyncio.Lock()
        self._changes: dict[str, Record | None] = {}

    @property
    def has_changes(self) -> bool:
        """Whether others have to be told something."""
        return bool(self._changes)

    def announce(self, connection: Connection, is_here: bool) -> None:
        """Note a change; see `Backplane.announce`."""
        id = connection.id
        record = None
        if is_here:
            known = self._tables.get(id)
            joined = time.time() if known is None else known.joined
            groups = tuple(connection.groups)
            record = Record(self._node, connection.identity.username, joined, groups)
        self._tables.change(self._node, {id: record})
        with self._lock:
            self._changes[id] = record
        self._wake()

    async def write_all(self, redis: Client, tell: _Tell) -> None:
        """Write the whole hash, and let the others read it again."""
        async with self._turn:
            await self._write_all(redis, tell)

    async def _write_all(self, redis: Client, tell: _Tell) -> None:
        with self._lock:
            # What changes after this is told again, which does no harm.
            self._changes = {}
        records = self._tables.of_node(self._node)
        self.version += 1
        key = self._keys.node(self._node)
        async with redis.pipeline(transaction=True) as pipe:
            pipe.delete(key)
            pipe.hset(key, mapping=_fields(self.version, records.items()))
            pipe.pexpire(key, self._lifetime)
            pipe.sadd(self._keys.nodes, self._node)
            tell(pipe, ["a", self.version])
            await pipe.execute()

    async def write_changes(self, redis: Client, tell: _Tell) -> None:
        """Write what has changed, and tell the others."""
        async with self._turn:
            with self._lock:
                changes, self._changes = self._changes, {}
            self.version += 1
            key = self._keys.node(self._node)
            here = [(id, each) for id, each in changes.items() if each is not None]
            gone = [id for id, each in changes.items() if each is None]
            told = [[id, each and each[1:]] for id, each in changes.items()]
            async with redis.pipeline(transaction=True) as pipe:
                pipe.pexpire(key, self._lifetime)
                pipe.hset(key, mapping=_fields(self.version, here))
                if gone:
                    pipe.hdel(key, *gone)
                tell(pipe, ["p", self.version, told])
                is_known, *_ = await pipe.execute()
            if not is_known:
                # What was changed is all that is there now.
                await self._write_all(redis, tell)

    async def renew(self, redis: Client, tell: _Tell) -> None:
        """Say that this node is alive; write everything if Redis has forgotten it."""
        async with self._turn:
            async with redis.pipeline(transaction=True) as pipe:
                pipe.pexpire(self._keys.node(self._node), self._lifetime)
                pipe.sadd(self._keys.nodes, self._node)
                tell(pipe, ["a", self.version])
                is_known, *_ = await pipe.execute()
            if not is_known:
                await self._write_all(redis, tell)

    async def stay(self, redis: Client, tell: _Tell, interval: float) -> None:
        """Say so again and again, each time after some seconds, until it is cancelled."""
        while True:
            await asyncio.sleep(interval)
            async with patience():
                await self.renew(redis, tell)

    async def remove(self, redis: Client, tell: _Tell) -> None:
        """Take leave."""
        async with redis.pipeline(transaction=True) as pipe:
            pipe.delete(self._keys.node(self._node))
            pipe.srem(self._keys.nodes, self._node)
            tell(pipe, ["b"])
            await pipe.execute()


@dataclass(slots=True)
class _Peer:
    """
    Another node.

    Attributes:
        heard: When, in seconds of the loop's clock.
        version: Of what the tables hold of it; None if it was not read yet.
        waiting: What it told while it was being read; None when it is not.
    """

    heard: float
    version: int | None = None
    waiting: list[tuple[int, dict[str, Record | None]]] | None = None


@dataclass(slots=True)
class Peers:
    """
    The other nodes; everything here belongs to the event loop's thread.

    Attributes:
        tables: Where their connections stand.
        keys: Names in Redis.
        timeout: Seconds of silence after which a node counts as dead.
    """

    tables: ClusterTables
    keys: Keys
    timeout: float
    _peers: dict[str, _Peer] = field(default_factory=dict)
    _reading: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(peer.version is not None for peer in self._peers.values())

    def __contains__(self, node: object) -> bool:
        return node in self._peers

    def hear(self, redis: Client, node: str, entry: Entry) -> None:
        """Note what another node tells of itself."""
        tag = entry[0]
        if tag == "b":
            self._drop(node)
            return
        now = asyncio.get_running_loop().time()
        peer = self._peers.setdefault(node, _Peer(now))
        peer.heard = now
        version: int = entry[1]
        if tag == "p":
            changes = {id: each and _record(node, each) for id, each in entry[2]}
            if peer.waiting is not None:
                peer.waiting.append((version, changes))
                return
            if peer.version is not None and version == peer.version + 1:
                peer.version = version
                self.tables.change(node, changes)
                return
        if version != peer.version and peer.waiting is None:
            self._read(redis, node, peer)

    def read(self, redis: Client, nodes: Iterable[str]) -> None:
        """Begin to read what some nodes have written."""
        now = asyncio.get_running_loop().time()
        for node in nodes:
            peer = self._peers.setdefault(node, _Peer(now))
            peer.heard = now
            if peer.waiting is None:
                self._read(redis, node, peer)

    async def settle(self) -> None:
        """Return when everything was read that is being read now."""
        if self._reading:
            await asyncio.wait(self._reading.values())

    async def stop_reading(self) -> None:
        """Leave off what is being read, and believe nothing that was read before."""
        tasks = list(self._reading.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for peer in self._peers.values():
            peer.version = peer.waiting = None

    def excuse(self, seconds: float) -> None:
        """Do not count a time in which this node has not listened."""
        for peer in self._peers.values():
            peer.heard += seconds

    def drop_silent(self) -> list[str]:
        """Forget the nodes that count as dead; return which."""
        end = asyncio.get_running_loop().time() - self.timeout
        silent = [node for node, peer in self._peers.items() if peer.heard < end]
        for node in silent:
            _log.info("node %s is silent and counts as dead", node)
            self._drop(node)
        return silent

    def _drop(self, node: str) -> None:
        self._peers.pop(node, None)
        self.tables.drop(node)

    def _read(self, redis: Client, node: str, peer: _Peer) -> None:
        peer.waiting = []
        task = asyncio.create_task(self._load(redis, node, peer))
        self._reading[node] = task
        task.add_done_callback(lambda done: self._end(node, peer, done))

    def _end(self, node: str, peer: _Peer, task: asyncio.Task[None]) -> None:
        if self._reading.get(node) is task:
            del self._reading[node]
        peer.waiting = None
        if not task.cancelled() and task.exception() is not None:
            # Its next heartbeat finds a version that does not fit, and we try again.
            _log.warning("node %s could not be read: %s", node, task.exception())

    async def _load(self, redis: Client, node: str, peer: _Peer) -> None:
        while self._peers.get(node) is peer:
            async with patience():
                found = await read_records(redis, self.keys, node)
            if self._peers.get(node) is not peer:
                return
            if found is None:
                # It has died, or will write everything when it notices.
                peer.version = None
                self.tables.drop(node)
                return
            version, records = found
            self.tables.replace(node, records)
            waiting, peer.waiting = peer.waiting or [], []
            for later, changes in waiting:
                if later == version + 1:
                    self.tables.change(node, changes)
                    version = later
            peer.version = version
            if not any(later > version for later, _ in waiting):
                return


async def read_records(
    redis: Client, keys: Keys, node: str
) -> tuple[int, dict[str, Record]] | None:
    """Return the version and the connections of a node; None if Redis has none of it."""
    return parse_records(node, await redis.hgetall(keys.node(node)))


def parse_records(
    node: str, fields: dict[bytes, bytes]
) -> tuple[int, dict[str, Record]] | None:
    """Return the version and the connections in a node's hash; None if it is empty."""
    version = fields.pop(VERSION_FIELD, None)
    if version is None:
        return None
    return int(version), {
        id.decode("utf-8", "surrogatepass"): _record(
            node, loads(value.decode("utf-8", "surrogatepass"))
        )
        for id, value in fields.items()
    }


def _record(node: str, fields: list[Any]) -> Record:
    username, joined, groups = fields
    return Record(node, username, joined, tuple(groups))


def _fields(
    version: int, records: Iterable[tuple[str, Record]]
) -> dict[str | bytes, bytes]:
    found: dict[str | bytes, bytes] = {VERSION_FIELD: b"%d" % version}
    for id, record in records:
        found[id] = encode_entry(list(record[1:]))
    return found
