"""Who sends the same message in turns, to whom, and how long it takes them."""

from __future__ import annotations

import gc
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import perf_counter, process_time

from hyperlambda.server import SocketServer
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
    "Taken",
    "check",
    "open_plain",
    "plain_size",
    "signalr_size",
    "take_turns_to_send",
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


async def open_plain(to: Crowd, server: SocketServer, count: int) -> None:
    """Open subscribers of the plain protocol."""
    await to.open(server.port, "/ws", count, SUBSCRIBE, SUBSCRIBED)


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
class Taken:
    """Seconds on the clock, and seconds of processor time of who sends."""

    elapsed: Times
    processor: Times


async def take_turns_to_send(
    contestants: Mapping[str, Contestant],
    receivers: int,
    times: int,
    batch: int,
    rounds: int,
) -> Taken:
    """
    Time `times` batches of each contestant, round after round.

    One message before them is not timed, so that nobody starts with cold connections.
    """
    taken = Taken(
        {name: [] for name in contestants}, {name: [] for name in contestants}
    )
    # What is there already need not be looked at again each time.
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for name, each in contestants.items():
            gc.collect()
            each.crowd.expect(receivers * each.size(1))
            await each.publish(1)
            await each.crowd.arrived()
            each.crowd.expect(receivers * each.size(batch), times)
            processor_start = await each.processor_time()
            start = perf_counter()
            for _ in range(times):
                await each.publish(batch)
                await each.crowd.arrived()
            taken.elapsed[name].append(perf_counter() - start)
            spent = await each.processor_time() - processor_start
            taken.processor[name].append(spent)
    gc.unfreeze()
    return taken
