"""Who sends the same message, to whom, and how long it takes two of them in turns."""

from __future__ import annotations

import gc
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import perf_counter, process_time

from hyperlambda.server.frames import join_text_frames, text_frame
from hyperlambda.server.protocols.signalr import encode_message
from hyperlambda.sockets import Message

from .crowd import Crowd, Peer
from .measuring import Times

__all__ = [
    "FRAME",
    "HANDSHAKE",
    "HANDSHAKEN",
    "MESSAGE",
    "NAME",
    "SUBSCRIBE",
    "SUBSCRIBED",
    "TEXT",
    "Contestant",
    "Sent",
    "check",
    "open_plain",
    "plain_size",
    "send_in_pairs",
    "signalr_size",
]

NAME = "foo.bar"
_ARGUMENT = '{"message":"Hello from backend"}'
MESSAGE = Message(NAME, _ARGUMENT)
TEXT = f'{{"type":"message","name":"{NAME}","args":{_ARGUMENT}}}'
FRAME = text_frame(TEXT.encode())
"""What each subscriber gets."""

_SIGNALR_FRAME = encode_message(MESSAGE)
SUBSCRIBE = json.dumps({"type": "subscribe", "names": [NAME]})
SUBSCRIBED = json.dumps([NAME]) + "}"
"""How the answer to that ends."""

HANDSHAKE = '{"protocol":"json","version":1}\x1e'
HANDSHAKEN = "{}\x1e"
"""The answer to that."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """
    Somebody who sends.

    Attributes:
        publish: Publishes so many messages back to back.
        crowd: Who receives them.
        size: Returns the bytes that one receiver gets of so many.
        peer: The process that sends, if that is not this one.
    """

    publish: Callable[[int], Awaitable[None]]
    crowd: Crowd
    size: Callable[[int], int]
    peer: Peer | None = None

    async def processor_time(self) -> float:
        """Return the seconds of processor time that who sends has had."""
        return process_time() if self.peer is None else await self.peer.processor_time()


async def open_plain(to: Crowd, port: int, count: int) -> None:
    """Open subscribers of the plain protocol."""
    await to.open(port, "/ws", count, SUBSCRIBE, SUBSCRIBED)


def plain_size(count: int) -> int:
    return len(FRAME) * count


def signalr_size(count: int) -> int:
    # What is due in one turn of the loop shares a frame.
    if count == 1:
        return len(_SIGNALR_FRAME)
    return len(join_text_frames([_SIGNALR_FRAME] * count))


async def check(contestants: Mapping[str, Contestant]) -> None:
    """Let everybody send one message, which must arrive as the very same bytes."""
    for name, each in contestants.items():
        wanted = _SIGNALR_FRAME if name == "signalr" else FRAME
        await each.publish(1)
        arrived = await each.crowd.check(len(wanted))
        if arrived != [wanted.hex()]:
            raise SystemExit(f"'{name}' has sent something else: {arrived}")


@dataclass(frozen=True, slots=True)
class Sent:
    """
    What two contestants took, of each round the sum of both turns.

    Attributes:
        elapsed: Seconds on the clock, of "own" and "other".
        processor: Seconds of processor time of who sends.
        amount: Deliveries that each of both made in a round.
    """

    elapsed: Times
    processor: Times
    amount: int


async def send_in_pairs(
    own: Contestant,
    other: Contestant,
    receivers: int,
    times: int,
    batch: int,
    rounds: int,
) -> Sent:
    """
    Time `times` batches of two contestants: own, other, other, own; round after round.

    In such a round both come early and late, and both follow themselves and the other
    equally often: what the caches still hold, and what slows the machine down or frees
    it meanwhile, concerns both alike. With more than two there is no such order.
    """
    names = ("own", "other")
    sent = Sent(
        {name: [] for name in names},
        {name: [] for name in names},
        receivers * times * batch * 2,
    )
    # What is there already need not be looked at again each time.
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        turns = [
            await _take_turn(each, receivers, times, batch)
            for each in (own, other, other, own)
        ]
        for taken, number in ((sent.elapsed, 0), (sent.processor, 1)):
            first, second, third, fourth = (turn[number] for turn in turns)
            taken["own"].append(first + fourth)
            taken["other"].append(second + third)
    gc.unfreeze()
    return sent


async def _take_turn(
    contestant: Contestant, receivers: int, times: int, batch: int
) -> tuple[float, float]:
    """
    Return the seconds on the clock, and those of processor time.

    One message before is not timed, so that nobody starts with cold connections.
    """
    gc.collect()
    crowd = contestant.crowd
    crowd.expect(receivers * contestant.size(1))
    await contestant.publish(1)
    await crowd.arrived()
    crowd.expect(receivers * contestant.size(batch), times)
    processor_start = await contestant.processor_time()
    start = perf_counter()
    for _ in range(times):
        await contestant.publish(batch)
        await crowd.arrived()
    elapsed = perf_counter() - start
    return elapsed, await contestant.processor_time() - processor_start
