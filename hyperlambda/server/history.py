"""
The last messages of some names, for clients that come back.

No I/O happens here. Each message that is kept gets an *offset*: they rise by one, over all
names together. So one *position* says all that a client has seen, of whatever names:
``EPOCH-OFFSET``, where the epoch tells histories apart. Offsets of one epoch mean the
same message for everybody; another epoch means that they say nothing.

Of each name the last messages are kept, as its `Rule` says, and of all names together no
more than some bytes: then the oldest go first. What goes leaves its offset behind, so
that a client which missed it can be told: of a name the highest offset that went (its
`floor`), of all names that were forgotten altogether the highest of theirs.

Messages to connection ids are not kept: an id ends with its connection, so that nobody
who comes back could have them.
"""

from __future__ import annotations

import heapq
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from sys import getsizeof

from ..sockets import AudienceKind, Message
from .retention import Rule, covers, find_rule, may_meet

__all__ = ["History", "Page", "new_epoch", "split_position", "write_position"]

_OVERHEAD = 600
"""Bytes of the objects that hold a message, about."""


@dataclass(frozen=True, slots=True)
class Page:
    """
    What somebody has missed, or a part of it.

    Attributes:
        messages: In order.
        end: The offset up to which the page goes; the next one begins behind it.
        is_whole: Whether nothing between was gone already.
        has_more: Whether there is a next page.
        looks: How many messages and names were looked at.
    """

    messages: list[Message]
    end: int
    is_whole: bool
    has_more: bool
    looks: int


class _Entry:
    __slots__ = ("is_gone", "message", "offset", "size", "stream", "time")

    def __init__(
        self, message: Message, offset: int, stream: _Stream, time: float, size: int
    ) -> None:
        self.message = message
        self.offset = offset
        self.stream = stream
        self.time = time
        self.size = size
        self.is_gone = False


class _Stream:
    """What is kept of one name."""

    __slots__ = ("entries", "floor", "last")

    def __init__(self, floor: int) -> None:
        self.entries: deque[_Entry] = deque()
        self.floor = floor  # no message above it is missing
        self.last = floor


class _Line:
    """All entries of one rule, the oldest first; some are gone already."""

    __slots__ = ("entries", "gone")

    def __init__(self) -> None:
        self.entries: deque[_Entry] = deque()
        self.gone = 0


