"""
What a client of the socket server has subscribed to, and how far it has seen.

No I/O happens here: frames of the plain protocol come in, requests go out. A client that
has lost its connection asks with these for what it has missed.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any, TypeAlias

__all__ = ["Progress"]

_Frame: TypeAlias = dict[str, Any]

_MAX_NAMES_BYTES = 48_000
"""Of one request: servers take no frame of any size."""

_MAX_FORMER = 100


class Progress:
    """
    Knows the subscriptions of one client over all its connections.

    Attributes:
        names: Names and patterns.
        position: Behind which nothing has been seen of names with history; None if no
            such name was ever subscribed to.
    """

    def __init__(self) -> None:
        self.names: dict[str, None] = {}
        self.position: str | None = None
        self._former: list[str] = []
        self._is_frozen = False

    def lose(self, connection: str) -> None:
        """Note that a connection has ended."""
        self._former = [*self._former, connection][-_MAX_FORMER:]

    def take(self, frame: _Frame) -> None:
        """Note what a frame of the server says."""
        kind = frame["type"]
        if kind == "subscribed":
            self.names.update(dict.fromkeys(frame["names"]))
        elif kind == "unsubscribed":
            for name in frame["names"]:
                self.names.pop(name, None)
        # 'replayed' has a position too, but says nothing of the other names.
        if kind != "replayed" and "position" in frame and not self._is_frozen:
            self._advance(frame["position"])

    def catch_up(self) -> Generator[_Frame, _Frame, bool]:
        """
        Yield the requests that a new connection begins with; each wants its answer.

        Frames with messages that arrive in between go to `take`, and the answers too.

        Returns:
            Whether nothing that was published meanwhile is missing.
        """
        since = self.position
        portions = _portions(list(self.names))
        # The messages of one portion say nothing of the others: rather some come twice,
        # should this connection be lost as well, than none.
        self._is_frozen = len(portions) > 1
        is_whole, position = True, since
        for names in portions:
            at, kind = since, "replayed"
            while kind == "replayed":
                answer = yield self._request(names, at)
                kind = answer["type"]
                is_whole = is_whole and answer.get("recovered") is True
                at = position = answer.get("position")
        self._is_frozen = False
        self.position = position
        return is_whole

    def _request(self, names: list[str], since: str | None) -> _Frame:
        request: _Frame = {"type": "subscribe", "names": names}
        if since is not None:
            request["since"] = since
            request["former"] = self._former
        return request

    def _advance(self, position: str) -> None:
        """Go on to a position, unless more than that was seen already."""
        if self.position is not None:
            epoch, _, offset = self.position.rpartition("-")
            other, _, new = position.rpartition("-")
            if epoch == other and int(new) < int(offset):
                return
        self.position = position


def _portions(names: list[str]) -> list[list[str]]:
    portions: list[list[str]] = []
    room = 0
    for name in names:
        size = len(json.dumps(name)) + 1
        if size > room or not portions:
            portions.append([])
            room = _MAX_NAMES_BYTES
        portions[-1].append(name)
        room -= size
    return portions
