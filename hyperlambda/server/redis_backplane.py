"""
Joins the hubs of many processes through Redis.

Everything goes through one channel: items in the order in which they take effect at their
node, and what nodes tell of themselves (redis_presence.py). Each node hears all of it,
drops its own, and lets its hub find the receivers that it has. So a message reaches
whoever is connected anywhere at that time, and its order is that of the channel.

One task holds a *session*: it subscribes, writes this node's presence, reads that of the
others, then receives, sends and renews until something fails; a second later it begins
anew. Meanwhile the hub goes on alone, and what it forwards waits, up to a bound.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import SocketError
from .backplane import Figure, Item, Receiver, is_lasting
from .cluster_figures import cluster_figures
from .cluster_view import ClusterTables
from .connection import Connection
from .envelope import Entry, EnvelopeError, decode_entry, split_batch
from .history import History
from .negotiation import LIFETIME, new_id
from .outbox import Outbox
from .redis_client import Client, Redis, explain, import_redis, open_redis, patience
from .redis_history import RedisHistory
from .redis_memberships import SharedMemberships, lasting_in
from .redis_presence import OwnPresence, Peers

__all__ = ["HEARTBEAT", "RedisBackplane"]

HEARTBEAT = 3.0
"""Seconds between two signs of life of a node."""

MISSED = 3
"""After so many heartbeats that nobody heard a node counts as dead."""

_SHORTEST_DELAY = 0.05
_LONGEST_DELAY = 0.5
"""Seconds between two attempts to reach Redis."""

_GRACE = 1.0
"""Seconds that the others get to come back too, before they are sent what has waited."""

_MAX_CLAIMS = 16
"""So many connection ids are claimed at one time."""

_MAX_KNOWN = 1_000
"""Of so many nodes we know what they have sent, those that have gone included."""

_MAX_INBOX = 10_000
"""While the hub has more to do, no more is received."""

_log = logging.getLogger("hyperlambda.server")


class RedisBackplane:
    """
    Satisfies `Backplane`.

    Args:
        target: Which Redis.
        heartbeat: Seconds between two signs of life.
        max_waiting: How many messages may wait to be sent; the others reach only the
            clients of this node. Of commands there may be more.
        max_bytes: The same in bytes.
        start_timeout: Seconds that `start` gives Redis, before this node begins alone.
        history: Of the hub, to be kept in Redis.

    Attributes:
        node: Its id: random, another one each time that a process starts.
        is_connected: Whether it hears and is heard now.
        received: How many of other nodes' items came.
        gaps: How often the connection was lost.
    """

    def __init__(
        self,
        target: Redis,
        *,
        heartbeat: float = HEARTBEAT,
        max_waiting: int = 10_000,
        max_bytes: int = 64 * 1024 * 1024,
        start_timeout: float = 5,
        history: History | None = None,
    ) -> None:
        self.node = new_id()
        self.is_connected = False
        self.received = self.gaps = 0
        self._target = target
        self._keys = target.keys
        self._heartbeat = heartbeat
        self._timeout = heartbeat * MISSED
        self._start_timeout = start_timeout
        self._history = None if history is None else RedisHistory(history, target)
        self._tables = ClusterTables()
        self._peers = Peers(self._tables, self._keys, self._timeout)
        self._own = OwnPresence(
            self.node, self._tables, self._keys, self._timeout, self._wake
        )
        self.memberships = SharedMemberships(self._keys)
        self._outbox = Outbox(self.node, max_items=max_waiting, max_bytes=max_bytes)
        # Of each node, the number of the entry that is to come next.
        self._next: dict[str, int] = {}
        self._heard_itself = 0.0
        # What was first in the hub's line, at each of the last heartbeats.
        self._firsts: list[object] = []
        self._is_woken = False
        self._was_lost = False

    # What the hub calls.

    @property
    def view(self) -> ClusterTables:
        """Who is connected anywhere."""
        return self._tables

    async def start(self, hub: Receiver) -> None:
        """
        Join the other nodes.

        Without Redis this node begins alone, and joins them when it is there.
        """
        self._hub = hub
        self._loop = asyncio.get_running_loop()
        self._work = asyncio.Event()
        self._is_joined = asyncio.Event()
        # Each question at one time has a connection of its own.
        self._claims = asyncio.Semaphore(_MAX_CLAIMS)
        self._task = asyncio.create_task(self._run())
        try:
            async with asyncio.timeout(self._start_timeout):
                await self._is_joined.wait()
        except TimeoutError:
            _log.warning("%s does not answer; this node begins alone", self._target)

    async def stop(self) -> None:
        """Send what waits, within some seconds, and leave the other nodes."""
        was_connected = self.is_connected
        while not self._task.done():
            # Once is enough, unless a library swallows it.
            self._task.cancel()
            await asyncio.wait([self._task], timeout=0.5)
        if was_connected:
            await self._leave()

    def forward(self, item: Item) -> bool:
        """Bring an item to the other nodes; see `Backplane`."""
        history = self._history
        if not self._outbox.put(item):
            if history is not None:
                history.lose(item)
            if is_lasting(item):
                self.memberships.give_up(item)
            return True
        self._work.set()
        return history is None or not history.makes_wait(item, self._hub)

    def announce(self, connection: Connection, is_here: bool) -> None:
        """Note that a connection has come, changed its groups, or gone."""
        self._own.announce(connection, is_here)

    async def claim(self, id: str) -> bool:
        """Take a negotiated connection id; see `Backplane`."""
        if not self.is_connected:
            return True
        try:
            async with asyncio.timeout(1), self._claims:
                return bool(
                    await self._redis.set(
                        self._keys.claim(id), self.node, nx=True, ex=LIFETIME + 5
                    )
                )
        except (TimeoutError, OSError, import_redis().RedisError):
            return True

    def health(self) -> Mapping[str, object]:
        """Return what ``/health`` tells about it."""
        return {
            "status": "ok" if self.is_connected else "degraded",
            "node": self.node,
            "nodes": 1 + len(self._peers),
            "redis": "connected" if self.is_connected else "away",
        }

    def figures(self) -> Sequence[Figure]:
        """Return what ``/metrics`` tells about it."""
        return cluster_figures(
            is_connected=self.is_connected,
            nodes=1 + len(self._peers),
            users=self._tables.count_users(),
            memberships=len(self.memberships),
            outbox=self._outbox,
            received=self.received,
            gaps=self.gaps,
        )

    # The session.

    async def _run(self) -> None:
        package = import_redis()
        delay = _SHORTEST_DELAY
        while True:
            try:
                await self._session()
            except* (OSError, package.RedisError) as group:
                if not self._was_lost:
                    self._was_lost = True
                    _log.warning(
                        "%s is away; this node goes on alone: %s",
                        self._target,
                        explain(group),
                    )
            except* Exception:
                # A mistake of ours: the clients of this node must not suffer from it.
                _log.exception("the session with %s failed", self._target)
            self._hub.act(self._hub.open_line)
            if self.is_connected:
                self.is_connected = False
                self.gaps += 1
                delay = _SHORTEST_DELAY
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_DELAY)
            self._peers.drop_silent()

    async def _session(self) -> None:
        redis = self._redis = open_redis(self._target)
        pubsub = redis.pubsub()
        try:
            async with patience():
                await pubsub.subscribe(self._keys.messages)
                # Only from here on nothing is missed, so only then others are read.
                await self._confirm(pubsub)
                await self._own.write_all(redis, self._tell)
                names = await redis.smembers(self._keys.nodes)
            async with asyncio.TaskGroup() as group:
                # It may take longer than others believe that a silent node lives.
                alive = self._own.stay(redis, self._tell, self._heartbeat)
                staying = group.create_task(alive)
                await self._catch_up(redis)
                staying.cancel()
            self._peers.read(redis, {name.decode() for name in names} - {self.node})
            self._heard_itself = self._loop.time()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._receive(pubsub))
                await self._peers.settle()
                group.create_task(self._beat())
                if self._begin():
                    await asyncio.sleep(_GRACE)
                self._hub.act(self._hub.hold_line)
                await self._send()
        finally:
            await self._peers.stop_reading()
            await pubsub.aclose()
            await redis.aclose()

    async def _catch_up(self, redis: Client) -> None:
        """Read what was missed; what is published from now on is heard after that."""
        history = self._history
        missed = None
        if history is not None:
            missed = await history.read_missed(redis, self._hub)
        # Read later than the messages, and known before they reach anybody: who was
        # taken out of a group meanwhile must not get what came after that.
        await self.memberships.catch_up(
            redis, lambda: self._tables.of_node(self.node).values(), self._hub
        )
        if history is not None and missed is not None:
            history.catch_up(missed, self._hub, self._outbox.unsure)

    async def _confirm(self, pubsub: Client) -> None:
        reply = await pubsub.get_message(timeout=self._timeout)
        if reply is None or reply["type"] != "subscribe":
            raise ConnectionError("it does not answer")

    def _begin(self) -> bool:
        """Take part; return whether that was so before, and ended."""
        self.is_connected = True
        self._is_joined.set()
        was_lost, self._was_lost = self._was_lost, False
        if was_lost:
            _log.warning("%s is back", self._target)
        return was_lost

    async def _leave(self) -> None:
        redis = self._redis = open_redis(self._target)
        try:
            async with asyncio.timeout(self._start_timeout):
                while await self._send_batch():
                    pass
                await self._own.remove(redis, self._tell)
        except (OSError, import_redis().RedisError) as error:
            _log.warning("the other nodes were not told all: %s", explain(error))
        finally:
            await redis.aclose()

    async def _beat(self) -> None:
        self._firsts.clear()
        while True:
            due = self._loop.time() + self._heartbeat
            await asyncio.sleep(self._heartbeat)
            # Who was held up itself has not heard yet what came meanwhile.
            is_late = self._loop.time() - due > self._heartbeat
            dead = [] if is_late else self._peers.drop_silent()
            async with patience():
                await self._own.renew(self._redis, self._tell)
                if dead:
                    await self._redis.srem(self._keys.nodes, *dead)
            if not is_late and self._loop.time() - self._heard_itself > self._timeout:
                raise ConnectionError("what is published does not come back")
            if self._is_stuck() and not is_late:
                raise ConnectionError("a message does not come back")

    def _is_stuck(self) -> bool:
        """Return whether one message is waited for longer than it can take."""
        places = self._hub.line.places
        self._firsts = [*self._firsts[-MISSED:], places[0] if places else None]
        return (
            bool(places)
            and len(self._firsts) > MISSED
            and all(each is places[0] for each in self._firsts)
        )

    # Sending.

    def _wake(self) -> None:
        """Let the sender look what there is to do; called from any thread."""
        if not self._is_woken:
            self._is_woken = True
            try:
                self._loop.call_soon_threadsafe(self._work.set)
            except RuntimeError:  # the loop has ended
                pass

    async def _send(self) -> None:
        while True:
            self._work.clear()
            self._is_woken = False
            # In turns, so that a flood of messages does not hide who comes and goes.
            while await self._send_batch() or self._own.has_changes:
                if self._own.has_changes:
                    async with patience():
                        await self._own.write_changes(self._redis, self._tell)
            await self._work.wait()

    async def _send_batch(self) -> bool:
        """Send a part of what waits; return whether there was something."""
        sending = self._outbox.take()
        if sending is None:
            return False
        async with patience():
            await self._publish(*sending)
        self._outbox.confirm()
        return True

    async def _publish(self, batch: bytes, items: Sequence[Item]) -> None:
        """Publish a batch, which holds these items; maybe once more, after a failure."""
        history, redis, channel = self._history, self._redis, self._keys.messages
        if is_lasting(items[0]):
            lasting = [item for item in items if is_lasting(item)]
            await self.memberships.publish(redis, channel, batch, lasting)
        elif history is None or not await history.publish(
            redis, batch, items, self._hub
        ):
            await redis.publish(channel, batch)

    def _tell(self, pipe: Any, entry: Entry) -> None:
        pipe.publish(self._keys.messages, self._outbox.batch_of(entry))

    # Receiving.

    async def _receive(self, pubsub: Client) -> None:
        while True:
            message = await pubsub.get_message(timeout=self._timeout)
            if message is None:
                # Who was held up has not looked yet whether something came.
                message = await pubsub.get_message(timeout=self._heartbeat)
            if message is None:
                raise ConnectionError("nothing comes any more")
            if message["type"] == "message":
                self._take_in(message["data"])
                while self._hub.inbox_size > _MAX_INBOX:
                    await self._pause()

    async def _pause(self) -> None:
        """Let the hub do something of what waits there before more comes."""
        start = self._loop.time()
        await asyncio.sleep(0.005)
        # Signs of life were not heard meanwhile either, our own included.
        seconds = self._loop.time() - start
        self._heard_itself += seconds
        self._firsts.clear()
        self._peers.excuse(seconds)

    def _take_in(self, data: bytes) -> None:
        try:
            batch = split_batch(data)
        except EnvelopeError as error:
            _log.warning("something else was published on our channel: %s", error)
            return
        if batch.node == self.node:
            self._heard_itself = self._loop.time()
            if self._history is not None:
                self._history.take_back(batch, self._hub)
            for command in lasting_in(batch):
                if self.memberships.confirm(command):
                    self._hub.accept(command)
            return
        # What nodes tell of themselves has no number.
        skipped = self._next.get(batch.node, 0) - batch.first if batch.first else 0
        if skipped > 0 and lasting_in(batch):
            skipped = 0  # whoever sends it twice has written it twice
        for line in batch.lines[max(skipped, 0) :]:
            self._take_entry(batch.node, line)
        if batch.first:
            self._note(batch.node, batch.first + len(batch.lines))

    def _note(self, node: str, following: int) -> None:
        self._next[node] = max(self._next.get(node, 0), following)
        if len(self._next) > _MAX_KNOWN:
            self._next = {
                node: number
                for node, number in self._next.items()
                if node in self._peers
            }

    def _take_entry(self, node: str, line: bytes) -> None:
        try:
            entry = decode_entry(line)
            if isinstance(entry, list):
                if entry[0] in ("p", "a", "b"):
                    self._peers.hear(self._redis, node, entry)
            else:
                self.received += 1
                self._hub.accept(entry)
        except (
            EnvelopeError,
            SocketError,
            LookupError,
            TypeError,
            ValueError,
        ) as error:
            _log.warning("an entry of node %s was not understood: %s", node, error)
