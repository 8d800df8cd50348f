"""
The history of a cluster: kept in Redis, and followed by each of its nodes.

Every node hears all messages of the one channel in one order, so that each can keep the
same history in memory, and answer from it in its hub's turn, without a question to Redis.
What a node has not heard, because it has just begun or its connection was lost, it reads
from the streams, before it hears what comes next. (redis_script.py says what is there.)

A message of a name with history takes effect at its own node too only when it comes back
from Redis, with its position; and so do those published behind it, for the sake of their
order, with all else that this node causes then (line.py). While Redis is away, only
messages with history wait.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from ..sockets import Message
from .backplane import Item, Receiver
from .envelope import Batch, EnvelopeError, decode_entry, split_batch
from .history import History, new_epoch
from .line import Ticket
from .redis_client import Client, Redis, explain, import_redis, patience
from .redis_script import LOSE, PUBLISH, HistoryKeys, prepare, write_rules

__all__ = ["RedisHistory"]

_CATCH_UP_TIMEOUT = 60.0
"""Seconds in which a node reads what it has missed, which may be much."""

_CHUNK = 100
"""Streams that are read at once."""

_PORTION = 250
"""Missed messages that take effect in one turn, so that it makes no client too slow."""

_A_TURN = 1 << 30
"""Bytes that no turn may have."""

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
        # Of our messages that take effect when they come back: those that have not been
        # sent, in order, and those that have been, by number.
        self._unsent: deque[tuple[Message, Ticket]] = deque()
        self._awaited: dict[int, Ticket] = {}
        self._first = 0

    def makes_wait(self, item: Item, hub: Receiver) -> bool:
        """Return whether an item that is to be sent takes effect later, not now."""
        if not isinstance(item, Message) or self._history.rule_for(item) is None:
            return False
        self._unsent.append((item, hub.line.begin()))
        return True

    def lose(self, item: Item) -> None:
        """Note that an item is known to nobody but this node's clients."""
        if isinstance(item, Message) and self._history.rule_for(item) is not None:
            self._lost.add(item.name)

    async def publish(
        self, redis: Client, batch: bytes, items: Sequence[Item], hub: Receiver
    ) -> bool:
        """Keep and publish a batch; return False if it is only to be published."""
        self._note_numbers(batch, items)
        await self._tell_lost(redis)
        publication = prepare(self._history, self._keys, self._channel, batch, items)
        if publication is None:
            return False
        script = redis.register_script(PUBLISH)
        try:
            is_new = await script(keys=publication.keys, args=publication.arguments)
        except import_redis().ResponseError as error:
            # Its memory is full, or it lets us run no scripts: messages go on, but of
            # their names nothing before can be recovered any more.
            if not self.unkept:
                _log.warning("Redis keeps no history: %s", explain(error))
            for item in items:
                self.lose(item)
            self.unkept += publication.kept
            return False
        if not is_new:
            # It was kept before its answer was lost, so we have read it or heard it.
            self._end_waiting(range(self._first, self._first + len(items)), hub)
        return True

    def take_back(self, batch: Batch, hub: Receiver) -> None:
        """Let those of our own messages take effect that have waited for this."""
        for number, line in enumerate(batch.lines, batch.first):
            ticket = self._awaited.pop(number, None)
            if ticket is not None:
                item = decode_entry(line)
                assert isinstance(item, Message)  # nothing else waits
                hub.take_back(item, ticket)

    def _end_waiting(self, numbers: Iterable[int], hub: Receiver) -> None:
        """Wait no longer for messages that will not come back."""
        for number in numbers:
            ticket = self._awaited.pop(number, None)
            if ticket is not None:
                hub.act(partial(hub.pass_over, ticket))

    async def read_missed(self, redis: Client, hub: Receiver) -> Callable[[], int]:
        """
        Read what was kept while nobody told us; what is published is heard already.

        What comes later than our first question is left to the channel.

        Returns:
            What lets it take effect, for `catch_up`.
        """
        async with patience(_CATCH_UP_TIMEOUT):
            return await self._prepare(redis, hub)

    def catch_up(
        self, take: Callable[[], int], hub: Receiver, unsure: int | None
    ) -> None:
        """
        Let what was missed take effect.

        Args:
            take: Does that.
            hub: Where it does.
            unsure: The number of the first of our messages that will be sent again,
                because nobody knows whether they were kept; None: there are none.
        """
        hub.act(take)
        # What was sent for certain has been read now, and will not come once more.
        sent = [each for each in self._awaited if unsure is None or each < unsure]
        self._end_waiting(sent, hub)

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
        events = deque(await self._read(redis, epoch, after, top))

        def take() -> int:
            if history.epoch != epoch:
                # Its clients may have had all this already: that cannot be known.
                history.restart(epoch, 0, forgotten)
                while events:
                    _record(history, events.popleft())
                hub.begin_epoch()
            for _ in range(min(len(events), _PORTION)):
                event = events.popleft()
                hub.take_late(event.name, event.offset, event.message, event.age)
            if events:
                hub.act(take, is_next=True)
            else:
                history.top = max(history.top, top)
            # It is sent before more is done.
            return _A_TURN

        return take

    def _note_numbers(self, batch: bytes, items: Sequence[Item]) -> None:
        """Note under which numbers those go that wait; again, when a batch goes again."""
        first = split_batch(batch).first
        if first != self._first:
            self._first = first
            for number, item in enumerate(items, first):
                if self._unsent and self._unsent[0][0] is item:
                    self._awaited[number] = self._unsent.popleft()[1]

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
