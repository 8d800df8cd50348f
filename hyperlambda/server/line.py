"""
What waits, where it was published, behind messages that are on their way.

A message of a name with history takes effect at its own node too only when it comes back
from Redis (redis_history.py). For each of these a *ticket* stands in line, and what the
node causes behind it stands behind the ticket: other messages, changes of groups,
disconnects, answers and requests. So all of it takes effect in the order in which it was
caused. What comes from other nodes is in an order of its own, and goes past.

Everything here belongs to the thread that owns the hub.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

__all__ = ["MOST_WAITING", "Line", "Ticket"]

MOST_WAITING = 10_000
"""So much may stand behind tickets; one more lets all of it go on, past these."""

_Entry = TypeVar("_Entry")


class Ticket:
    """The place of a message that is on its way."""

    __slots__ = ("is_over",)

    def __init__(self) -> None:
        self.is_over = False


class Line(Generic[_Entry]):
    """
    Keeps entries until all messages before them have taken effect.

    Attributes:
        is_held: Whether anything is to wait: not while Redis is away.
        places: The tickets, and the entries behind them; the first is a ticket.
        waiting: How many are entries.
    """

    def __init__(self) -> None:
        self.is_held = False
        self.places: deque[Ticket | _Entry] = deque()
        self.waiting = 0

    def begin(self) -> Ticket:
        """Return a ticket for a message that leaves now."""
        ticket = Ticket()
        self.places.append(ticket)
        return ticket

    def add(self, entry: _Entry) -> list[_Entry]:
        """Let an entry stand behind all others; return what goes on: mostly nothing."""
        self.places.append(entry)
        self.waiting += 1
        return self.let_go() if self.waiting > MOST_WAITING else []

    def end(self, ticket: Ticket) -> list[_Entry]:
        """Note that a message has taken effect; return what may go on, in order."""
        ticket.is_over = True
        found: list[_Entry] = []
        places = self.places
        while places:
            first = places[0]
            if not isinstance(first, Ticket):
                found.append(first)
            elif not first.is_over:
                break
            places.popleft()
        self.waiting -= len(found)
        return found

    def let_go(self) -> list[_Entry]:
        """Return all entries, in order; the tickets stay."""
        found = [each for each in self.places if not isinstance(each, Ticket)]
        tickets = [each for each in self.places if isinstance(each, Ticket)]
        self.places.clear()
        self.places.extend(tickets)
        self.waiting = 0
        return found
