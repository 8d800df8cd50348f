"""
Memberships that last, of all nodes: kept in Redis, and in the memory of each node.

They are a set in Redis. A change is written there and published in one transaction, so
that the order of the channel is that of the set; each node notes what it hears, and reads
the set when it joins the others. So a connection gets its groups
without a question to Redis, also while that is away.

What is changed here counts here at once. Until it comes back from the channel, what is
heard about the same membership was published before it, and is passed over.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Collection, Iterable
from json import loads

from .backplane import GroupCommand, Item, Receiver
from .cluster_view import Record
from .envelope import Batch, EnvelopeError, decode_entry, encode_entry
from .memberships import MAX_MEMBERSHIPS, Memberships
from .redis_client import Client, Keys, explain, import_redis, patience

__all__ = [
    "SharedMemberships",
    "lasting_in",
    "membership_entry",
    "read_groups",
    "write_change",
]

_READ_TIMEOUT = 60.0
"""Seconds in which a node reads what there is, which may be much."""

_PORTION = 1_000
"""How many are read at once."""

_log = logging.getLogger("hyperlambda.server")


def membership_entry(username: str, group: str) -> bytes:
    """Return what stands for a membership there."""
    return encode_entry([username, group])


def write_change(pipe: Client, keys: Keys, command: GroupCommand) -> None:
    """Add what keeps a change, or forgets what it ends, to a pipeline."""
    entry = membership_entry(command.username, command.group)
    if command.is_member:
        pipe.sadd(keys.memberships, entry)
    else:
        pipe.srem(keys.memberships, entry)


def read_groups(redis: Client, keys: Keys, username: str) -> list[str]:
    """Ask, with a client that blocks, for the groups that a user is in for good."""
    # All that begins like those of this user; what it is of is read then.
    begin = membership_entry(username, "")[:-3]
    pattern = re.sub(rb"([\\\[\]*?^-])", rb"\\\1", begin) + b"*"
    found = redis.sscan_iter(keys.memberships, match=pattern, count=_PORTION)
    entries = [_read(each) for each in found]
    return [group for owner, group in entries if owner == username]


def lasting_in(batch: Batch) -> GroupCommand | None:
    """Return the change that is all of a batch; None if that is something else."""
    if len(batch.lines) != 1 or not batch.lines[0].startswith(b'["g"'):
        return None
    try:
        command = decode_entry(batch.lines[0])
    except EnvelopeError:
        return None
    if isinstance(command, GroupCommand) and command.persists:
        return command
    return None


class SharedMemberships(Memberships):
    """
    The memberships of all nodes, as this one knows them.

    Args:
        keys: Names in Redis.
        max_count: How many memberships there may be.
    """

    def __init__(self, keys: Keys, max_count: int = MAX_MEMBERSHIPS) -> None:
        super().__init__(max_count)
        self._keys = keys
        # Of changes that did not come back yet, how many there are of each membership.
        self._own: Counter[tuple[str, str]] = Counter()
        # What was heard while the set is read.
        self._heard: list[GroupCommand] | None = None
        self._is_told = False

    def change(self, username: str, group: str, is_member: bool) -> None:
        """Let a membership begin or end; see `Memberships`."""
        with self._lock:
            self._change(username, group, is_member)
            self._own[username, group] += 1

    def hear(self, username: str, group: str, is_member: bool) -> bool:
        """Note what another node has changed; see `Memberships`."""
        with self._lock:
            if self._heard is not None:
                self._heard.append(GroupCommand(username, group, is_member))
            if (username, group) in self._own:
                return False
            self._note(username, group, is_member)
            return True

    def confirm(self, command: GroupCommand) -> None:
        """Note that a change of this node came back, or never will."""
        with self._lock:
            if self._heard is not None:
                self._heard.append(command)
            key = command.username, command.group
            self._own[key] -= 1
            if self._own[key] <= 0:
                del self._own[key]
                self._note(*key, command.is_member)

    async def publish(
        self, redis: Client, channel: str, batch: bytes, command: GroupCommand
    ) -> None:
        """Keep a change, and publish its batch."""
        try:
            async with redis.pipeline(transaction=True) as pipe:
                write_change(pipe, self._keys, command)
                pipe.publish(channel, batch)
                await pipe.execute()
        except import_redis().ResponseError as error:
            # Its memory is full, or it does not let us: the nodes know it all the same.
            self._tell(error)
            await redis.publish(channel, batch)

    async def catch_up(
        self,
        redis: Client,
        waiting: Iterable[Item],
        own: Iterable[Record],
        hub: Receiver,
    ) -> None:
        """
        Read what there is, while what is published is heard already.

        Args:
            redis: Where it is kept.
            waiting: What this node has not sent yet.
            own: The connections that are here, which may have to be in other groups.
            hub: Does that.
        """
        self._heard = []
        try:
            async with patience(_READ_TIMEOUT):
                found = await self._read_all(redis)
        except import_redis().ResponseError as error:
            self._tell(error)
            return
        finally:
            heard, self._heard = self._heard, None
        present = {each.username for each in own if each.username is not None}
        with self._lock:
            changes = self._replace(found, heard, waiting, present)
        for change in changes:
            hub.accept(change)

    async def _read_all(self, redis: Client) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        cursor = -1
        while cursor:
            cursor, entries = await redis.sscan(
                self._keys.memberships, max(cursor, 0), count=_PORTION
            )
            for username, group in map(_read, entries):
                found.setdefault(username, set()).add(group)
        return found

    def _replace(
        self,
        found: dict[str, set[str]],
        heard: Iterable[GroupCommand],
        waiting: Iterable[Item],
        present: Collection[str],
    ) -> list[GroupCommand]:
        """Know this from now on; the lock is held."""
        before = self._groups
        # Whatever else was sent is in the set.
        self._own = Counter(
            (item.username, item.group)
            for item in waiting
            if isinstance(item, GroupCommand) and item.persists
        )
        kept = [
            GroupCommand(username, group, group in before.get(username, ()))
            for username, group in self._own
        ]
        self._groups = found
        self._count = sum(map(len, found.values()))
        for each in (*heard, *kept):
            self._note(each.username, each.group, each.is_member)
        return [
            GroupCommand(username, group, group in self._groups.get(username, ()))
            for username in present
            for group in before.get(username, set()) ^ self._groups.get(username, set())
        ]

    def _tell(self, error: Exception) -> None:
        if not self._is_told:
            self._is_told = True
            _log.warning(
                "Redis keeps no memberships of groups that last: %s", explain(error)
            )


def _read(entry: bytes) -> tuple[str, str]:
    username, group = loads(entry.decode("utf-8", "surrogatepass"))
    return username, group
