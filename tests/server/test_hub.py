"""Whom a message reaches, asked of the hub without any socket."""

from __future__ import annotations

import threading

import pytest

from hyperlambda.errors import SocketError
from hyperlambda.server.hub import SocketHub
from hyperlambda.sockets import Audience, AudienceKind, Hub, Message, SocketUser

from .hubs import EVERYONE, add, encode, reached, take, unpack


@pytest.fixture
def hub() -> SocketHub:
    return SocketHub(wake=lambda: None)


def test_it_is_a_hub(hub: SocketHub) -> None:
    carrier: Hub = hub
    assert carrier.users() == []


@pytest.mark.parametrize(
    ("subscribed", "published", "is_reached"),
    [
        ("foo.bar", "foo.bar", True),
        ("foo.bar", "foo.baz", False),
        ("foo.bar", "Foo.bar", False),
        ("foo.bar", "foo.bar.x", False),
        ("foo.*", "foo.bar", True),
        ("foo.*", "foo.bar.baz", True),
        ("foo.*", "foo", False),
        ("foo.*", "foobar", False),
        ("foo.*", "x.foo.bar", False),
        ("foo.bar.*", "foo.bar.x", True),
        ("foo.bar.*", "foo.baz.x", False),
        ("*", "foo.bar", True),
        ("*", "x", True),
    ],
)
def test_a_subscription_matches_names(
    hub: SocketHub, subscribed: str, published: str, is_reached: bool
) -> None:
    add(hub, "a", None, subscribed)
    assert reached(hub, published) == ({"a"} if is_reached else set())


@pytest.mark.parametrize(
    ("kind", "names", "expected"),
    [
        (EVERYONE, (), "abcn"),
        (AudienceKind.ROLES, ("r",), "ab"),
        (AudienceKind.ROLES, ("r", "s"), "ab"),
        (AudienceKind.ROLES, ("R",), ""),
        (AudienceKind.ROLES, ("g",), ""),
        (AudienceKind.ROLES, (), ""),
        (AudienceKind.ROLES, ("",), ""),
        (AudienceKind.GROUPS, ("g",), "c"),
        (AudienceKind.GROUPS, ("r",), ""),
        (AudienceKind.USERS, ("ada",), "ab"),
        (AudienceKind.USERS, ("ada", "bo", "ada"), "abc"),
        (AudienceKind.USERS, ("n",), ""),
        (AudienceKind.USERS, ("Ada",), ""),
        (AudienceKind.CLIENTS, ("b", "n", "b"), "bn"),
        (AudienceKind.CLIENTS, ("ada",), ""),
    ],
)
def test_an_audience_reaches_its_members_only(
    hub: SocketHub, kind: AudienceKind, names: tuple[str, ...], expected: str
) -> None:
    add(hub, "a", "ada", "m", roles="rs")
    add(hub, "b", "ada", "m", "*", roles="r")
    add(hub, "c", "bo", "m", groups="g")
    add(hub, "n", None, "m")
    add(hub, "deaf", "ada", "other", roles="rs", groups="g")
    assert reached(hub, "m", kind, *names) == set(expected)


def test_whom_a_message_reached_before_does_not_decide(hub: SocketHub) -> None:
    """The hub remembers receivers, until there may be others."""
    roles, users = AudienceKind.ROLES, AudienceKind.USERS
    one = add(hub, "a", "ada", roles="r", groups="g")
    assert reached(hub, "m.n") == set()
    hub.subscribe(one, "m.n")
    assert reached(hub, "m.n") == reached(hub, "m.n") == {"a"}
    assert reached(hub, "m.n", roles, "r") == {"a"}
    assert reached(hub, "m.n", users, "ada") == {"a"}
    other = add(hub, "b", "ada", "m.*", roles="r")
    for audience in [(EVERYONE,), (roles, "r"), (users, "ada")]:
        assert reached(hub, "m.n", *audience) == {"a", "b"}
    hub.unsubscribe(one, "m.n")
    for audience in [(EVERYONE,), (roles, "r"), (users, "ada")]:
        assert reached(hub, "m.n", *audience) == {"b"}
    hub.subscribe(one, "*")
    assert reached(hub, "m.n") == {"a", "b"}
    hub.leave(other)
    for audience in [(EVERYONE,), (roles, "r"), (users, "ada")]:
        assert reached(hub, "m.n", *audience) == {"a"}


def test_only_some_audiences_are_remembered(hub: SocketHub) -> None:
    add(hub, "a", "ada", "*")
    for number in range(1_000):
        reached(hub, f"m{number}")
        reached(hub, "m", AudienceKind.USERS, str(number))
    assert 0 < len(hub._known) <= 64


