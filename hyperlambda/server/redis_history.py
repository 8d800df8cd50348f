"""
The history of a cluster: kept in Redis, and followed by each of its nodes.

Every node hears all messages of the one channel in one order, so that each can keep the
same history in memory, and answer from it in its hub's turn, without a question to Redis.
What a node has not heard, because it has just begun or its connection was lost, it reads
from the streams, before it hears what comes next. (redis_script.py says what is there.)

A message of a name with history takes effect at its own node too only when it comes back
from Redis, with its position; and so do those published behind it, for the sake of their
order. While Redis is away, only messages with history wait.

What has come back stands in the hub's inbox, maybe behind something that was published
after it. So until it has taken effect, messages that need not wait go behind it too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ..sockets import Message
from .backplane import Item, Receiver
from .envelope import Batch, EnvelopeError, decode_entry, split_batch
from .history import History, new_epoch
from .redis_client import Client, Redis, explain, import_redis
from .redis_script import LOSE, PUBLISH, HistoryKeys, prepare, write_rules

__all__ = ["RedisHistory"]

_CATCH_UP_TIMEOUT = 60.0
"""Seconds in which a node reads what it has missed, which may be much."""

_CHUNK = 100
"""Streams that are read at once."""

_log = logging.getLogger("hyperlambda.server")


class _Event(NamedTuple):
    """A message of a name, or, without one, that one of this offset is not there."""

    offset: int
    name: str
    message: Message | None
    age: float


class RedisHistory:
    """
    Joins the history of one node to that of the cluster.

    Args:
        history: Of the node's hub.
        target: Which Redis.

    Attributes:
        unkept: How many messages Redis would not keep; they were only published.
    """

    def __init__(self, history: History, target: Redis) -> None:
        history.is_shared = True
        self.unkept = 0
        self._history = history
        self._keys = HistoryKeys(target.prefix)
        self._channel = target.keys.messages
        self._lost: set[str] = set()
        # Our messages that take effect when they come back: those that have not been sent,
        # by identity, and those that have been, by number.
        self._unsent: dict[int, Message] = {}
        self._awaited: dict[int, Message] = {}
        # How many have come back and have not taken effect.
        self._returning = 0
        self._first = 0

    def makes_wait(self, item: Item, is_connected: bool, hub: Receiver) -> bool:
        """Return whether an item that is to be sent takes effect later, not now."""
        if not isinstance(item, Message):
            return False
        is_behind = is_connected and (self._unsent or self._awaited)
        if is_behind or self._history.rule_for(item) is not None:
            self._unsent[id(item)] = item
            return True
        if self._returning:
            self._give_back(item, hub)
            return True
        return False

    def lose(self, item: Item) -> None:
        """Note that an item is known to nobody but this node's clients."""
        if isinstance(item, Message) and self._history.rule_for(item) is not None:
            self._lost.add(item.name)

    async def publish(self, redis: Client, batch: bytes, items: Sequence[Item]) -> bool:
        """Keep and publish a batch; return False if it is only to be published."""
        self._note_numbers(batch, items)
        await self._tell_lost(redis)
        publication = prepare(self._history, self._keys, self._channel, batch, items)
        if publication is None:
            return False
        script = redis.register_script(PUBLISH)
        try:
            await script(keys=publication.keys, args=publication.arguments)
        except import_redis().ResponseError as error:
            # Its memory is full, or it lets us run no scripts: messages go on, but of
            # their names nothing before can be recovered any more.
            if not self.unkept:
                _log.warning("Redis keeps no history: %s", explain(error))
            for item in items:
                self.lose(item)
            self.unkept += publication.kept
            return False
        return True

    def take_back(self, batch: Batch, hub: Receiver) -> None:
        """Let those of our own messages take effect that have waited for this."""
        for number, line in enumerate(batch.lines, batch.first):
            if self._awaited.pop(number, None) is not None:
                item = decode_entry(line)
                if isinstance(item, Message):
                    self._give_back(item, hub)

    def _give_back(self, item: Message, hub: Receiver) -> None:
        hub.accept(item)
        if hub.in_turn(self._note_return):
            self._returning += 1

    def _note_return(self) -> int:
        self._returning -= 1
        return 0

    async def catch_up(self, redis: Client, hub: Receiver) -> None:
        """
        Take what was kept while nobody told us; what is published is heard already.

        What comes later than our first question is left to the channel.
        """
        async with asyncio.timeout(_CATCH_UP_TIMEOUT):
            take = await self._prepare(redis, hub)
        hub.in_turn(take)
        self._give_up_waiting(hub)

    async def _prepare(self, redis: Client, hub: Receiver) -> Callable[[], int]:
        """Read what was kept; return what lets it take effect."""
        await self._tell_lost(redis)
        history = self._history
        pipe = redis.pipeline()
        pipe.hsetnx(self._keys.meta, "epoch", new_epoch())
        pipe.hset(self._keys.meta, "rules", write_rules(history))
        pipe.hmget(self._keys.meta, "epoch", "top", "forgotten")
        *_, (known, newest, gone) = await pipe.execute()
        epoch, top, forgotten = known.decode(), int(newest or 0), int(gone or 0)
        is_same = epoch == history.epoch
        if is_same and top < history.top:
            # Redis has lost its latest: what these offsets mean is not certain.
            epoch, is_same = new_epoch(), False
            await redis.hset(self._keys.meta, "epoch", epoch)
        after = history.top if is_same else 0
        events = await self._read(redis, epoch, after, top)

        def take() -> int:
            if history.epoch == epoch:
                for event in events:
                    hub.take_late(event.name, event.offset, event.message, event.age)
            else:
                # Its clients may have had all this already: that cannot be known.
                history.restart(epoch, 0, forgotten)
                for event in events:
                    _record(history, event)
                hub.begin_epoch()
            history.top = max(history.top, top)
            return 0

        return take

    def _note_numbers(self, batch: bytes, items: Sequence[Item]) -> None:
        """Note under which numbers those go that wait; again, when a batch goes again."""
        first = split_batch(batch).first
        if first != self._first:
            self._first = first
            for number, item in enumerate(items, first):
                waiting = self._unsent.pop(id(item), None)
                if waiting is not None:
                    self._awaited[number] = waiting

    def _give_up_waiting(self, hub: Receiver) -> None:
        """Let take effect what nobody will tell us of any more, or who knows when."""
        awaited, self._awaited = self._awaited, {}
        for number, item in awaited.items():
            if self._history.rule_for(item) is None:
                self._give_back(item, hub)
            elif number >= self._first:
                # Of the last batch nobody knows whether it was kept: if it was, it has
                # just been read, and that it comes back is of no consequence.
                self._awaited[number] = item

    async def _tell_lost(self, redis: Client) -> None:
        if not self._lost:
            return
        names = list(self._lost)
        try:
            script = redis.register_script(LOSE)
            await script(keys=self._keys.tables, args=[self._keys.streams, *names])
        except import_redis().ResponseError:
            # Full: the next time then.
            return
        self._lost.difference_update(names)

    async def _read(
        self, redis: Client, epoch: str, after: int, top: int
    ) -> list[_Event]:
        """Return what was kept between two offsets, by offset."""
        time = await redis.time()
        now = time[0] + time[1] / 1_000_000
        _, names, *_ = self._keys.tables
        found = await redis.zrangebyscore(names, f"({after}", "+inf", withscores=True)
        events: list[_Event] = []
        for start in range(0, len(found), _CHUNK):
            chunk = found[start : start + _CHUNK]
            pipe = redis.pipeline(transaction=False)
            for name, _ in chunk:
                pipe.xrange(self._keys.streams.encode() + name, min=f"{after + 1}-0")
            for (name, last), entries in zip(chunk, await pipe.execute(), strict=True):
                bounds = after, min(int(last), top)
                events += _events(name.decode(), entries, *bounds, epoch, now)
        return sorted(events, key=lambda event: event.offset)


def _events(
    name: str,
    entries: list[tuple[bytes, dict[bytes, bytes]]],
    after: int,
    last: int,
    epoch: str,
    now: float,
) -> list[_Event]:
    """Return what a stream has between two offsets, and what is gone from there."""
    events: list[_Event] = []
    seen = after
    for id, fields in entries:
        offset = int(id.partition(b"-")[0])
        before = min(int(float(fields[b"p"])), last)
        if before > seen:
            events.append(_Event(before, name, None, 0))
        if offset > last:
            return events
        age = max(now - int(fields[b"t"]) / 1000, 0.0)
        events.append(_Event(offset, name, _message(fields[b"m"], epoch, offset), age))
        seen = offset
    if last > seen:
        events.append(_Event(last, name, None, 0))
    return events


def _record(history: History, event: _Event) -> None:
    if event.message is None:
        history.lose(event.name, event.offset)
    else:
        history.record(event.message, event.offset, event.age)


def _message(line: bytes, epoch: str, offset: int) -> Message | None:
    try:
        item: Any = decode_entry(line)
    except EnvelopeError:
        return None
    # Its own epoch may have ended, with all that followed it lost.
    is_one = isinstance(item, Message)
    return replace(item, position=(epoch, offset)) if is_one else None
