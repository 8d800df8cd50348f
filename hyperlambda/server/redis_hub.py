"""
A hub without connections of its own: it publishes into a cluster, and no server is between.

Whoever can reach the Redis may publish, so that no token is asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Any, Self

from ..errors import SocketError
from ..sockets import Message, SocketGroup, SocketUser
from .backplane import (
    DisconnectCommand,
    GroupCommand,
    Item,
    check_command,
    check_message,
)
from .cluster_view import ClusterTables
from .envelope import encode_item, join_batch
from .history import History
from .negotiation import new_id
from .redis_client import Client, Redis, explain, import_redis, open_blocking_redis
from .redis_memberships import read_groups, write_changes
from .redis_presence import parse_records
from .redis_script import PUBLISH, HistoryKeys, prepare, read_rules

__all__ = ["RedisHub", "check_redis"]

_RULES_LAST = 10.0
"""Seconds after which it is asked again of which names messages are kept."""


class RedisHub:
    """
    Satisfies `hyperlambda.sockets.Hub`; connects when it is used for the first time.

    All methods may be called from any thread, and return when Redis has answered. What
    they tell of users and groups is what the nodes have written there: a change of groups
    stands there some milliseconds after it was asked for.

    Args:
        target: Which Redis.
    """

    def __init__(self, target: Redis) -> None:
        self._target = target
        self._keys = target.keys
        self._redis = open_blocking_redis(target)
        self._errors = (OSError, import_redis().RedisError)
        self._node = new_id()
        self._number = 1
        self._history = History(())
        self._history_ends = 0.0
        # So that the channel has the order of the numbers.
        self._lock = threading.Lock()

    def publish(self, message: Message) -> None:
        """
        Send a message to everyone in its audience, on all nodes.

        Raises:
            SocketError: The name is empty, a text is no Unicode, or Redis is away.
        """
        check_message(message)
        self._send(message)

    def add_to_group(self, username: str, group: str, *, persist: bool = False) -> None:
        """
        Put a user's present connections (or one, by its id) into a group.

        Args:
            username: Whose, or the id of one.
            group: Which group.
            persist: Whether later connections of the user are put there too. An id is
                taken for a username then: to look who is connected would cost too much.
        """
        self._command(GroupCommand(username, group, True, persist))

    def remove_from_group(self, username: str, group: str) -> None:
        """
        Take a user's present connections (or one, by its id) out of a group.

        Later ones are not put there any more either.
        """
        self._command(GroupCommand(username, group, False, True))

    def disconnect(
        self, connection: str, reason: str = "", *, may_return: bool = False
    ) -> None:
        """End a connection, by its id."""
        self._command(DisconnectCommand(connection, False, reason, may_return))

    def disconnect_user(
        self, username: str, reason: str = "", *, may_return: bool = False
    ) -> None:
        """End all present connections of a user (or one, by its id)."""
        self._command(DisconnectCommand(username, True, reason, may_return))

    def users(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketUser]:
        """Return users whose name starts with the prefix, by name; one page of them."""
        return self._read().users(prefix, offset, limit)

    def count_users(self, prefix: str = "") -> int:
        """Return how many users have a name that starts with the prefix."""
        return self._read().count_users(prefix)

    def count_connections(self, prefix: str = "") -> int:
        """Return how many connections these users have."""
        return self._read().count_connections(prefix)

    def groups(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketGroup]:
        """Return groups whose name starts with the prefix, by name; one page of them."""
        return self._read().groups(prefix, offset, limit)

    def groups_of(self, connection: str) -> list[str]:
        """Return the groups of a connection, by name; none if there is no such one."""
        return self._read().groups_of(connection)

    def lasting_groups_of(self, username: str) -> list[str]:
        """Return the groups that a user is in for good, by name."""
        found: list[str] = self._ask(
            lambda: read_groups(self._redis, self._keys, username)
        )
        return found

    def close(self) -> None:
        """End the connection to Redis."""
        self._redis.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _command(self, command: GroupCommand | DisconnectCommand) -> None:
        check_command(command)
        self._send(command)

    def _send(self, item: Item) -> None:
        line = encode_item(item)
        with self._lock:
            batch = join_batch(self._node, self._number, [line])
            self._number += 1
            self._ask(lambda: self._publish(batch, item))

    def _publish(self, batch: bytes, item: Item) -> None:
        keys, channel = HistoryKeys(self._target.prefix), self._keys.messages
        if isinstance(item, GroupCommand) and item.persists:
            with self._redis.pipeline(transaction=True) as pipe:
                write_changes(pipe, self._keys, [item])
                pipe.publish(channel, batch)
                pipe.execute()
            return
        if monotonic() >= self._history_ends:
            self._history = self._read_rules(keys)
            self._history_ends = monotonic() + _RULES_LAST
        kept = prepare(self._history, keys, channel, batch, [item])
        if kept is not None:
            try:
                script = self._redis.register_script(PUBLISH)
                script(keys=kept.keys, args=kept.arguments)
                return
            except import_redis().ResponseError:
                # Its memory is full: as with nodes, the message goes on all the same.
                pass
        self._redis.publish(channel, batch)

    def _read_rules(self, keys: HistoryKeys) -> History:
        try:
            return read_rules(self._redis.hget(keys.meta, "rules"))
        except import_redis().ResponseError:
            # A user of Redis that may do this has no rules: nobody there keeps anything.
            return History(())

    def _read(self) -> ClusterTables:
        tables = ClusterTables()
        nodes: set[bytes] = self._ask(lambda: self._redis.smembers(self._keys.nodes))
        for name in nodes:
            node = name.decode()
            found = parse_records(node, self._ask(self._hash_of(node)))
            if found is not None:
                tables.replace(node, found[1])
        return tables

    def _hash_of(self, node: str) -> Callable[[], dict[bytes, bytes]]:
        return lambda: self._redis.hgetall(self._keys.node(node))

    def _ask(self, question: Callable[[], Any]) -> Any:
        try:
            try:
                return question()
            except import_redis().TimeoutError:
                raise  # once more would be as long again
            except self._errors:
                # An idle connection may have been closed; nodes know the numbers of what
                # they have had, so that nothing reaches anybody twice.
                return question()
        except self._errors as error:
            raise SocketError(_away(self._target, error)) from error


def check_redis(target: Redis) -> None:
    """
    Return if a Redis can be used.

    Raises:
        SocketError: It does not answer, or does not let us in.
    """
    redis: Client = open_blocking_redis(target)
    keys = target.keys
    try:
        redis.smembers(keys.nodes)
        with redis.pubsub() as pubsub:
            pubsub.subscribe(keys.messages)
            pubsub.get_message(timeout=1)
    except (OSError, import_redis().RedisError) as error:
        raise SocketError(_away(target, error)) from error
    finally:
        redis.close()


def _away(target: Redis, error: BaseException) -> str:
    return f"{target} cannot be used: {explain(error)}"
