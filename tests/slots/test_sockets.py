"""The slots of sockets.* (spec 05 §2 and 22; "an audience fails closed")."""

from __future__ import annotations

from typing import Any

import pytest

from hyperlambda import (
    ArgumentError,
    Audience,
    AudienceKind,
    Evaluator,
    Message,
    Node,
    SocketGroup,
    SocketUser,
    generate,
    parse,
)
from hyperlambda.errors import (
    ConversionError,
    ExpressionError,
    HyperlambdaError,
    LimitError,
    SocketError,
)
from hyperlambda.limits import Limits
from hyperlambda.registry import standard_slots
from hyperlambda.sockets import CONNECTION

ROLES, GROUPS = AudienceKind.ROLES, AudienceKind.GROUPS
USERS, CLIENTS = AudienceKind.USERS, AudienceKind.CLIENTS


class RecordingHub:
    """A hub that only writes down what it is told."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.calls: list[tuple[Any, ...]] = []

    def publish(self, message: Message) -> None:
        self.messages.append(message)

    def users(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketUser]:
        self.calls.append(("users", prefix, offset, limit))
        return [SocketUser("ada", ("c1", "c2")), SocketUser("c3", ("c3",))]

    def _list(self, *call: Any) -> list[Any]:
        self.calls.append(call)
        if call[0] == "groups":
            return [SocketGroup("editors", 2)]
        return ["editors", "staff"]

    def count_users(self, prefix: str = "") -> int:
        self.calls.append(("count", prefix))
        return 7

    def count_connections(self, prefix: str = "") -> int:
        self.calls.append(("count-connections", prefix))
        return 9

    def add_to_group(self, username: str, group: str, *, persist: bool = False) -> None:
        self.calls.append(("add for good" if persist else "add", username, group))

    def remove_from_group(self, username: str, group: str) -> None:
        self.calls.append(("remove", username, group))

    def groups(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketGroup]:
        return self._list("groups", prefix, offset, limit)

    def groups_of(self, connection: str) -> list[str]:
        return self._list("groups-of", connection)

    def lasting_groups_of(self, username: str) -> list[str]:
        return self._list("lasting-groups-of", username)

    def disconnect(
        self, connection: str, reason: str = "", *, may_return: bool = False
    ) -> None:
        self.calls.append(("disconnect", connection, reason, may_return))

    def disconnect_user(
        self, username: str, reason: str = "", *, may_return: bool = False
    ) -> None:
        self.calls.append(("disconnect-user", username, reason, may_return))


@pytest.fixture
def hub() -> RecordingHub:
    return RecordingHub()


def run(hub: RecordingHub, program: str) -> Node:
    """Run a program and return its last node."""
    root = parse(program)
    Evaluator(hub=hub).evaluate(root)
    return root.children[-1]


def sent(hub: RecordingHub, program: str) -> Message:
    """Run a program that sends one message, and return that."""
    run(hub, program)
    (message,) = hub.messages
    return message


# What is said


def test_message_of_the_guide_goes_to_the_roles(hub: RecordingHub) -> None:
    node = run(
        hub,
        "socket.signal:foo.bar\n   roles:root, admin\n   args\n"
        "      message:Hello from backend",
    )
    assert hub.messages == [
        Message(
            "foo.bar",
            '{"message":"Hello from backend"}',
            Audience(ROLES, ("root", "admin")),
        )
    ]
    assert generate([node]) == "socket.signal:foo.bar\n"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("", None),
        ("args", "{}"),
        ("args:ignored", "{}"),
        ("args\n      id:int:17\n      state:paid", '{"id":17,"state":"paid"}'),
        ("args\n      .:int:1\n      .:int:2", "[1,2]"),
        ("args\n      .:1\n      a:2", '{".":"1","a":"2"}'),
        ("args\n      format:bool:true\n      a", '{"format":true,"a":null}'),
        ("args\n      a:1\n   args\n      b:2", '{"a":"1"}'),
        (
            'args\n      on:date:"2024-01-02T03:04:05.000Z"',
            '{"on":"2024-01-02T03:04:05Z"}',
        ),
    ],
)
def test_args_become_json(hub: RecordingHub, arguments: str, text: str | None) -> None:
    assert sent(hub, f"sockets.signal:x\n   {arguments}").argument == text


def test_expressions_in_args_are_unwrapped_at_every_level(hub: RecordingHub) -> None:
    message = sent(
        hub,
        ".names\n   .:Ada\n   .:Bo\n"
        "sockets.signal:team.changed\n   args\n      first:x:@.names/0\n"
        "      all:x:@.names/*\n      deep\n         none:x:@.missing",
    )
    assert message.argument == (
        '{"first":"Ada","all":["Ada","Bo"],"deep":{"none":null}}'
    )


def test_slots_in_args_do_not_run(hub: RecordingHub) -> None:
    message = sent(hub, "sockets.signal:x\n   args\n      throw:no")
    assert message.argument == '{"throw":"no"}'


@pytest.mark.parametrize(
    ("value", "name"), [("a.b", "a.b"), ("x:@.n", "5"), ("int:7", "7")]
)
def test_name_is_a_text(hub: RecordingHub, value: str, name: str) -> None:
    assert sent(hub, f".n:int:5\nsockets.signal:{value}").name == name


def test_null_name_sends_nothing_but_looks_at_everything(hub: RecordingHub) -> None:
    node = run(hub, "sockets.signal:x:@.missing\n   args\n      a:x:@.missing")
    assert hub.messages == []
    assert not node.children
    for children in ("roles:a\n   users:b", "role", "rolls:a", "args\n      a:char:x"):
        with pytest.raises(HyperlambdaError):
            run(hub, f"sockets.signal\n   {children}")


def test_empty_name_is_an_error(hub: RecordingHub) -> None:
    with pytest.raises(ArgumentError):
        run(hub, 'sockets.signal:""')
    assert hub.messages == []


# Who hears it


@pytest.mark.parametrize(
    ("argument", "kind", "names"),
    [
        ("roles:root, admin", ROLES, ("root", "admin")),
        ("role:root", ROLES, ("root",)),
        ("groups:a,b", GROUPS, ("a", "b")),
        ("group:a", GROUPS, ("a",)),
        ('users:" ada ,\tbo,"', USERS, ("ada", "bo")),
        ("user:int:5", USERS, ("5",)),
        ("clients:c1", CLIENTS, ("c1",)),
        ("client:x:@.who", CLIENTS, ("c9",)),
        ('groups:""', GROUPS, ()),
        ('roles:" , "', ROLES, ()),
        ("roles:a\n   roles:b", ROLES, ("a",)),
    ],
)
def test_audience(
    hub: RecordingHub, argument: str, kind: AudienceKind, names: tuple[str, ...]
) -> None:
    message = sent(hub, f".who:c9\nsockets.signal:x\n   {argument}")
    assert message.audience == Audience(kind, names)


def test_without_audience_the_message_is_for_everyone(hub: RecordingHub) -> None:
    assert sent(hub, "sockets.signal:x").audience == Audience()


@pytest.mark.parametrize("name", ["roles", "group", "users", "client"])
@pytest.mark.parametrize("value", ["", ":x:@.missing", ":x:@.null"])
def test_audience_that_is_null_is_an_error(
    hub: RecordingHub, name: str, value: str
) -> None:
    with pytest.raises(ArgumentError, match=f"'{name}' is null") as caught:
        run(hub, f".null\nsockets.signal:x\n   {name}{value}")
    assert str(caught.value.place) == "<text>:3:4"
    assert hub.messages == []


@pytest.mark.parametrize(
    ("arguments", "audience"),
    [
        ("roles:x:@.missing", Audience()),
        ("roles\n   users:x:@.missing", Audience()),
        ("roles\n   users:ada", Audience(USERS, ("ada",))),
        ('roles:""', Audience(ROLES, ())),
    ],
)
def test_a_null_audience_can_mean_everyone_as_in_the_reference(
    hub: RecordingHub, arguments: str, audience: Audience
) -> None:
    for value in (True, "True"):
        config = {"magic:sockets:Null-Audience-Is-Everyone": value}
        program = parse(f"sockets.signal:x\n   {arguments}")
        Evaluator(hub=hub, config=config).evaluate(program)
        assert hub.messages.pop().audience == audience


@pytest.mark.parametrize("value", [False, "false", None, 1])
def test_only_true_makes_null_mean_everyone(hub: RecordingHub, value: Any) -> None:
    config = {"magic:sockets:null-audience-is-everyone": value}
    with pytest.raises(ArgumentError, match="is null"):
        Evaluator(hub=hub, config=config).run("sockets.signal:x\n   roles")
    assert hub.messages == []


@pytest.mark.parametrize(
    ("first", "second"),
    [("roles", "users"), ("groups", "clients"), ("role", "roles")],
)
def test_two_audiences_are_an_error(hub: RecordingHub, first: str, second: str) -> None:
    with pytest.raises(ArgumentError, match="one audience"):
        run(hub, f'sockets.signal:x\n   {first}:a\n   {second}:""')
    assert hub.messages == []


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("rolls", "roles"),
        ("Roles", "roles"),
        (".roles", "roles"),
        ("gruop", "group"),
        ("arg", "args"),
        ("excpet", "except"),
        ("message", None),
        (".", None),
        ('""', None),
    ],
)
def test_unknown_argument_is_an_error_that_names_the_near_one(
    hub: RecordingHub, name: str, near: str | None
) -> None:
    with pytest.raises(ArgumentError) as caught:
        run(hub, f"sockets.signal:x\n   args\n   {name}:a")
    assert hub.messages == []
    help = caught.value.help or ""
    assert str(caught.value.place) == "<text>:3:4"
    assert f"'{near}'" in help if near else "args" in help


def test_several_results_are_an_error(hub: RecordingHub) -> None:
    with pytest.raises(ExpressionError):
        run(hub, ".a\n   b\n   b\nsockets.signal:x\n   roles:x:@.a/*")


# Groups and users


@pytest.mark.parametrize("family", ["sockets", "socket"])
@pytest.mark.parametrize(
    ("slot", "call"), [("add-to-group", "add"), ("remove-from-group", "remove")]
)
def test_group_slots_tell_the_hub(
    hub: RecordingHub, family: str, slot: str, call: str
) -> None:
    program = f"{family}.user.{slot}:x:@.who\n   group:x:@.group\n   other\n"
    node = run(hub, f".who:ada\n.group:int:5\n{program}")
    assert hub.calls == [(call, "ada", "5")]
    assert generate([node]) == program


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("persist:bool:true", "add for good"),
        ("persist:x:@.yes", "add for good"),
        ("persist:bool:false", "add"),
        ("persist", "add"),
        ("persist:x:@.missing", "add"),
    ],
)
def test_a_user_is_put_into_a_group_for_good(
    hub: RecordingHub, argument: str, call: str
) -> None:
    program = f"sockets.user.add-to-group:ada\n   group:g\n   {argument}\n"
    node = run(hub, f".yes:bool:true\n{program}")
    assert hub.calls == [(call, "ada", "g")]
    assert generate([node]) == program


@pytest.mark.parametrize("value", ["ada", "x:@.who"])
def test_groups_of_a_user_are_listed(hub: RecordingHub, value: str) -> None:
    node = run(hub, f".who:ada\nsockets.user.groups:{value}\n   old")
    assert hub.calls == [("lasting-groups-of", "ada")]
    assert generate([node]) == "sockets.user.groups\n   .:editors\n   .:staff\n"
    with pytest.raises(ArgumentError, match="username"):
        run(hub, "sockets.user.groups:x:@.missing")


@pytest.mark.parametrize("slot", ["add-to-group", "remove-from-group"])
@pytest.mark.parametrize(
    "rest", ["\n   group:a", ":ada", ":ada\n   group", ":ada\n   group:x:@.missing"]
)
def test_group_slots_need_a_user_and_a_group(
    hub: RecordingHub, slot: str, rest: str
) -> None:
    with pytest.raises(ArgumentError):
        run(hub, f"sockets.user.{slot}{rest}")
    assert hub.calls == []


def test_users_are_listed(hub: RecordingHub) -> None:
    node = run(hub, "sockets.users:ignored")
    assert generate([node]) == (
        "sockets.users\n"
        "   .\n      username:ada\n      connections\n"
        "         .:c1\n         .:c2\n"
        "   .\n      username:c3\n      connections\n         .:c3\n"
    )


@pytest.mark.parametrize(
    ("arguments", "call"),
    [
        ([], ("users", "", 0, 10)),
        (["filter:a", "offset:int:5", "limit:int:3"], ("users", "a", 5, 3)),
        (["offset:int:-5", 'limit:"20"'], ("users", "", 0, 20)),
        (["filter", "limit:x:@.missing"], ("users", "", 0, 10)),
        (["limit:int:0"], ("users", "", 0, 0)),
    ],
)
def test_users_are_asked_for_by_page(
    hub: RecordingHub, arguments: list[str], call: tuple[Any, ...]
) -> None:
    run(hub, "\n   ".join(["socket.users", *arguments]))
    assert hub.calls == [call]


@pytest.mark.parametrize(
    ("argument", "error"),
    [
        ("limit:int:-1", ArgumentError),
        ("limit", ConversionError),
        ("offset", ConversionError),
    ],
)
def test_bad_page_is_an_error(
    hub: RecordingHub, argument: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        run(hub, f"sockets.users\n   {argument}")


def test_users_count_as_nodes(hub: RecordingHub) -> None:
    with pytest.raises(LimitError):
        Evaluator(hub=hub, limits=Limits(max_nodes=4)).run("sockets.users")


def test_users_are_counted(hub: RecordingHub) -> None:
    node = run(hub, "socket.users.count\n   filter:a")
    assert generate([node]) == "socket.users.count:int:7\n"
    assert hub.calls == [("count", "a")]


def test_connections_are_counted(hub: RecordingHub) -> None:
    node = run(hub, ".f:a\nsocket.connections.count\n   filter:x:@.f")
    assert generate([node]) == "socket.connections.count:int:9\n"
    assert run(hub, "sockets.connections.count:ignored").value == 9
    assert hub.calls == [("count-connections", "a"), ("count-connections", "")]


# Administration


def test_groups_are_listed(hub: RecordingHub) -> None:
    node = run(hub, "sockets.groups:ignored\n   filter:e\n   offset:int:1\n   limit:5")
    assert hub.calls == [("groups", "e", 1, 5)]
    assert generate([node]) == (
        "sockets.groups\n   .\n      name:editors\n      connections:int:2\n"
    )
    with pytest.raises(ArgumentError, match="limit"):
        run(hub, "sockets.groups\n   limit:int:-1")


@pytest.mark.parametrize("value", ["c1", "x:@.id"])
def test_groups_of_a_connection_are_listed(hub: RecordingHub, value: str) -> None:
    node = run(hub, f".id:c1\nsockets.connection.groups:{value}\n   old")
    assert hub.calls == [("groups-of", "c1")]
    assert generate([node]) == ("sockets.connection.groups\n   .:editors\n   .:staff\n")


@pytest.mark.parametrize("slot", ["connection", "user"])
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], ("", False)),
        (["message:x:@.why", "reconnect:x:@.back"], ("gone", True)),
        (["message", "reconnect:bool:false"], ("", False)),
    ],
)
def test_disconnecting_tells_the_hub(
    hub: RecordingHub, slot: str, arguments: list[str], told: tuple[str, bool]
) -> None:
    program = "\n   ".join([f"sockets.{slot}.disconnect:x:@.who", *arguments])
    node = run(hub, f".who:ada\n.why:gone\n.back:bool:true\n{program}")
    name = "disconnect-user" if slot == "user" else "disconnect"
    assert hub.calls == [(name, "ada", *told)]
    assert generate([node]) == f"{program}\n"


@pytest.mark.parametrize("slot", ["connection.disconnect", "connection.groups"])
def test_the_connection_that_runs_a_program_is_meant_by_default(
    hub: RecordingHub, slot: str
) -> None:
    with Evaluator(hub=hub)._begin() as running, running.scope(CONNECTION, "c7"):
        running.run_tree(parse(f"sockets.{slot}"))
    assert hub.calls[0][1] == "c7"
    with pytest.raises(ArgumentError, match="null"):
        run(hub, f"sockets.{slot}:x:@.missing")
    with pytest.raises(ArgumentError, match="no connection runs"):
        run(hub, f"sockets.{slot}")


def test_nobody_is_disconnected_by_mistake(hub: RecordingHub) -> None:
    with pytest.raises(ArgumentError, match="username"):
        run(hub, "sockets.user.disconnect:x:@.missing")
    assert hub.calls == []


@pytest.mark.parametrize(
    ("text", "excluded"), [("c1, c2", ("c1", "c2")), ('""', ()), ("x:@.id", ("c7",))]
)
def test_except_leaves_connections_out(
    hub: RecordingHub, text: str, excluded: tuple[str, ...]
) -> None:
    message = sent(hub, f".id:c7\nsockets.signal:x\n   users:ada\n   except:{text}")
    assert message == Message("x", None, Audience(USERS, ("ada",)), excluded)


@pytest.mark.parametrize("text", ["", ":x:@.missing"])
def test_except_that_is_null_is_an_error(hub: RecordingHub, text: str) -> None:
    with pytest.raises(ArgumentError, match="except"):
        run(hub, f"sockets.signal:x\n   except{text}")
    assert hub.messages == []


# All of them

NAMES = [name for name in standard_slots() if name.startswith(("socket.", "sockets."))]


def test_each_slot_has_both_names() -> None:
    functions = standard_slots().functions
    assert len(NAMES) == 26
    for name in NAMES:
        if name.startswith("sockets."):
            assert functions[name] is functions["socket." + name[8:]]


@pytest.mark.parametrize("name", NAMES)
def test_without_hub_the_error_says_how_to_get_one(name: str) -> None:
    with pytest.raises(SocketError, match="not enabled") as caught:
        Evaluator().run(f"{name}:a\n   group:b")
    assert name in caught.value.message
    assert "--connect" in (caught.value.help or "")


def test_error_of_the_hub_is_passed_on_and_can_be_caught() -> None:
    class BrokenHub(RecordingHub):
        def publish(self, message: Message) -> None:
            raise SocketError("the server is gone")

    root = parse(
        "try\n   sockets.signal:x\n.catch\n   get-value:x:@.arguments/*/message"
    )
    Evaluator(hub=BrokenHub()).evaluate(root)
    assert root.children[1].children[-1].value == "the server is gone"