def test_who_leaves_is_reached_by_nothing(hub: SocketHub) -> None:
    gone = add(hub, "a", "ada", "m", "m.*", "*", roles="r", groups="g")
    hub.leave(gone)
    hub.leave(gone)
    hub.subscribe(gone, "m")
    for kind, name in [
        (EVERYONE, ""),
        (AudienceKind.ROLES, "r"),
        (AudienceKind.GROUPS, "g"),
        (AudienceKind.USERS, "ada"),
        (AudienceKind.CLIENTS, "a"),
    ]:
        assert reached(hub, "m", kind, name) == set()
    hub.send(gone, b"x")
    assert take(hub) == {}
    assert hub.users() == []
    assert hub.connection_count == 0


def test_nothing_is_left_of_many_who_came_and_went(hub: SocketHub) -> None:
    for number in range(1_000):
        one = add(hub, str(number), f"u{number}", f"n{number}", "a.*", "*", roles="r")
        hub.add_to_group(f"u{number}", f"g{number}")
        take(hub)
        hub.leave(one)
    tables = [
        value for name, value in vars(hub).items() if isinstance(value, dict | set)
    ]
    assert len(tables) >= 7
    assert not any(tables)


def test_group_membership_begins_and_ends(hub: SocketHub) -> None:
    add(hub, "a", "ada", "m")
    add(hub, "b", "ada", "m")
    add(hub, "n", None, "m")
    hub.add_to_group("ada", "g")
    hub.add_to_group("n", "g")
    hub.add_to_group("nobody", "g")
    add(hub, "late", "bo", "m")
    assert reached(hub, "m", AudienceKind.GROUPS, "g") == {"a", "b", "n"}
    hub.remove_from_group("ada", "g")
    hub.remove_from_group("ada", "other")
    assert reached(hub, "m", AudienceKind.GROUPS, "g") == {"n"}


def test_a_connection_id_serves_when_no_user_has_that_name(hub: SocketHub) -> None:
    add(hub, "a", "ada", "m")
    add(hub, "b", "ada", "m")
    hub.add_to_group("b", "g")
    assert reached(hub, "m", AudienceKind.GROUPS, "g") == {"b"}


def test_changes_of_groups_keep_their_place_among_messages(hub: SocketHub) -> None:
    add(hub, "a", "ada", "m")
    to_group = Audience(AudienceKind.GROUPS, ("g",))
    hub.publish(Message("m", "1", to_group))
    hub.add_to_group("ada", "g")
    hub.publish(Message("m", "2", to_group))
    hub.remove_from_group("ada", "g")
    hub.publish(Message("m", "3", to_group))
    assert take(hub) == {"a": [b"m=2;"]}


def test_an_answer_keeps_its_place_among_messages(hub: SocketHub) -> None:
    one = add(hub, "a", "ada", "m")
    hub.publish(Message("m", "1"))
    hub.send(one, b"answer;")
    hub.publish(Message("m", "2"))
    assert take(hub) == {"a": [b"m=1;", b"answer;", b"m=2;"]}


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (Message(""), "a message needs a name"),
        (Message("\ud800"), "half a surrogate pair"),
        (Message("m", '"\ud800"'), "half a surrogate pair"),
    ],
)
def test_a_message_that_nobody_could_read_is_refused(
    hub: SocketHub, message: Message, reason: str
) -> None:
    with pytest.raises(SocketError, match=reason):
        hub.publish(message)


@pytest.mark.parametrize(("username", "group"), [("", "g"), ("ada", "")])
def test_a_group_is_changed_by_names_only(
    hub: SocketHub, username: str, group: str
) -> None:
    with pytest.raises(SocketError, match="group"):
        hub.add_to_group(username, group)
    with pytest.raises(SocketError, match="group"):
        hub.remove_from_group(username, group)


def test_a_hub_without_a_server_refuses(hub: SocketHub) -> None:
    def stopped_loop() -> None:
        raise RuntimeError("Event loop is closed")

    for broken in (SocketHub(), SocketHub(stopped_loop), hub):
        if broken is hub:
            hub.close()
        with pytest.raises(SocketError, match="not running"):
            broken.publish(Message("m"))


def test_what_waits_when_the_hub_closes_is_delivered(hub: SocketHub) -> None:
    add(hub, "a", None, "m")
    hub.publish(Message("m", "1"))
    hub.close()
    assert take(hub) == {"a": [b"m=1;"]}


def test_the_inbox_is_bounded() -> None:
    hub = SocketHub(lambda: None, max_inbox=2)
    hub.publish(Message("m"))
    hub.publish(Message("m"))
    with pytest.raises(SocketError, match="2 messages wait"):
        hub.publish(Message("m"))
    take(hub)
    hub.publish(Message("m"))


