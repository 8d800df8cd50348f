"""
Subscriptions of the plain protocol, and what was missed of them.

Where there is history, these requests are carried out in the hub's turn: behind what was
published before, and never before an earlier request of the same client.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from ..history import History
from ..hub import Connection, SocketHub
from ..recovery import MAX_FORMER, Bounds, resume
from .fields import (
    MAX_NAME_LENGTH,
    Fields,
    RequestError,
    refuse_rest,
    take_list,
    take_names,
    take_text,
)

__all__ = ["MAX_NAMES", "Later", "Subscriber"]

MAX_NAMES = 1_000
"""How many subscriptions one connection may have."""

Later: TypeAlias = Callable[[], tuple[Fields, int]]
"""Does in the hub's turn what was asked for; returns the answer, and what it has cost."""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """
    Takes the requests of one connection that are about its subscriptions.

    Attributes:
        hub: Where the connection is.
        connection: Whose requests.
        count_resume: Called each time that it asks for what it has missed.
        bounds: How much it gets of that at once.
    """

    hub: SocketHub
    connection: Connection
    count_resume: Callable[[], object] = lambda: None
    bounds: Bounds = field(default_factory=Bounds)

    def subscribe(self, fields: Fields) -> Fields | Later:
        """Subscribe to names, perhaps since a position."""
        since = take_position(fields)
        former = take_former(fields)
        names = take_names(fields)
        history = self.hub.history
        if since is not None:
            self.count_resume()
            if history is not None:
                return partial(self._resume, history, names, since, former)
        if history is not None:
            return lambda: (self._subscribe(names, history), 0)
        answer = self._subscribe(names, None)
        return answer if since is None else {**answer, "recovered": False}

    def unsubscribe(self, fields: Fields) -> Fields | Later:
        """End subscriptions."""
        names = take_names(fields)
        if self.hub.history is None:
            return self._unsubscribe(names)
        return lambda: (self._unsubscribe(names), 0)

    def ping(self, fields: Fields) -> Fields | Later:
        """Answer, with the position of whoever hears nothing for long."""
        refuse_rest(fields, ())
        history = self.hub.history
        if history is None:
            return {"type": "pong"}
        return lambda: (self._pong(history), 0)

    def _subscribe(self, names: list[str], history: History | None) -> Fields:
        self._check_number(names)
        for name in names:
            self.hub.subscribe(self.connection, name)
        answer: Fields = {"type": "subscribed", "names": names}
        if history is not None and history.may_keep_any(names):
            answer["position"] = history.position
        return answer

    def _resume(
        self,
        history: History,
        names: list[str],
        since: str,
        former: tuple[str, ...],
    ) -> tuple[Fields, int]:
        self._check_number(names)
        outcome = resume(
            self.hub,
            history,
            self.connection,
            names,
            since,
            former=former,
            encode=self.connection.encode,
            bounds=self.bounds,
        )
        answer: Fields = {
            "type": "replayed" if outcome.has_more else "subscribed",
            "names": names,
            "recovered": outcome.is_recovered,
            "position": outcome.position,
        }
        return answer, outcome.cost

    def _unsubscribe(self, names: list[str]) -> Fields:
        for name in names:
            self.hub.unsubscribe(self.connection, name)
        return {"type": "unsubscribed", "names": names}

    def _pong(self, history: History) -> Fields:
        # An old position would look like a gap once much else was published.
        if history.may_keep_any(self.connection.names):
            return {"type": "pong", "position": history.position}
        return {"type": "pong"}

    def _check_number(self, names: list[str]) -> None:
        if len(self.connection.names.union(names)) > MAX_NAMES:
            raise RequestError(
                "too-many", f"only {MAX_NAMES} subscriptions are allowed"
            )


def take_position(fields: Fields) -> str | None:
    """Return the position since which somebody asks for messages, or None."""
    if "since" not in fields:
        return None
    position = take_text(fields, "since", default="")
    if len(position) > MAX_NAME_LENGTH:
        raise RequestError("invalid", "'since' is no position")
    return position


def take_former(fields: Fields) -> tuple[str, ...]:
    """Return the ids of connections that the client had before."""
    if "former" not in fields:
        return ()
    former = take_list(fields, "former")
    if len(former) > MAX_FORMER:
        raise RequestError("invalid", f"'former' has at most {MAX_FORMER} ids")
    return former