class History:
    """
    Keeps messages, and finds those that somebody has missed.

    Belongs to one thread. All bounds are hard: what is beyond them is forgotten.

    Args:
        rules: For which names; the first that covers one counts.
        max_bytes: Memory of all messages together, about.
        max_names: Of how many names it is remembered what went; those forgotten are the
            ones without a message for the longest time.
        clock: Returns seconds.

    Attributes:
        epoch: Tells this history from others.
        top: The offset of the newest message; 0 before the first.
        size: Bytes of all messages together, about.
        is_shared: Whether messages get their positions elsewhere, and `take` follows.
        breaks: How often it was not known of which names something is missing.
    """

    def __init__(
        self,
        rules: Collection[Rule],
        *,
        max_bytes: int = 64 * 1024 * 1024,
        max_names: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rules = tuple(rules)
        self.epoch = new_epoch()
        self.top = 0
        self.size = 0
        self.is_shared = False
        self.breaks = 0
        self.max_bytes = max_bytes
        self.max_names = max_names
        self._clock = clock
        self._forgotten = 0
        # The names with the newest messages stand last.
        self._streams: OrderedDict[str, _Stream] = OrderedDict()
        self._lines = {rule: _Line() for rule in self.rules}

    @property
    def count(self) -> int:
        """How many messages are kept."""
        return sum(len(line.entries) - line.gone for line in self._lines.values())

    @property
    def position(self) -> str:
        """The position of whoever has seen everything."""
        return self.position_at(self.top)

    def position_at(self, offset: int) -> str:
        """Return the position of whoever has seen everything up to an offset."""
        return write_position((self.epoch, offset))

    def may_keep_any(self, patterns: Iterable[str]) -> bool:
        """Return whether messages of one of some names and patterns may be kept."""
        return any(may_meet(self.rules, pattern) for pattern in patterns)

    def rule_for(self, message: Message) -> Rule | None:
        """Return the rule by which a message is to be kept; None if it is not."""
        if message.audience.kind is AudienceKind.CLIENTS:
            return None
        return find_rule(self.rules, message.name)

    def take(self, message: Message, age: float = 0.0) -> Message | None:
        """
        Keep a message that takes effect, if it is to be kept.

        Args:
            message: With its position, where that is given elsewhere.
            age: Seconds since it was published.

        Returns:
            It, with its position; None if it has taken effect already.
        """
        position = message.position
        if position is None:
            if not self.is_shared:
                return self.add(message)
            if self.rule_for(message) is not None:
                self._doubt(message.name)
            return message
        epoch, offset = position
        if epoch != self.epoch:
            self.restart(epoch, offset - 1, offset - 1)
        elif offset <= self.top:
            return None
        elif offset > self.top + 1:
            self.miss(offset - 1)
        self.record(message, offset, age)
        return message

    def add(self, message: Message) -> Message:
        """Keep a message if there is a rule for it; return it with its position."""
        rule = self.rule_for(message)
        if rule is None:
            return message
        offset = self.top + 1
        # Not `replace`, which costs as much as all else here.
        kept = Message(
            message.name,
            message.argument,
            message.audience,
            message.excluded,
            (self.epoch, offset),
        )
        self._keep(kept, offset, 0.0, rule)
        return kept

    def record(self, message: Message, offset: int, age: float = 0.0) -> None:
        """
        Keep a message that has its place; the one before must have been recorded.

        Args:
            message: With its position.
            offset: The one of its position, above `top`.
            age: Seconds since it was published.
        """
        self._keep(message, offset, age, find_rule(self.rules, message.name))

    def _keep(
        self, message: Message, offset: int, age: float, rule: Rule | None
    ) -> None:
        now = self._clock()
        self.top = offset
        name = message.name
        stream = self._streams.get(name)
        if stream is None:
            # It was forgotten, or never there: that is not told apart.
            stream = self._streams[name] = _Stream(self._forgotten)
        else:
            self._streams.move_to_end(name)
        stream.last = offset
        if rule is None or age > rule.age:
            stream.floor = offset
        else:
            entry = _Entry(message, offset, stream, now - age, _size(message))
            stream.entries.append(entry)
            self._lines[rule].entries.append(entry)
            self.size += entry.size
            if len(stream.entries) > rule.count:
                self._drop(stream.entries[0], self._lines[rule])
        self._expire(now)
        self._shrink()

    def lose(self, name: str, offset: int) -> None:
        """Note that a message of a name has an offset and is not here."""
        self.top = max(self.top, offset)
        stream = self._streams.setdefault(name, _Stream(offset))
        self._streams.move_to_end(name)
        for entry in list(stream.entries):
            self._drop(entry, self._line_of(name))
        stream.floor = stream.last = max(stream.last, offset)
        self._shrink()

    def _doubt(self, name: str) -> None:
        """Note that a message was published behind the newest one and is not kept."""
        stream = self._streams.setdefault(name, _Stream(self._forgotten))
        self._streams.move_to_end(name)
        stream.floor = stream.last = self.top + 1

    def miss(self, offset: int) -> None:
        """Note that something up to an offset is not here, and of which name nobody says."""
        self.breaks += 1
        self.top = self._forgotten = offset
        for stream in self._streams.values():
            stream.floor = stream.last = offset

    def restart(self, epoch: str, top: int = 0, forgotten: int = 0) -> None:
        """Forget everything, and go on as another history."""
        self.breaks += 1
        self.epoch, self.top, self._forgotten, self.size = epoch, top, forgotten, 0
        self._streams.clear()
        self._lines = {rule: _Line() for rule in self.rules}

    def since(
        self,
        offset: int,
        patterns: Iterable[str],
        is_wanted: Callable[[Message], bool],
        *,
        max_messages: int = 1_000,
        max_bytes: int = 1 << 20,
        max_looks: int = 10_000,
    ) -> Page:
        """
        Return what was published after an offset, of names and of names of patterns.

        Args:
            offset: What has been seen.
            patterns: What was subscribed to.
            is_wanted: Whether a message is for whom we ask.
            max_messages: How many go on a page.
            max_bytes: The same in bytes of payloads; one message always goes.
            max_looks: How many messages are looked at for a page.
        """
        self._expire(self._clock())
        streams, is_whole = self._find(offset, patterns)
        looks = len(streams)
        most = looks + max_looks
        found: list[Message] = []
        newer = heapq.merge(*(_after(each, offset) for each in streams), key=_offset)
        size = 0
        for entry in newer:
            if looks >= most or len(found) >= max_messages or size >= max_bytes:
                return Page(found, offset, is_whole, True, looks)
            looks += 1
            message = entry.message
            if is_wanted(message):
                found.append(message)
                size += len(message.argument or "")
            offset = entry.offset
        return Page(found, max(offset, self.top), is_whole, False, looks)

    def _find(self, offset: int, patterns: Iterable[str]) -> tuple[list[_Stream], bool]:
        """Return the streams with something newer, and whether they have it all."""
        exact = {pattern for pattern in patterns if not pattern.endswith("*")}
        open_ended = [pattern for pattern in patterns if pattern.endswith("*")]
        found: list[_Stream] = []
        if open_ended:
            for name in reversed(self._streams):
                stream = self._streams[name]
                if stream.last <= offset:
                    break
                if name in exact or any(covers(each, name) for each in open_ended):
                    found.append(stream)
        else:
            known = (self._streams.get(name) for name in exact)
            found = [each for each in known if each and each.last > offset]
        is_whole = all(stream.floor <= offset for stream in found)
        if self._forgotten > offset and is_whole:
            kept = [name for name in exact if find_rule(self.rules, name)]
            is_whole = not open_ended and all(name in self._streams for name in kept)
        return found, is_whole

    def _expire(self, now: float) -> None:
        for rule, line in self._lines.items():
            end = now - rule.age
            while (oldest := _first(line)) is not None and oldest.time < end:
                self._drop(oldest, line)

    def _shrink(self) -> None:
        while self.size > self.max_bytes:
            oldest: tuple[int, _Entry, _Line] | None = None
            for line in self._lines.values():
                entry = _first(line)
                if entry and (oldest is None or entry.offset < oldest[0]):
                    oldest = entry.offset, entry, line
            if oldest is None:
                break
            self._drop(oldest[1], oldest[2])
        while len(self._streams) > self.max_names:
            name, stream = self._streams.popitem(last=False)
            line = self._line_of(name)
            for entry in list(stream.entries):
                self._drop(entry, line)
            self._forgotten = max(self._forgotten, stream.last)

    def _line_of(self, name: str) -> _Line:
        rule = find_rule(self.rules, name)
        return _Line() if rule is None else self._lines[rule]

    def _drop(self, entry: _Entry, line: _Line) -> None:
        """Forget the oldest entry of a stream."""
        stream = entry.stream
        stream.entries.popleft()
        stream.floor = max(stream.floor, entry.offset)
        entry.is_gone = True
        self.size -= entry.size
        line.gone += 1
        # Those in the middle stay until they are more than the others.
        if line.gone > 1_000 and line.gone > len(line.entries) // 2:
            line.entries = deque(each for each in line.entries if not each.is_gone)
            line.gone = 0


def new_epoch() -> str:
    """Return what no history was called before."""
    return secrets.token_hex(6)


def write_position(position: tuple[str, int]) -> str:
    """Return an epoch and an offset as clients see them."""
    return f"{position[0]}-{position[1]}"


def split_position(text: str) -> tuple[str, int]:
    """Return epoch and offset of a position; of what is none, an epoch that is none."""
    epoch, _, offset = text.rpartition("-")
    if not (offset.isascii() and offset.isdigit() and len(offset) < 19):
        return "", 0
    return epoch, int(offset)


def _first(line: _Line) -> _Entry | None:
    entries = line.entries
    while entries and entries[0].is_gone:
        entries.popleft()
        line.gone -= 1
    return entries[0] if entries else None


def _after(stream: _Stream, offset: int) -> Iterator[_Entry]:
    """Yield the entries of a stream behind an offset, without a walk over the rest."""
    entries = stream.entries
    low, high = 0, len(entries)
    while low < high:
        middle = (low + high) // 2
        if entries[middle].offset > offset:
            high = middle
        else:
            low = middle + 1
    return islice(entries, low, None)


def _offset(entry: _Entry) -> int:
    return entry.offset


def _size(message: Message) -> int:
    size = _OVERHEAD + getsizeof(message.name) + getsizeof(message.argument)
    for names in (message.audience.names, message.excluded):
        size += sum(getsizeof(name) for name in names)
    return size