def test_many_messages_wake_the_owner_once() -> None:
    calls: list[int] = []
    hub = SocketHub(lambda: calls.append(1))
    for _ in range(100):
        hub.publish(Message("m"))
    assert len(calls) == 1
    take(hub)
    hub.publish(Message("m"))
    assert len(calls) == 2


def test_a_delivery_can_be_done_in_parts(hub: SocketHub) -> None:
    add(hub, "a", None, "m")
    for number in range(6):
        hub.publish(Message("m", str(number)))
    assert hub.deliver(max_items=2)
    assert unpack(hub) == {"a": [b"m=0;", b"m=1;"]}
    assert hub.deliver(max_bytes=1)
    assert hub.deliver(max_items=1)
    assert unpack(hub) == {"a": [b"m=2;", b"m=3;"]}
    assert not hub.deliver()
    assert unpack(hub) == {"a": [b"m=4;", b"m=5;"]}


def test_a_message_is_encoded_once_for_each_protocol(hub: SocketHub) -> None:
    calls: list[str] = []

    def other(message: Message) -> bytes:
        calls.append(message.name)
        return b"other;"

    for number in range(6):
        one = add(hub, str(number), None, "m")
        if number % 2:
            one.encode = other
    hub.publish(Message("m", "1"))
    got = take(hub)
    assert calls == ["m"]
    assert got["0"] == [b"m=1;"]
    assert got["1"] == [b"other;"]
    assert got["0"][0] is got["2"][0]


def test_a_message_that_cannot_be_encoded_takes_no_other_with_it(
    hub: SocketHub, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(message: Message) -> bytes:
        if message.argument == "bad":
            raise ValueError(message.argument)
        return encode(message)

    add(hub, "a", None, "m").encode = broken
    for argument in ("1", "bad", "2"):
        hub.publish(Message("m", argument))
    assert take(hub) == {"a": [b"m=1;", b"m=2;"]}
    assert hub.counters.failed == 1
    assert "was not delivered" in caplog.text


def test_what_happens_is_counted(hub: SocketHub) -> None:
    add(hub, "a", None, "m")
    add(hub, "b", None, "m")
    reached(hub, "m")
    reached(hub, "other")
    assert (hub.counters.connections, hub.counters.messages) == (2, 2)
    assert hub.counters.deliveries == 2


def test_users_are_listed_by_name(hub: SocketHub) -> None:
    add(hub, "1", "bo")
    add(hub, "2", "ada")
    add(hub, "3", "bo")
    add(hub, "n", None)
    add(hub, "4", "Ada")
    names = [SocketUser("Ada", ("4",)), SocketUser("ada", ("2",))]
    names += [SocketUser("bo", ("1", "3")), SocketUser("n", ("n",))]
    assert hub.users() == names
    assert hub.users(limit=2) == names[:2]
    assert hub.users(offset=1, limit=2) == names[1:3]
    assert hub.users(offset=-5, limit=None) == names
    assert hub.users(offset=9) == []
    assert hub.users(limit=0) == []
    assert hub.users("b") == [names[2]]
    assert (hub.count_users(), hub.count_users("b"), hub.count_users("x")) == (4, 1, 0)
    assert [hub.count_connections(prefix) for prefix in ("", "b", "x")] == [5, 2, 0]


def test_ten_users_are_a_page(hub: SocketHub) -> None:
    for number in range(12):
        add(hub, str(number), f"u{number:02}")
    assert [user.username for user in hub.users()] == [f"u{n:02}" for n in range(10)]
    assert len(hub.users(limit=None)) == 12


def test_users_can_be_listed_while_others_come_and_go(hub: SocketHub) -> None:
    failures: list[Exception] = []
    is_over = threading.Event()

    def look() -> None:
        try:
            while not is_over.is_set():
                hub.users(limit=None)
                hub.count_users("u1")
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for round_ in range(30):
            some = [add(hub, f"{round_}-{n}", f"u{n}") for n in range(50)]
            for one in some:
                hub.leave(one)
    finally:
        is_over.set()
        thread.join()
    assert failures == []


def test_each_publisher_keeps_its_order(hub: SocketHub) -> None:
    one = add(hub, "a", None, "*")

    def publish(name: str) -> None:
        for number in range(300):
            hub.publish(Message(name, str(number)))

    threads = [threading.Thread(target=publish, args=(f"t{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    take_all = take(hub)[one.id]
    assert len(take_all) == 8 * 300
    for n in range(8):
        own = [frame for frame in take_all if frame.startswith(f"t{n}=".encode())]
        assert own == [f"t{n}={number};".encode() for number in range(300)]
