"""Groups that a user is in for good: with the connections to come as well (spec 05 §21.4)."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from hyperlambda.client import SocketClient
from hyperlambda.errors import SocketError
from hyperlambda.server import BackgroundServer
from hyperlambda.server.hub import SocketHub
from hyperlambda.server.memberships import Memberships
from hyperlambda.sockets import Audience, AudienceKind, Message, SocketGroup

from .hubs import add, reached, take

GROUPS = AudienceKind.GROUPS


@pytest.fixture
def hub() -> SocketHub:
    return SocketHub(wake=lambda: None)


def test_what_lasts_goes_for_connections_to_come(hub: SocketHub) -> None:
    one = add(hub, "a", "ada", "m")
    hub.add_to_group("ada", "g", persist=True)
    hub.add_to_group("ada", "h")
    hub.leave(one)
    add(hub, "b", "ada", "m", groups="t")
    add(hub, "c", "bo", "m")
    assert hub.groups_of("b") == ["g", "t"]
    assert hub.groups() == [SocketGroup("g", 1), SocketGroup("t", 1)]
    assert hub.lasting_groups_of("ada") == ["g"]
    assert reached(hub, "m", GROUPS, "g") == {"b"}


def test_who_is_not_there_can_be_put_into_a_group(hub: SocketHub) -> None:
    hub.add_to_group("ada", "g", persist=True)
    hub.add_to_group("ada", "f", persist=True)
    hub.add_to_group("ada", "g", persist=True)
    assert hub.lasting_groups_of("ada") == ["f", "g"]
    add(hub, "a", "ada", "m")
    assert reached(hub, "m", GROUPS, "f") == {"a"}


def test_who_is_taken_out_stays_out(hub: SocketHub) -> None:
    hub.add_to_group("ada", "g", persist=True)
    add(hub, "a", "ada", "m")
    hub.remove_from_group("ada", "g")
    add(hub, "b", "ada", "m")
    assert reached(hub, "m", GROUPS, "g") == set()
    assert hub.lasting_groups_of("ada") == []
    assert len(hub.backplane.memberships) == 0


def test_a_connection_that_leaves_a_group_is_back_with_the_next_one(
    hub: SocketHub,
) -> None:
    hub.add_to_group("ada", "g", persist=True)
    add(hub, "a", "ada", "m")
    hub.remove_from_group("a", "g")
    assert reached(hub, "m", GROUPS, "g") == set()
    add(hub, "b", "ada", "m")
    assert reached(hub, "m", GROUPS, "g") == {"b"}


def test_what_lasts_takes_its_place_among_messages(hub: SocketHub) -> None:
    add(hub, "a", "ada", "m")
    to_group = Audience(GROUPS, ("g",))
    hub.publish(Message("m", "1", to_group))
    hub.add_to_group("ada", "g", persist=True)
    hub.publish(Message("m", "2", to_group))
    hub.remove_from_group("ada", "g")
    hub.publish(Message("m", "3", to_group))
    assert take(hub) == {"a": [b"m=2;"]}


def test_only_users_are_in_groups_for_good(hub: SocketHub) -> None:
    """A connection id ends with its connection, and so must what is said of it."""
    add(hub, "a", None, "m")
    with pytest.raises(SocketError, match="for users"):
        hub.add_to_group("a", "g", persist=True)
    assert len(hub.backplane.memberships) == 0
    assert hub.groups_of("a") == []


@pytest.mark.parametrize(("username", "group"), [("", "g"), ("ada", "")])
def test_names_are_needed(hub: SocketHub, username: str, group: str) -> None:
    with pytest.raises(SocketError):
        hub.add_to_group(username, group, persist=True)
    assert len(hub.backplane.memberships) == 0


@pytest.mark.parametrize("is_over", [False, True])
def test_what_a_hub_that_does_not_run_refuses_does_not_last(*, is_over: bool) -> None:
    hub = SocketHub(wake=(lambda: None) if is_over else None)
    if is_over:
        hub.close()
    with pytest.raises(SocketError, match="not running"):
        hub.add_to_group("ada", "g", persist=True)
    assert hub.lasting_groups_of("ada") == []


def test_there_are_not_too_many() -> None:
    memberships = Memberships(max_count=2)
    memberships.change("ada", "g", True)
    memberships.change("bo", "g", True)
    memberships.change("bo", "g", True)
    with pytest.raises(SocketError, match="2 memberships of groups last already"):
        memberships.change("cy", "g", True)
    memberships.change("nobody", "g", False)
    memberships.change("bo", "g", False)
    memberships.change("cy", "g", True)
    assert (memberships.of("cy"), len(memberships)) == (["g"], 2)


def test_threads_change_what_lasts_while_others_connect(hub: SocketHub) -> None:
    """Who connects is in the group or out of it in all tables alike."""

    def repeat(act: Callable[[], object]) -> None:
        for _ in range(200):
            act()

    acts = (
        lambda: hub.add_to_group("ada", "g", persist=True),
        lambda: hub.remove_from_group("ada", "g"),
    )
    threads = [threading.Thread(target=repeat, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for number in range(200):
        add(hub, f"c{number}", "ada", "m")
        take(hub)
    for thread in threads:
        thread.join()
    hub.add_to_group("ada", "g", persist=True)
    assert reached(hub, "m", GROUPS, "g") == {f"c{number}" for number in range(200)}
    assert hub.groups() == [SocketGroup("g", 200)]


def test_a_client_asks_for_what_lasts() -> None:
    with BackgroundServer() as server:

        def join(username: str, *roles: str) -> SocketClient:
            return SocketClient(server.socket_url, token=server.token(username, roles))

        with join("root", "root") as root:
            root.add_to_group("ada", "g", persist=True)
            assert root.lasting_groups_of("ada") == ["g"]
            with join("ada") as ada:
                ada.subscribe("m")
                root.publish(Message("m", "1", Audience(GROUPS, ("g",))))
                assert next(ada.messages(10)).args == 1
                for act in (
                    ada.lasting_groups_of,
                    lambda me: ada.add_to_group(me, "h"),
                ):
                    with pytest.raises(SocketError, match="role"):
                        act("ada")
                root.remove_from_group("ada", "g")
                assert root.lasting_groups_of("ada") == []
                assert root.groups_of(ada.connection_id) == []
