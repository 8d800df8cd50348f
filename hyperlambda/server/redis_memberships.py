"""
Memberships that last, of all nodes: kept in Redis, and in the memory of each node.

They are a set in Redis. A change is written there and published in one transaction, so
that the order of the channel is that of the set; each node notes what it hears, and reads
the set when it joins the others. So a connection gets its groups without a question to
Redis, also while that is away.

What is changed here counts here at once. Until it comes back from the channel, what is
heard about the same membership was published before it, and is passed over. Each end of a
membership is written, whether this node knows of the membership or not: another may just
have let it begin.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from json import loads

from .backplane import GroupCommand, Receiver
from .cluster_view import Record
from .envelope import Batch, EnvelopeError, decode_entry, encode_entry
from .memberships import MAX_MEMBERSHIPS, Memberships
from .redis_client import Client, Keys, explain, import_redis, patience

__all__ = [
    "SharedMemberships",
    "lasting_in",
    "membership_entry",
    "read_groups",
    "write_changes",
]

_READ_TIMEOUT = 60.0
"""Seconds in which a node reads what there is, which may be much."""

_PORTION = 1_000
"""How many are read at once."""

_log = logging.getLogger("hyperlambda.server")


def membership_entry(username: str, group: str) -> bytes:
    """Return what stands for a membership there."""
    return encode_entry([username, group])


def write_changes(pipe: Client, keys: Keys, commands: Iterable[GroupCommand]) -> None:
    """Add what keeps changes, or forgets what they end, to a pipeline."""
    for command in commands:
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
    # The cursor may lead to one twice.
    groups = {group for owner, group in _understood(found) if owner == username}
    return sorted(groups)


def lasting_in(batch: Batch) -> list[GroupCommand]:
    """Return the changes that are all of a batch; none if it holds anything else."""
    commands = []
    try:
        for line in batch.lines:
            command = decode_entry(line) if line.startswith(b'["g"') else None
            if not isinstance(command, GroupCommand) or not command.persists:
                return []
            commands.append(command)
    except EnvelopeError:
        return []
    return commands


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
        # How many of these were published: less than none if they came back before that
        # was known.
        self._sent: Counter[tuple[str, str]] = Counter()
        self._is_told = False

    def may_have(self, username: str, group: str) -> bool:
        """Return True: nobody knows what another node says just now."""
        return True

    def change(self, username: str, group: str, is_member: bool) -> None:
        """Let a membership begin or end; see `Memberships`."""
        with self._lock:
            self._change(username, group, is_member)
            self._own[username, group] += 1

    def hear(self, username: str, group: str, is_member: bool) -> bool:
        """Note what another node has changed; see `Memberships`."""
        with self._lock:
            if (username, group) in self._own:
                return False
            self._note(username, group, is_member)
            return True

    def confirm(self, command: GroupCommand) -> bool:
        """
        Note that a change of this node came back.

        Returns:
            Whether it changes what is known: it was sent twice, and another came between.
        """
        key = command.username, command.group
        with self._lock:
            if key in self._own:
                _add(self._own, key, -1)
                _add(self._sent, key, -1)
            return key not in self._own and self._note(*key, command.is_member)

    def give_up(self, command: GroupCommand) -> None:
        """Note that a change of this node never goes to the others."""
        with self._lock:
            _add(self._own, (command.username, command.group), -1)

    async def publish(
        self,
        redis: Client,
        channel: str,
        batch: bytes,
        commands: Sequence[GroupCommand],
    ) -> None:
        """Keep changes, and publish their batch."""
        try:
            async with redis.pipeline(transaction=True) as pipe:
                write_changes(pipe, self._keys, commands)
                pipe.publish(channel, batch)
                await pipe.execute()
        except import_redis().ResponseError as error:
            # Its memory is full, or it does not let us: the nodes know it all the same.
            self._tell(error)
            await redis.publish(channel, batch)
        with self._lock:
            for command in commands:
                _add(self._sent, (command.username, command.group), 1)

    async def catch_up(
        self, redis: Client, own: Callable[[], Iterable[Record]], hub: Receiver
    ) -> None:
        """
        Read what there is; what is published meanwhile is heard after that.

        Args:
            redis: Where it is kept.
            own: Returns the connections that are here, which may have to be in other
                groups; some may come while it is read.
            hub: Does that.
        """
        found: dict[str, set[str]] | None = None
        try:
            async with patience(_READ_TIMEOUT):
                found = await self._read_all(redis)
        except import_redis().ResponseError as error:
            self._tell(error)
        with self._lock:
            # What was sent is in the set, and does not come back any more.
            self._own.subtract(self._sent)
            self._own = +self._own
            self._sent.clear()
            before, after = self._groups, self._groups
            if found is not None:
                after = self._replace(found)
        for username in {each.username or "" for each in own()}:
            then, now = before.get(username, set()), after.get(username, set())
            for group in then ^ now:
                # As one that lasts, so that what a thread says just now goes before.
                hub.accept(GroupCommand(username, group, group in now, True))

    async def _read_all(self, redis: Client) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        cursor = -1
        while cursor:
            cursor, entries = await redis.sscan(
                self._keys.memberships, max(cursor, 0), count=_PORTION
            )
            for username, group in _understood(entries):
                found.setdefault(username, set()).add(group)
        return found

    def _replace(self, found: dict[str, set[str]]) -> dict[str, set[str]]:
        """Know this from now on, but for what goes to the others yet; return it."""
        before, self._groups = self._groups, found
        self._count = sum(map(len, found.values()))
        for username, group in self._own:
            self._note(username, group, group in before.get(username, ()))
        return found

    def _tell(self, error: Exception) -> None:
        if not self._is_told:
            self._is_told = True
            _log.warning(
                "Redis keeps no memberships of groups that last: %s", explain(error)
            )


def _understood(entries: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """Yield memberships; somebody else may have put anything there."""
    for entry in entries:
        try:
            username, group = loads(entry.decode("utf-8", "surrogatepass"))
        except (ValueError, TypeError, RecursionError):
            continue
        if type(username) is str and type(group) is str and username and group:
            yield username, group


def _add(counter: Counter[tuple[str, str]], key: tuple[str, str], change: int) -> None:
    """Change a count, and keep none of zero, of which there would be ever more."""
    counter[key] += change
    if not counter[key]:
        del counter[key]
