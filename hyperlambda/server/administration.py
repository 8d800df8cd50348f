"""
What programs do to those who are connected: to put them into groups, and to end them.

Both may be asked for on any thread, and take their place in the hub's inbox.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

from ..errors import SocketError
from .backplane import DisconnectCommand, GroupCommand, check_command
from .connection import Connection
from .entries import Entry, Farewell, GroupChange, Ready
from .tables import Tables

__all__ = ["Administration"]


class Administration(Tables):
    """The part of a hub that changes groups, and ends connections."""

    @abstractmethod
    def _put(self, item: Entry) -> None:
        """Append to the inbox; raises SocketError if nobody will look there."""

    @abstractmethod
    def _require_running(self) -> None:
        """Raise SocketError if nobody will look into the inbox."""

    def add_to_group(self, username: str, group: str, *, persist: bool = False) -> None:
        """
        Put a user's present connections (or one, by its id) into a group.

        It takes effect after what this thread has published, and before what it will.

        Args:
            username: Whose, or the id of one.
            group: Which group.
            persist: Whether later connections of the user are put there too.

        Raises:
            SocketError: A name is empty, the server has stopped, or a membership cannot
                last: that of a connection, or one more than there may be.
        """
        if persist and self.is_connected(username):
            raise SocketError("what lasts is for users, and this is a connection")
        self._change_group(GroupCommand(username, group, True, persist))

    def remove_from_group(self, username: str, group: str) -> None:
        """
        Take a user's present connections (or one, by its id) out of a group.

        Later ones are not put there any more either.
        """
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

    # In the hub's turn.

    def _apply_group_change(self, change: GroupChange) -> None:
        group = change.command.group
        for connection in change.connections:
            if not change.command.is_member:
                self._remove_member(connection, group)
            elif self._by_id.get(connection.id) is connection:
                self._add_member(connection, group)

    # What was asked for, here or at another node.

    def _change_group(self, command: GroupCommand, *, is_ours: bool = True) -> None:
        check_command(command)
        # Before anything is known of it: what is refused must not last.
        self._require_running()
        username, group = command.username, command.group
        with self._members_lock:
            lasting = self.backplane.memberships
            # A connection id that is here is nowhere else.
            is_forwarded = is_ours and username not in self._by_id
            is_end = is_forwarded and not command.is_member
            if is_end and lasting.may_have(username, group):
                command = replace(command, persists=True)
            if command.persists and not self._keep(command, is_ours):
                return
            own = self._own(username)
            # Both under the lock, so that two threads leave the same in both tables.
            change = GroupChange(own, command, is_forwarded)
            self._put(change if is_ours else Ready(change))
            for connection in own:
                self._note_group(connection, group, command.is_member)

    def _keep(self, command: GroupCommand, is_ours: bool) -> bool:
        """Let a membership last, or last no more; return whether that is news."""
        lasting = self.backplane.memberships
        change = command.username, command.group, command.is_member
        if is_ours:
            lasting.change(*change)
            return True
        return lasting.hear(*change)

    def _part_with(self, command: DisconnectCommand, *, is_ours: bool = True) -> None:
        check_command(command)
        with self._members_lock:
            one = self._by_id.get(command.target)
            own = self._own(command.target) if command.is_user else _some(one)
        forwarded = command if is_ours and one is None else None
        farewell = Farewell(own, command.reason, command.may_return, forwarded)
        self._put(farewell if is_ours else Ready(farewell))


def _some(one: Connection | None) -> tuple[Connection, ...]:
    return () if one is None else (one,)
