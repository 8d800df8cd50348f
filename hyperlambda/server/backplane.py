"""
What joins the hubs of several processes to one: the interface, and the default.

A hub hands each thing that its programs cause to its backplane, in the order in which it
takes effect here; the backplane brings it to the hubs of the other nodes, which `accept`
it. Nothing here knows how: `OneNode` has no others, `RedisBackplane` uses Redis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeGuard

from ..errors import SocketError
from ..sockets import Message, SocketGroup, SocketUser
from .connection import Connection
from .line import Line, Ticket
from .memberships import Memberships

__all__ = [
    "Backplane",
    "ClusterView",
    "DisconnectCommand",
    "Figure",
    "GroupCommand",
    "Item",
    "OneNode",
    "Receiver",
    "check_command",
    "check_message",
    "is_lasting",
]


@dataclass(frozen=True, slots=True)
class GroupCommand:
    """
    A change of groups.

    Attributes:
        username: Whose connections, or the id of one.
        group: Which group.
        is_member: Whether they enter it; otherwise they leave it.
        persists: Whether that goes for later connections of the user too.
    """

    username: str
    group: str
    is_member: bool
    persists: bool = False


@dataclass(frozen=True, slots=True)
class DisconnectCommand:
    """
    An end of connections.

    Attributes:
        target: A username, or a connection id.
        is_user: Whether it may be a username; otherwise it is an id.
        reason: What their clients are told.
        may_return: Whether these are asked to connect anew.
    """

    target: str
    is_user: bool
    reason: str
    may_return: bool


Item: TypeAlias = Message | GroupCommand | DisconnectCommand
"""What travels from one hub to the others."""


class Figure(NamedTuple):
    """A number for ``/metrics``: its name, "gauge" or "counter", and what it is."""

    name: str
    kind: str
    help: str
    value: int


class Receiver(Protocol):
    """
    The hub, as its backplane sees it.

    Attributes:
        line: What waits for messages on their way; see line.py.
    """

    line: Line[Any]

    @property
    def inbox_size(self) -> int:
        """How much waits to take effect: who brings more should wait."""

    def take_back(self, message: Message, ticket: Ticket) -> None:
        """Let a message of this hub take effect that was on its way, for that ticket."""

    def act(self, action: Callable[[], int], *, is_next: bool = False) -> None:
        """
        Have something done after all that has been accepted.

        Does nothing once the hub is closed.

        Args:
            action: Returns its cost, in bytes of frames that could have been sent.
            is_next: Whether it comes before all else; only in the hub's turn.
        """

    def hold_line(self) -> int:
        """Let what comes wait for messages on their way; called in the hub's turn."""

    def open_line(self) -> int:
        """Let it wait no more; called in the hub's turn."""

    def pass_over(self, ticket: Ticket) -> int:
        """Wait no more for one message; called in the hub's turn."""

    def take_late(
        self, name: str, offset: int, message: Message | None, age: float
    ) -> None:
        """
        Let a kept message take effect that was published so many seconds ago.

        Called in the hub's turn, in order; a message that is None cannot be had any more.
        """

    def begin_epoch(self) -> None:
        """Note that another history has begun, or that nobody knows what was missed."""

    def accept(self, item: Item) -> None:
        """
        Let what another node has caused take effect here, and go no further.

        May be called on the thread that owns the hub. Does nothing once it is closed.
        """


class ClusterView(Protocol):
    """Who is connected anywhere; answers at once, from any thread (see `Hub`)."""

    def users(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketUser]:
        """Return users whose name starts with the prefix, by name; one page of them."""

    def count_users(self, prefix: str = "") -> int:
        """Return how many users have a name that starts with the prefix."""

    def count_connections(self, prefix: str = "") -> int:
        """Return how many connections these users have."""

    def groups(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketGroup]:
        """Return groups whose name starts with the prefix, by name; one page of them."""

    def groups_of(self, connection: str) -> list[str]:
        """Return the groups of a connection, by name; none if there is no such one."""

    def is_connected(self, id: str) -> bool:
        """Return whether a connection has this id."""


