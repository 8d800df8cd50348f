"""What a node has to tell the others, until it is told."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from ..sockets import Message
from .backplane import Item, is_lasting
from .envelope import Entry, encode_entry, encode_item, join_batch

__all__ = ["Outbox", "Sending"]

_BATCH_LINES = 1_000
_BATCH_BYTES = 256 * 1024

_LASTING_SHARE = 20
"""So many times as many may wait of what lasts: a program may put a whole firm into groups,
and what is lost here is undone at this node too when it reads what Redis has."""

_log = logging.getLogger("hyperlambda.server")


class Sending(NamedTuple):
    """
    Items that leave together.

    Attributes:
        batch: They, encoded.
        items: They, in order.
    """

    batch: bytes
    items: Sequence[Item]


class Outbox:
    """
    Keeps items in order, up to a bound, and numbers what leaves.

    Everything here belongs to the thread of the event loop.

    Args:
        node: The id of this node.
        max_items: How many messages may wait; of commands twice as many, of changes that
            last 20 times.
        max_bytes: How much may wait when a message comes; for all else, twice that.

    Attributes:
        sent: How many items were sent.
        lost: How many found no room.
    """

    def __init__(self, node: str, *, max_items: int, max_bytes: int) -> None:
        self.sent = self.lost = 0
        self._node = node
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._waiting: deque[tuple[Item, bytes]] = deque()
        self._bytes = 0
        # What was sent without an answer is sent again, with the same numbers.
        self._unsure: Sending | None = None
        self._number = 1

    def __len__(self) -> int:
        """Return how many items wait."""
        return len(self._waiting) + (len(self._unsure.items) if self._unsure else 0)

    @property
    def unsure(self) -> int | None:
        """The number of the first item of what was taken and not confirmed, if any."""
        return None if self._unsure is None else self._number - len(self._unsure.items)

    def put(self, item: Item) -> bool:
        """Add an item; return whether there was room."""
        if self._is_full_for(item):
            self._lose()
            return False
        line = encode_item(item)
        self._waiting.append((item, line))
        self._bytes += len(line)
        return True

    def take(self) -> Sending | None:
        """Return what is to be sent next; the same again until `confirm` is called."""
        if self._unsure is None and self._waiting:
            self._unsure = self._gather()
        return self._unsure

    def confirm(self) -> None:
        """Note that what was taken last has been sent."""
        if self._unsure is not None:
            self.sent += len(self._unsure.items)
            self._unsure = None

    def batch_of(self, entry: Entry) -> bytes:
        """
        Return the batch of an entry of the backplane itself.

        It has no number: it takes another way, and may overtake what was sent before.
        """
        return join_batch(self._node, 0, [encode_entry(entry)])

    def _is_full_for(self, item: Item) -> bool:
        # Who must go, or must hear no more, counts more than one more message.
        share = 1 if item.__class__ is Message else 2
        count = _LASTING_SHARE if share == 2 and is_lasting(item) else share
        return (
            len(self._waiting) >= count * self._max_items
            or self._bytes >= share * self._max_bytes
        )

    def _gather(self) -> Sending:
        items: list[Item] = []
        lines: list[bytes] = []
        size = 0
        # What lasts is published in another way than all else.
        lasts = is_lasting(self._waiting[0][0])
        while self._waiting and len(lines) < _BATCH_LINES and size < _BATCH_BYTES:
            item, line = self._waiting[0]
            if is_lasting(item) is not lasts:
                break
            self._waiting.popleft()
            items.append(item)
            lines.append(line)
            size += len(line)
        self._bytes -= size
        first = self._number
        self._number += len(lines)
        return Sending(join_batch(self._node, first, lines), items)

    def _lose(self) -> None:
        self.lost += 1
        # At most a line for each thousand: a flood of messages must be no flood of lines.
        if self.lost % 1_000 == 1:
            _log.warning(
                "other nodes do not get what is published here: too much waits"
            )
