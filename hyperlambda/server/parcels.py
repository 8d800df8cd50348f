"""
What one turn of the owner sends: which connections get which frames, in few parcels.

A message is noted once for all its receivers, not at each of them. Only when the turn is
over, connections with the same frames are found and share one parcel: its frames are
joined once, and sending it is as bare a loop as there can be. Mostly all messages of a
turn have the same receivers, and then nothing is looked at but their protocol.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from .connection import Connection, Encode, outlets

__all__ = ["Parcel", "Receivers", "Roster", "Turn"]


class Roster(list[Connection]):
    """
    Connections of one protocol, in the order in which they came.

    It never changes once it was sent to, and is mostly sent to again and again. To walk
    over the connections then would cost more than all else that Python does for them, as
    they lie far apart in memory.

    Attributes:
        noted: When their `last_sent` was set, in seconds of the clock of who sends.
    """

    __slots__ = ("_outlets", "_state", "noted")

    def __init__(self, connections: Iterable[Connection] = ()) -> None:
        super().__init__(connections)
        self.noted = 0.0
        self._outlets: array[int] = array("i")
        self._state: object = None

    def outlets(self) -> array[int]:
        """Return the outlet of each, as they are now."""
        state = outlets.state
        if self._state is not state:
            self._outlets = array("i", [each.outlet for each in self])
            self._state = state
        return self._outlets


@dataclass(frozen=True, slots=True)
class Parcel:
    """
    Frames that leave together.

    Attributes:
        connections: Who gets them.
        frames: Oldest first.
    """

    connections: Roster
    frames: list[bytes]

    def data(self) -> bytes:
        """Return the bytes to send to each of the connections."""
        frames = self.frames
        return frames[0] if len(frames) == 1 else self.connections[0].join(frames)


class Receivers:
    """
    Connections that get the same messages; never changed.

    Attributes:
        by_encode: Those of each protocol.
        count: How many all of them are.
    """

    __slots__ = ("by_encode", "count")

    def __init__(self, connections: Iterable[Connection]) -> None:
        by_encode: defaultdict[Encode, Roster] = defaultdict(Roster)
        for connection in connections:
            by_encode[connection.encode].append(connection)
        self.by_encode: Mapping[Encode, Roster] = by_encode
        self.count = sum(map(len, by_encode.values()))


class Turn:
    """Collects what one turn sends."""

    def __init__(self) -> None:
        self._steps: list[tuple[Receivers, Mapping[Encode, bytes]]] = []
        self._alone: dict[Connection, Receivers] = {}

    def add(self, receivers: Receivers, frames: Mapping[Encode, bytes]) -> None:
        """Note a frame for each protocol of its receivers, after those noted before."""
        self._steps.append((receivers, frames))

    def add_to(self, connection: Connection, frame: bytes) -> None:
        """Note a frame for one connection."""
        receivers = self._alone.get(connection)
        if receivers is None:
            receivers = self._alone[connection] = Receivers((connection,))
        self._steps.append((receivers, {connection.encode: frame}))

    def parcels(self) -> list[Parcel]:
        """Return what was noted; no connection is in two parcels."""
        steps = self._steps
        if not steps:
            return []
        first = steps[0][0]
        if all(receivers is first for receivers, _ in steps):
            return [
                Parcel(connections, [frames[encode] for _, frames in steps])
                for encode, connections in first.by_encode.items()
            ]
        return self._parcels_of_several()

    def _parcels_of_several(self) -> list[Parcel]:
        """
        Do it for messages with different receivers.

        This costs the receivers of each kind of message once, however many messages of
        this kind there are.
        """
        steps = self._steps
        steps_of: defaultdict[Receivers, list[int]] = defaultdict(list)
        for number, (receivers, _) in enumerate(steps):
            steps_of[receivers].append(number)
        # Of each connection, to which receivers it belongs.
        shares: defaultdict[Connection, list[int]] = defaultdict(list)
        for number, receivers in enumerate(steps_of):
            for connections in receivers.by_encode.values():
                for connection in connections:
                    shares[connection].append(number)
        alike: defaultdict[tuple[Encode, tuple[int, ...]], Roster]
        alike = defaultdict(Roster)
        for connection, numbers in shares.items():
            alike[connection.encode, tuple(numbers)].append(connection)
        numbers_of = list(steps_of.values())
        return [
            Parcel(
                connections,
                [
                    steps[number][1][encode]
                    for number in sorted(chain(*(numbers_of[each] for each in share)))
                ],
            )
            for (encode, share), connections in alike.items()
        ]
