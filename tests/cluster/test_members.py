"""Three server processes: groups, presence and forced ends hold for all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from websockets.sync.client import connect

from hyperlambda.client import ReceivedMessage
from hyperlambda.errors import SocketError
from hyperlambda.server import issue_token
from hyperlambda.server.negotiation import new_id
from hyperlambda.sockets import (
    Audience,
    AudienceKind,
    Message,
    SocketGroup,
    SocketUser,
)

from ..commands.process import SECRET
from . import cluster as helpers
from .cluster import Cluster, until
from .redis_server import TIMEOUT


@pytest.fixture
def people(three: Cluster) -> Iterator[helpers.Audience]:
    with helpers.Audience(three) as people:
        yield people


@pytest.fixture
def name() -> str:
    """Return a name that no other test uses."""
    return new_id()


def to_group(group: str, text: str) -> Message:
    return Message(text, None, Audience(AudienceKind.GROUPS, (group,)))


def names_of(messages: list[ReceivedMessage]) -> list[str]:
    return [message.name for message in messages]


def test_a_user_is_put_into_a_group_wherever_they_are_connected(
    people: helpers.Audience, name: str
) -> None:
    """The change takes effect between the messages before it and those after it."""
    pat = people.add("pat", 0, "pat", ("root",))
    for node in range(3):
        people.add(f"ada at {node}", node, f"ada-{name}")
    people.add("bo", 1, f"bo-{name}")
    for number in range(3):
        pat.publish(to_group(name, f"early {number}"))
        pat.add_to_group(f"ada-{name}", name)
        pat.publish(to_group(name, f"in {number}"))
        pat.remove_from_group(f"ada-{name}", name)
        pat.publish(to_group(name, f"late {number}"))
    got = people.hear(pat)
    for node in range(3):
        assert names_of(got[f"ada at {node}"]) == ["in 0", "in 1", "in 2"]
    assert got["bo"] == []


def test_a_connection_is_put_into_a_group_by_its_id_from_another_node(
    people: helpers.Audience, name: str
) -> None:
    pat = people.add("pat", 0, "pat", ("root",))
    guest = people.add("guest", 2)
    people.add("other guest", 2)
    pat.add_to_group(guest.connection_id, name)
    pat.publish(to_group(name, "hello"))
    got = people.hear(pat)
    assert (names_of(got["guest"]), got["other guest"]) == (["hello"], [])


def test_all_nodes_know_the_users_and_groups_of_all(
    people: helpers.Audience, name: str
) -> None:
    ada, bo, group = f"{name}-ada", f"{name}-bo", f"{name}-group"
    watchers = [
        people.add(f"watcher {node}", node, "w", ("root",)) for node in range(3)
    ]
    first = people.add("ada at 1", 1, ada, groups=(group,))
    second = people.add("ada at 2", 2, ada)
    third = people.add("bo at 0", 0, bo, groups=(group,))
    ids = first.connection_id, second.connection_id, third.connection_id

    def all_see(users: list[SocketUser], members: int) -> None:
        groups = [SocketGroup(group, members)] if members else []
        for watcher in watchers:
            until(lambda watcher=watcher: watcher.users(name, limit=None) == users)
            until(lambda watcher=watcher: watcher.groups(name) == groups)
            until(lambda watcher=watcher: watcher.count_users(name) == len(users))
            until(lambda watcher=watcher: watcher.users(name, 1, 1) == users[1:])

    all_see([SocketUser(ada, ids[:2]), SocketUser(bo, ids[2:])], 2)
    watchers[0].add_to_group(ada, group)
    all_see([SocketUser(ada, ids[:2]), SocketUser(bo, ids[2:])], 3)
    assert all(watcher.groups_of(ids[1]) == [group] for watcher in watchers)
    watchers[1].remove_from_group(ids[1], group)
    all_see([SocketUser(ada, ids[:2]), SocketUser(bo, ids[2:])], 2)
    first.close()
    all_see([SocketUser(ada, ids[1:2]), SocketUser(bo, ids[2:])], 1)
    second.close()
    third.close()
    all_see([], 0)


def test_an_anonymous_connection_is_a_user_of_its_own_on_all_nodes(
    people: helpers.Audience,
) -> None:
    guest = people.add("guest", 2)
    watcher = people.add("watcher", 0, "w", ("root",))
    id = guest.connection_id
    until(lambda: watcher.users(id) == [SocketUser(id, (id,))])


@pytest.mark.parametrize("by_id", [False, True])
def test_a_user_is_disconnected_wherever_they_are(
    people: helpers.Audience, name: str, by_id: bool
) -> None:
    """They get what was published before; one id ends one connection."""
    pat = people.add("pat", 0, "pat", ("root",))
    own = [people.add(f"ada at {node}", node, name) for node in range(3)]
    people.add("bo", 1, f"bo-{name}")
    ends = own[2:] if by_id else own
    pat.publish(Message("last"))
    if by_id:
        pat.disconnect(own[2].connection_id, "enough")
    else:
        pat.disconnect_user(name, "enough")
    for client in ends:
        messages = client.messages(timeout=TIMEOUT)
        assert next(messages).name == "last"
        with pytest.raises(SocketError, match="enough"):
            next(messages)
    pat.publish(Message(helpers.MARKER))
    for label, client in people.clients.items():
        if client not in ends and client is not pat:
            assert names_of(helpers.until_marker(client)) == ["last"], label


def test_a_file_that_a_client_runs_is_about_all_nodes(
    three: Cluster, people: helpers.Audience, name: str
) -> None:
    watcher = people.add("watcher", 0, "w", ("root",))
    people.add("bo", 2, f"{name}-bo", (), (name,))
    people.add("cy", 1, f"{name}-cy")
    until(lambda: watcher.count_users(name) == 2)
    headers = {"Authorization": f"Bearer {issue_token(SECRET, f'{name}-ada')}"}
    with connect(three.urls[0], additional_headers=headers, proxy=None) as socket:
        until(lambda: watcher.count_users(name) == 3)
        for request in (
            {"type": "subscribe", "names": ["room.entered"]},
            {"type": "execute", "file": "enter", "args": {"room": name}},
        ):
            socket.send(json.dumps(request))
        frames = [json.loads(socket.recv(timeout=TIMEOUT)) for _ in range(4)]
    kinds = [frame["type"] for frame in frames]
    # Who has entered is in the room, for the message that follows, and so is Bo.
    assert kinds == ["welcome", "subscribed", "message", "executed"]
    entered = ReceivedMessage("room.entered", {"users": 3})
    assert frames[2]["args"] == entered.args
    assert next(people.clients["bo"].messages(timeout=TIMEOUT)) == entered
    watcher.publish(Message(helpers.MARKER))
    assert helpers.until_marker(people.clients["cy"]) == []
