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

from ..errors import SocketError
from ..sockets import Message
from .connection import NO_OUTLET, Connection, Counters, Encode
from .parcels import Parcel, Turn
from .tables import Tables

__all__ = ["Connection", "Counters", "Encode", "Farewell", "SocketHub"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _GroupChange:
    connections: tuple[Connection, ...]
    group: str
    is_member: bool


@dataclass(frozen=True, slots=True)
class Farewell:
    """
    Connections that must end, and how.

    Attributes:
        connections: Which.
        reason: What their clients are told.
        may_return: Whether these are asked to connect anew.
    """

    connections: tuple[Connection, ...]
    reason: str
    may_return: bool


@dataclass(frozen=True, slots=True)
class _Reply:
    connection: Connection
    frame: bytes


class SocketHub(Tables):
    """
    Satisfies `hyperlambda.sockets.Hub` for the connections of this process.

    Args:
        wake: Called, from whatever thread, when `deliver` has something to do: once for
            many messages. Raises RuntimeError if nobody will call `deliver`.
        max_inbox: How many entries may wait for `deliver`; further messages are refused.
    """

    def __init__(
        self, wake: Callable[[], object] | None = None, *, max_inbox: int = 100_000
    ) -> None:
        super().__init__()
        self.wake = wake
        self.max_inbox = max_inbox
        self.counters = Counters()
        self.parcels: list[Parcel] = []
        self.leaving: list[Farewell] = []
        self._inbox: deque[Message | _GroupChange | _Reply | Farewell] = deque()
        self._is_woken = False
        self._is_closed = False
        self._turn = Turn()

    # What programs call, from any thread.

    def publish(self, message: Message) -> None:
        """
        Send a message to everyone in its audience who subscribed to its name.

        ``message.argument`` is spliced into frames as it is: it must be JSON.

        Raises:
            SocketError: The name is empty, a text is no Unicode, the server has stopped,
                or more messages wait than it can take.
        """
        if not message.name:
            raise SocketError("a message needs a name")
        argument = message.argument
        if not (message.name.isascii() and (argument is None or argument.isascii())):
            _check_unicode(message)
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
        self._change_group(username, group, True)

    def remove_from_group(self, username: str, group: str) -> None:
        """Take a user's present connections (or one, by its id) out of a group."""
        self._change_group(username, group, False)

    def disconnect(
        self, connection: str, reason: str = "", *, may_return: bool = False
    ) -> None:
        """
        End a connection, by its id, after what was published for it so far.

        Raises:
            SocketError: The id is empty, or the server has stopped.
        """
        if not connection:
            raise SocketError("a connection is ended by its id, and none was given")
        with self._members_lock:
            one = self._by_id.get(connection)
        self._part_with(() if one is None else (one,), reason, may_return)

    def disconnect_user(
        self, username: str, reason: str = "", *, may_return: bool = False
    ) -> None:
        """End all present connections of a user (or one, by its id)."""
        if not username:
            raise SocketError("a user is disconnected by name, and none was given")
        with self._members_lock:
            own = self._own(username)
        self._part_with(own, reason, may_return)

    def send(self, connection: Connection, frame: bytes) -> None:
        """
        Send a frame to one connection, after everything that was published so far.

        Does nothing when the server has stopped: there is nobody to tell.
        """
        if not self._is_closed:
            self._put(_Reply(connection, frame))

    # What the owner calls, on its own thread.

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
        size = 0
        for _ in range(min(len(inbox), max_items)):
            item = inbox.popleft()
            if item.__class__ is Message:
                size += self._deliver_message(item)
            elif item.__class__ is _Reply:
                size += self.push(item.connection, item.frame)
            elif item.__class__ is _GroupChange:
                self._apply_group_change(item)
            else:
                self.leaving.append(item)  # type: ignore[arg-type]
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

    def _deliver_message(self, message: Message) -> int:
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
        for connection in change.connections:
            if not change.is_member:
                self._remove_member(connection, change.group)
            elif self._by_id.get(connection.id) is connection:
                self._add_member(connection, change.group)

    def _change_group(self, username: str, group: str, is_member: bool) -> None:
        if not username:
            raise SocketError("a group is changed for a user, and none was named")
        if not group:
            raise SocketError("a group needs a name")
        with self._members_lock:
            own = self._own(username)
            # Both under the lock, so that two threads leave the same in both tables.
            self._put(_GroupChange(own, group, is_member))
            for connection in own:
                if is_member and group not in connection.groups:
                    connection.groups.add(group)
                    self._count_member(group, 1)
                elif not is_member and group in connection.groups:
                    connection.groups.remove(group)
                    self._count_member(group, -1)

    def _part_with(
        self, connections: tuple[Connection, ...], reason: str, may_return: bool
    ) -> None:
        try:
            reason.encode()
        except UnicodeEncodeError:
            raise SocketError("a reason cannot hold half a surrogate pair") from None
        self._put(Farewell(connections, reason, may_return))

    def _put(self, item: Message | _GroupChange | _Reply | Farewell) -> None:
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


def _check_unicode(message: Message) -> None:
    try:
        message.name.encode()
        if message.argument is not None:
            message.argument.encode()
    except UnicodeEncodeError:
        raise SocketError("a message cannot hold half a surrogate pair") from None
