"""Whom a message reaches over real sockets, and whom it must not."""

from __future__ import annotations

import pytest

from hyperlambda.server import SocketServer
from hyperlambda.sockets import Audience, AudienceKind, Message

from .clients import (
    Client,
    Connect,
    message,
    until_count,
)

ROLES, GROUPS = AudienceKind.ROLES, AudienceKind.GROUPS
USERS, CLIENTS = AudienceKind.USERS, AudienceKind.CLIENTS

# Whom a message reaches. That somebody did not get it is proved by a marker for
# everybody, published after it: the marker is the next that arrives.


@pytest.fixture
async def crowd(server: SocketServer, join: Connect) -> dict[str, Client]:
    """Everybody subscribes to foo.bar and to the marker; deaf to the marker only."""
    both = ("foo.bar", "marker")
    return {
        "root": await join(server, "ada", ("root",), (), *both),
        "both": await join(server, "ada", ("root", "admin"), ("g1", "g2"), *both),
        "admin": await join(server, "bo", ("admin",), (), *both),
        "member": await join(server, "cy", (), ("g1",), *both),
        "guest": await join(server, "guest", ("guest",), (), *both),
        "anonymous": await join(server, None, (), (), *both),
        "deaf": await join(server, "ada", ("root", "admin"), ("g1",), "marker"),
    }


ALL = "root both admin member guest anonymous"


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        (Audience(), ALL),
        (Audience(ROLES, ("root", "admin")), "root both admin"),
        (Audience(ROLES, ("admin",)), "both admin"),
        (Audience(ROLES, ("Root",)), ""),
        (Audience(ROLES, ("g1", "ada")), ""),
        (Audience(ROLES, ()), ""),
        (Audience(ROLES, ("",)), ""),
        (Audience(GROUPS, ("g1",)), "both member"),
        (Audience(GROUPS, ("g1", "g2")), "both member"),
        (Audience(GROUPS, ("group1", "root")), ""),
        (Audience(USERS, ("ada",)), "root both"),
        (Audience(USERS, ("bo", "cy", "bo")), "admin member"),
        (Audience(USERS, ("nobody", "root")), ""),
        (Audience(CLIENTS, ("@admin", "@anonymous")), "admin anonymous"),
        (Audience(CLIENTS, ("ada", "unknown")), ""),
        (Audience(USERS, ("@anonymous",)), ""),
    ],
)
async def test_a_message_reaches_its_audience_once_and_nobody_else(
    server: SocketServer, crowd: dict[str, Client], audience: Audience, expected: str
) -> None:
    names = tuple(
        crowd[name[1:]].id if name.startswith("@") else name for name in audience.names
    )
    payload = '{"message":"Hello from backend"}'
    server.hub.publish(Message("foo.bar", payload, Audience(audience.kind, names)))
    server.hub.publish(Message("marker"))
    for name, client in crowd.items():
        if name in expected.split():
            wanted = message("foo.bar", {"message": "Hello from backend"})
            assert await client.receive() == wanted, name
        assert await client.receive() == message("marker"), name


async def test_a_client_publishes_to_an_audience(
    server: SocketServer, crowd: dict[str, Client]
) -> None:
    root = crowd.pop("root")
    await root.send(
        type="publish", name="foo.bar", args={"x": 1}, roles=["admin"], id=1
    )
    await root.send(type="publish", name="marker", id=2)
    assert await root.receive() == {"type": "published", "id": 1}
    assert await root.receive() == message("marker")
    assert await root.receive() == {"type": "published", "id": 2}
    for name, client in crowd.items():
        if name in ("both", "admin"):
            assert await client.receive() == message("foo.bar", {"x": 1})
        assert await client.receive() == message("marker"), name


@pytest.mark.parametrize("who", ["guest", "anonymous", "member"])
async def test_others_cannot_publish(
    server: SocketServer, crowd: dict[str, Client], who: str
) -> None:
    answer = await crowd[who].ask(type="publish", name="foo.bar")
    assert answer["code"] == "forbidden"
    server.hub.publish(Message("marker"))
    for client in crowd.values():
        assert await client.receive() == message("marker")


@pytest.mark.parametrize(
    "bad", ["role", "user", "group", "client", "Roles", "clients "]
)
async def test_a_misspelt_audience_reaches_nobody(
    server: SocketServer, crowd: dict[str, Client], bad: str
) -> None:
    answer = await crowd["root"].ask(type="publish", name="foo.bar", **{bad: "admin"})
    assert answer["code"] == "invalid"
    server.hub.publish(Message("marker"))
    for client in crowd.values():
        assert await client.receive() == message("marker")


async def test_groups_are_entered_and_left(
    server: SocketServer, crowd: dict[str, Client]
) -> None:
    root, admin = crowd["root"], crowd["admin"]
    to_group = Message("foo.bar", None, Audience(GROUPS, ("new",)))
    added = await root.ask(type="add-to-group", user="bo", group="new")
    assert added == {"type": "added-to-group"}
    server.hub.publish(to_group)
    server.hub.remove_from_group("bo", "new")
    server.hub.publish(to_group)
    server.hub.publish(Message("marker"))
    assert await admin.receive() == message("foo.bar")
    for client in crowd.values():
        assert await client.receive() == message("marker")


async def test_a_pattern_hears_what_is_below_it(
    server: SocketServer, join: Connect
) -> None:
    some = await join(server, None, (), (), "foo.*", "marker")
    every = await join(server, None, (), (), "*")
    for name in ("foo", "foo.bar", "other", "foo.bar.baz", "marker"):
        server.hub.publish(Message(name))
    heard = [(await some.receive())["name"] for _ in range(3)]
    assert heard == ["foo.bar", "foo.bar.baz", "marker"]
    heard = [(await every.receive())["name"] for _ in range(5)]
    assert heard == ["foo", "foo.bar", "other", "foo.bar.baz", "marker"]


async def test_an_unsubscribed_name_is_not_heard(
    server: SocketServer, join: Connect
) -> None:
    client = await join(server, None, (), (), "a", "marker")
    await client.ask(type="unsubscribe", names=["a"])
    server.hub.publish(Message("a"))
    server.hub.publish(Message("marker"))
    assert await client.receive() == message("marker")


async def test_the_users_are_those_who_are_connected(
    server: SocketServer, join: Connect
) -> None:
    root = await join(server, "root", ("root",))
    bo = await join(server, "bo")
    anonymous = await join(server)
    answer = await root.ask(type="users")
    assert {user["username"]: user["connections"] for user in answer["users"]} == {
        "root": [root.id],
        "bo": [bo.id],
        anonymous.id: [anonymous.id],
    }
    await bo.socket.close()
    await until_count(server, 2)
    assert (await root.ask(type="count-users"))["count"] == 2