class Backplane(Protocol):
    """
    Joins a hub to those of the other nodes.

    Attributes:
        view: Who is connected anywhere; None: to this node and nowhere else.
        memberships: Which users are in which groups for good.
    """

    @property
    def view(self) -> ClusterView | None: ...

    @property
    def memberships(self) -> Memberships: ...

    async def start(self, hub: Receiver) -> None:
        """Join the other nodes, whose items `hub` accepts from now on, on this loop."""

    async def stop(self) -> None:
        """Send what waits, within some seconds, and leave the other nodes."""

    def forward(self, item: Item) -> bool:
        """
        Bring an item to the other nodes; called on the hub's thread, never waits.

        The hub calls it for each item of its own, in the order in which they take effect,
        just before they do. Receivers on each node get items of one node in this order.

        Returns:
            Whether the item shall take effect here now, which commands do in any case.
            Otherwise it is a message of which more will be known, its position in a
            history: the backplane has put a ticket for it in the hub's `line`, and gives it
            back with `take_back`.
        """

    def announce(self, connection: Connection, is_here: bool) -> None:
        """
        Note that a connection of this node has come, changed its groups, or gone.

        Called from any thread, with the lock of the hub's tables held.
        """

    async def claim(self, id: str) -> bool:
        """
        Take a negotiated connection id, which nobody can take again.

        Returns:
            Whether it was free; True too when nobody can tell within a second.
        """

    def health(self) -> Mapping[str, object]:
        """Return what ``/health`` tells about it; empty for one node alone."""

    def figures(self) -> Sequence[Figure]:
        """Return what ``/metrics`` tells about it; empty for one node alone."""


class OneNode:
    """The backplane of a hub that has no others."""

    view: ClusterView | None = None

    def __init__(self) -> None:
        self.memberships = Memberships()

    async def start(self, hub: Receiver) -> None:
        """Do nothing."""

    async def stop(self) -> None:
        """Do nothing."""

    def forward(self, item: Item) -> bool:
        """Return True: everything takes effect at once."""
        return True

    def announce(self, connection: Connection, is_here: bool) -> None:
        """Do nothing: the hub's own tables are all there is."""

    async def claim(self, id: str) -> bool:
        """Return True: this node's own memory is enough."""
        return True

    def health(self) -> Mapping[str, object]:
        """Return nothing."""
        return {}

    def figures(self) -> Sequence[Figure]:
        """Return nothing."""
        return ()


def is_lasting(item: Item) -> TypeGuard[GroupCommand]:
    """Return whether an item is about memberships that last."""
    return isinstance(item, GroupCommand) and item.persists


def check_message(message: Message) -> None:
    """
    Return if a message can be delivered.

    Raises:
        SocketError: Its name is empty, or a text is no Unicode.
    """
    if not message.name:
        raise SocketError("a message needs a name")
    argument = message.argument
    if message.name.isascii() and (argument is None or argument.isascii()):
        return  # what nearly all are
    try:
        message.name.encode()
        if argument is not None:
            argument.encode()
    except UnicodeEncodeError:
        raise SocketError("a message cannot hold half a surrogate pair") from None


def check_command(command: GroupCommand | DisconnectCommand) -> None:
    """
    Return if a command says what to do.

    Raises:
        SocketError: A name is empty, or the reason is no Unicode.
    """
    if isinstance(command, GroupCommand):
        if not command.username:
            raise SocketError("a group is changed for a user, and none was named")
        if not command.group:
            raise SocketError("a group needs a name")
        return
    if not command.target:
        raise SocketError(
            "a user is disconnected by name, and none was given"
            if command.is_user
            else "a connection is ended by its id, and none was given"
        )
    try:
        command.reason.encode()
    except UnicodeEncodeError:
        raise SocketError("a reason cannot hold half a surrogate pair") from None
