"""
Who is connected, in which roles and groups, and whom a message reaches.

No I/O happens here. Programs call `publish` and its siblings from any thread; these
only append to an inbox and wake the owner of the hub. The owner, on its one thread,
calls `join`, `leave`, `subscribe`, `unsubscribe` and `deliver`, and then sends the
`parcels` that `deliver` has made.

Everything that reaches clients passes through the one inbox: messages, changes of groups
and answers to requests. So each connection sees them in the order in which one
publisher caused them, and a message goes to those who were in a group when it was
published.

Threads: the inbox is a deque, whose `append` and `popleft` are atomic. The tables
belong to the owner's thread, except those of `Presence`. Who changes a group sees the
change there at once; deliveries see it in its turn.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from ..errors import SocketError
from ..sockets import Audience, Message
from .backplane import (
    Backplane,
    DisconnectCommand,
    GroupCommand,
    Item,
    OneNode,
    check_command,
    check_message,
)
from .connection import NO_OUTLET, Connection, Counters, Encode
from .history import History
from .parcels import Parcel, Turn
from .tables import Tables

__all__ = ["Connection", "Counters", "Encode", "Farewell", "SocketHub"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _GroupChange:
    connections: tuple[Connection, ...]
    command: GroupCommand
    is_forwarded: bool


@dataclass(frozen=True, slots=True)
class Farewell:
    """
    Connections that must end, and how.

    Attributes:
        connections: Which.
        reason: What their clients are told.
        may_return: Whether these are asked to connect anew.
        command: What other nodes have to know of it; None for nothing.
    """

    connections: tuple[Connection, ...]
    reason: str
    may_return: bool
    command: DisconnectCommand | None = None


@dataclass(frozen=True, slots=True)
class _Reply:
    connection: Connection
    frame: bytes


@dataclass(frozen=True, slots=True)
class _Accepted:
    """A message from elsewhere, which goes no further."""

    message: Message


@dataclass(frozen=True, slots=True)
class _Action:
    run: Callable[[], int]


_Waiting: TypeAlias = "Message | _GroupChange | _Reply | _Action | Farewell | _Accepted"


class SocketHub(Tables):
    """
    Satisfies `hyperlambda.sockets.Hub` for the connections of this process.

    Args:
        wake: Called, from whatever thread, when `deliver` has something to do: once for
            many messages. Raises RuntimeError if nobody will call `deliver`.
        max_inbox: How many entries may wait for `deliver`; further messages are refused.
        backplane: Joins this hub to those of other nodes.
        history: Keeps messages for clients that come back; None: nothing is kept.
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
        self.max_inbox = max_inbox
        self.counters = Counters()
        self.parcels: list[Parcel] = []
        self.leaving: list[Farewell] = []
        self._inbox: deque[_Waiting] = deque()
        self._is_woken = False
        self._is_closed = False
        self._turn = Turn()
        self._breaks = 0

    # What programs call, from any thread.

    def publish(self, message: Message) -> None:
        """
        Send a message to everyone in its audience who subscribed to its name.

        ``message.argument`` is spliced into frames as it is: it must be JSON.

        Raises:
            SocketError: The name is empty, a text is no Unicode, the server has stopped,
                or more messages wait than it can take.
        """
        check_message(message)
        if len(self._inbox) >= self.max_inbox:
            raise SocketError(f"{self.max_inbox} messages wait to be delivered already")
        self._put(message)

    def add_to_group(self, username: str, group: str) -> None:
        """
        Put a user's present connections (or one, by its id) into a group.

        It takes effect after what this thread has published, and before what it will.

        Raises:
            SocketError: A name is empty, or the server has stopped.
        """
        self._change_group(GroupCommand(username, group, True))

    def remove_from_group(self, username: str, group: str) -> None:
        """Take a user's present connections (or one, by its id) out of a group."""
        self._change_group(GroupCommand(username, group, False))

    def disconnect(
        self, connection: str, reason: str = "", *, may_return: bool = False
    ) -> None:
        """
        End a connection, by its id, after what was published for it so far.

        Raises:
            SocketError: The id is empty, or the server has stopped.
        """
        self._part_with(DisconnectCommand(connection, False, reason, may_return))

    def disconnect_user(
        self, username: str, reason: str = "", *, may_return: bool = False
    ) -> None:
        """End all present connections of a user (or one, by its id)."""
        self._part_with(DisconnectCommand(username, True, reason, may_return))

    def send(self, connection: Connection, frame: bytes) -> None:
        """
        Send a frame to one connection, after everything that was published so far.

        Does nothing when the server has stopped: there is nobody to tell.
        """
        if not self._is_closed:
            self._put(_Reply(connection, frame))

    def in_turn(self, action: Callable[[], int]) -> bool:
        """
        Have the owner do something, after everything that was published so far.

        Does nothing when the server has stopped, like `send`.

        Args:
            action: Returns what it has cost, in bytes of frames that could have been sent.

        Returns:
            Whether it will be done.
        """
        if self._is_closed:
            return False
        self._put(_Action(action))
        return True

    # What the owner calls, on its own thread.

    def accept(self, item: Item) -> None:
        """Let what another node has caused take effect, in its turn; see `Receiver`."""
        if self._is_closed:
            return
        if item.__class__ is Message:
            self._put(_Accepted(item))
        elif isinstance(item, GroupCommand):
            self._change_group(item, is_ours=False)
        elif isinstance(item, DisconnectCommand):
            self._part_with(item, is_ours=False)

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
        forward = self.backplane.forward
        size = 0
        for _ in range(min(len(inbox), max_items)):
            item = inbox.popleft()
            if item.__class__ is Message:
                if forward(item):
                    size += self._deliver_message(item)
            elif item.__class__ is _Reply:
                size += self.push(item.connection, item.frame)
            elif item.__class__ is _Accepted:
                size += self._deliver_message(item.message)
            elif item.__class__ is _GroupChange:
                if item.is_forwarded:
                    forward(item.command)
                self._apply_group_change(item)
            elif item.__class__ is _Action:
                size += self._act(item)
            else:
                assert isinstance(item, Farewell)
                if item.command is not None:
                    forward(item.command)
                self.leaving.append(item)
                break
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
        self._is_closed = True

    def _act(self, action: _Action) -> int:
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

    def _apply_group_change(self, change: _GroupChange) -> None:
        group = change.command.group
        for connection in change.connections:
            if not change.command.is_member:
                self._remove_member(connection, group)
            elif self._by_id.get(connection.id) is connection:
                self._add_member(connection, group)

    def _change_group(self, command: GroupCommand, *, is_ours: bool = True) -> None:
        check_command(command)
        username, group = command.username, command.group
        with self._members_lock:
            own = self._own(username)
            # A connection id that is here is nowhere else.
            is_forwarded = is_ours and username not in self._by_id
            # Both under the lock, so that two threads leave the same in both tables.
            self._put(_GroupChange(own, command, is_forwarded))
            for connection in own:
                self._note_group(connection, group, command.is_member)

    def _part_with(self, command: DisconnectCommand, *, is_ours: bool = True) -> None:
        check_command(command)
        with self._members_lock:
            one = self._by_id.get(command.target)
            own = self._own(command.target) if command.is_user else _some(one)
        forwarded = command if is_ours and one is None else None
        self._put(Farewell(own, command.reason, command.may_return, forwarded))

    def _put(self, item: _Waiting) -> None:
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


def _some(one: Connection | None) -> tuple[Connection, ...]:
    return () if one is None else (one,)
