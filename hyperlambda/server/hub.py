"""
Who is connected, in which roles and groups, and whom a message reaches.

No I/O happens here. Programs call `publish` and its siblings from any thread; these
only append to an inbox and wake the owner of the hub. The owner, on its one thread,
calls `join`, `leave`, `subscribe`, `unsubscribe` and `deliver`, and then sends the
`parcels` that `deliver` has made.

Everything that reaches clients passes through the one inbox: messages, changes of groups
and answers to requests. So each connection sees them in the order in which one
publisher caused them, and a message goes to those who were in a group when it was
published. What is published here and takes effect only later, because the backplane
brings it back, holds up what stands behind it (line.py).

Threads: the inbox is a deque, whose `append` and `popleft` are atomic. The tables
belong to the owner's thread, except those of `Presence`. Who changes a group sees the
change there at once; deliveries see it in its turn.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from ..errors import SocketError
from ..sockets import Audience, Message
from .administration import Administration
from .backplane import (
    Backplane,
    DisconnectCommand,
    GroupCommand,
    Item,
    OneNode,
    check_message,
)
from .connection import NO_OUTLET, Connection, Counters, Encode
from .entries import (
    Accepted,
    Action,
    Entry,
    Farewell,
    GroupChange,
    Own,
    Ready,
    Reply,
    Returned,
    Work,
    ready,
)
from .history import History
from .line import Line, Ticket
from .parcels import Parcel, Turn

__all__ = ["LONG_INBOX", "Connection", "Counters", "Encode", "Farewell", "SocketHub"]

_END_OF_TURN = 1 << 62
"""Bytes that no turn may have."""

_log = logging.getLogger(__name__)

LONG_INBOX = 128
"""How many entries may wait before who publishes more gives way: those of 2 or 3 ms."""


class SocketHub(Administration):
    """
    Satisfies `hyperlambda.sockets.Hub` for the connections of this process.

    Args:
        wake: Called, from whatever thread, when `deliver` has something to do: once for
            many messages. Raises RuntimeError if nobody will call `deliver`.
        max_inbox: How many entries may wait for `deliver`; further messages are refused.
        backplane: Joins this hub to those of other nodes.
        history: Keeps messages for clients that come back; None: nothing is kept.

    Attributes:
        give_way: Called on the thread of a `publish` that leaves `LONG_INBOX` or more
            behind; may wait a moment for the owner to take some.
    """

    def __init__(
        self,
        wake: Callable[[], object] | None = None,
        *,
        max_inbox: int = 100_000,
        backplane: Backplane | None = None,
        history: History | None = None,
    ) -> None:
        super().__init__(OneNode() if backplane is None else backplane, history)
        self.wake = wake
        self.give_way: Callable[[], object] = lambda: None
        self.max_inbox = max_inbox
        self.counters = Counters()
        self.parcels: list[Parcel] = []
        self.leaving: list[Farewell] = []
        self.line: Line[Own] = Line()
        self._inbox: deque[Entry] = deque()
        self._is_woken = False
        self._is_closed = False
        self._turn = Turn()
        self._breaks = 0

    # What programs call, from any thread.

    def publish(self, message: Message) -> None:
        """
        Send a message to everyone in its audience who subscribed to its name.

        ``message.argument`` is spliced into frames as it is: it must be JSON. May wait
        for moments if more are published than taken.

        Raises:
            SocketError: The name is empty, a text is no Unicode, the server has stopped,
                or more messages wait than it can take.
        """
        check_message(message)
        if (waiting := len(self._inbox)) >= self.max_inbox:
            raise SocketError(f"{self.max_inbox} messages wait to be delivered already")
        self._put(message)
        if waiting >= LONG_INBOX:
            self.give_way()

    def send(self, connection: Connection, frame: bytes) -> None:
        """
        Send a frame to one connection, after everything that was published so far.

        Does nothing when the server has stopped: there is nobody to tell.
        """
        if not self._is_closed:
            self._put(Reply(connection, frame))

    def in_turn(self, action: Callable[[], int]) -> None:
        """
        Have the owner do something, after everything that was published so far.

        Does nothing when the server has stopped, like `send`.

        Args:
            action: Returns what it has cost, in bytes of frames that could have been sent.
        """
        if not self._is_closed:
            self._put(Action(action))

    # What the owner calls, on its own thread.

    def accept(self, item: Item) -> None:
        """Let what another node has caused take effect, in its turn; see `Receiver`."""
        if self._is_closed:
            return
        if item.__class__ is Message:
            self._put(Accepted(item))
        elif isinstance(item, GroupCommand):
            self._change_group(item, is_ours=False)
        elif isinstance(item, DisconnectCommand):
            self._part_with(item, is_ours=False)

    def take_back(self, message: Message, ticket: Ticket) -> None:
        """Let a message of this hub take effect that was on its way; see `Receiver`."""
        if not self._is_closed:
            self._put(Returned(message, ticket))

    def act(self, action: Callable[[], int], *, is_next: bool = False) -> None:
        """Have the owner do something for the backplane; see `Receiver`."""
        entry = Ready(Action(action))
        if is_next:
            self._inbox.appendleft(entry)
        elif not self._is_closed:
            self._put(entry)

    @property
    def inbox_size(self) -> int:
        """How much waits for `deliver`."""
        return len(self._inbox)

    def join(self, connection: Connection) -> None:
        """Let a connection be reached from now on."""
        self._add_to_tables(connection, self._enter(connection))
        self.counters.connections += 1

    def leave(self, connection: Connection) -> None:
        """Forget a connection; does nothing if it is forgotten already."""
        # Its descriptor may soon be that of another.
        connection.outlet = NO_OUTLET
        if self._exit(connection):
            self._remove_from_tables(connection)

    def deliver(self, max_items: int = 1_000, max_bytes: int = 1 << 20) -> bool:
        """
        Make `parcels` of what waits in the inbox.

        Stops after so many entries, or so many bytes of frames for one receiver, so that
        the owner can send in between; and after a `Farewell`, which goes to `leaving`:
        the owner ends these connections, after it has sent the parcels, before it calls
        this again.

        Returns:
            Whether more waits.
        """
        # Before the first look: whatever is appended later wakes the owner again.
        self._is_woken = False
        inbox = self._inbox
        in_line = self.line.places
        forward = self.backplane.forward
        size = 0
        for _ in range(min(len(inbox), max_items)):
            item = inbox.popleft()
            if in_line and self._stands_in_line(item):
                continue
            if item.__class__ is Message:
                if forward(item):
                    size += self._deliver_message(item)
            elif item.__class__ is Reply:
                size += self.push(item.connection, item.frame)
            elif item.__class__ is Accepted:
                size += self._deliver_message(item.message)
            elif item.__class__ is Returned:
                size += self._deliver_message(item.message)
                self._move_up(self.line.end(item.ticket))
            elif item.__class__ is Ready:
                size += self._take_effect(item.entry)
            else:
                assert isinstance(item, Work)
                self._forward(item)
                size += self._take_effect(item)
            if size >= max_bytes:
                break
        self.parcels += self._turn.parcels()
        self._turn = Turn()
        return bool(inbox)

    def push(self, connection: Connection, frame: bytes) -> int:
        """
        Add a frame for one connection to the turn that `deliver` is at.

        Returns:
            Its size in bytes; 0 if the connection has left.
        """
        if connection.id not in self._by_id:
            return 0
        self._turn.add_to(connection, frame)
        return len(frame)

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._is_closed

    def close(self) -> None:
        """Refuse what is published from now on; what waits can still be delivered."""
        if self.line.places:
            self.act(self.open_line)
        self._is_closed = True

    def hold_line(self) -> int:
        """Let what comes wait for messages on their way; see `Receiver`."""
        self.line.is_held = True
        return 0

    def open_line(self) -> int:
        """Let it wait no more."""
        self.line.is_held = False
        self._move_up(self.line.let_go())
        return 0

    def pass_over(self, ticket: Ticket) -> int:
        """Wait no more for one message."""
        self._move_up(self.line.end(ticket))
        return 0

    def _stands_in_line(self, entry: Entry) -> bool:
        """Let an entry of our own wait for messages before it; others go past these."""
        line = self.line
        if not line.is_held or isinstance(entry, (Accepted, Returned, Ready)):
            return False
        if not isinstance(entry, Message):
            self._forward(entry)
        elif not self.backplane.forward(entry):
            return True  # it has a ticket of its own
        self._move_up(line.add(entry))
        return True

    def _move_up(self, entries: list[Own]) -> None:
        """Let entries take effect next."""
        self._inbox.extendleft(ready(each) for each in reversed(entries))

    def _forward(self, entry: Work) -> None:
        """Bring a command to the other nodes, if they have to know of it."""
        if isinstance(entry, GroupChange):
            if entry.is_forwarded:
                self.backplane.forward(entry.command)
        elif isinstance(entry, Farewell) and entry.command is not None:
            self.backplane.forward(entry.command)

    def _take_effect(self, entry: Work) -> int:
        if isinstance(entry, GroupChange):
            self._apply_group_change(entry)
        elif isinstance(entry, Farewell):
            self.leaving.append(entry)
            return _END_OF_TURN
        elif isinstance(entry, Reply):
            return self.push(entry.connection, entry.frame)
        else:
            return self._act(entry)
        return 0

    def _act(self, action: Action) -> int:
        try:
            return action.run()
        except Exception:
            # As with messages: the others must not be lost with it.
            _log.exception("a request was not carried out")
            return 0

    def take_late(
        self, name: str, offset: int, message: Message | None, age: float
    ) -> None:
        """Let a kept message take effect now, in this turn; see `Receiver`."""
        history = self.history
        if history is None or offset <= history.top:
            return
        if message is None:
            self._send_back(list(self._find(name, Audience())))
            history.lose(name, offset)
        else:
            # Those between are gone, and that was said of each of their names.
            history.top = offset - 1
            self._deliver_message(message, age)

    def begin_epoch(self) -> None:
        """Send back whoever may have missed something; see `Receiver`."""
        history = self.history
        if history is not None:
            self._breaks = history.breaks
            self._ahead.clear()
            self._send_back(
                [each for each in self.connections if history.may_keep_any(each.names)]
            )

    def _send_back(self, connections: list[Connection]) -> None:
        """End connections that have missed something: who comes back is told of it."""
        behind = tuple(each for each in connections if each.follows)
        for connection in behind:
            # At once: what comes next would hide the gap.
            self.leave(connection)
        if behind:
            self.leaving.append(Farewell(behind, "messages were missed", True))

    def _deliver_message(self, message: Message, age: float = 0.0) -> int:
        if self.history is not None:
            taken = self.history.take(message, age)
            if taken is None:
                return 0
            message = taken
            if self._breaks != self.history.breaks:
                self.begin_epoch()
        self.counters.messages += 1
        receivers = self._receivers_of(message)
        if not receivers.count:
            return 0
        try:
            frames = {encode: encode(message) for encode in receivers.by_encode}
        except Exception:
            # One message that cannot be encoded must not take the others with it.
            _log.exception("a message was not delivered")
            self.counters.failed += 1
            return 0
        self._turn.add(receivers, frames)
        self.counters.deliveries += receivers.count
        return max(map(len, frames.values()))

    def _require_running(self) -> None:
        if self._is_closed or self.wake is None:
            raise SocketError("the socket server is not running")

    def _put(self, item: Entry) -> None:
        # As above, without a call: this is done for each message.
        if self._is_closed or self.wake is None:
            raise SocketError("the socket server is not running")
        self._inbox.append(item)
        if not self._is_woken:
            # Two threads may both come here: waking twice is harmless.
            self._is_woken = True
            try:
                self.wake()
            except RuntimeError as error:
                self._is_woken = False
                raise SocketError("the socket server is not running") from error
