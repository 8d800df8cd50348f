"""The synchronous client, against a server on another thread."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hyperlambda import Evaluator
from hyperlambda.client import ReceivedMessage, SocketClient
from hyperlambda.errors import SocketError
from hyperlambda.server import BackgroundServer, FileExecutor
from hyperlambda.sockets import (
    Audience,
    AudienceKind,
    Hub,
    Message,
    SocketGroup,
    SocketUser,
)

from .clients import PATIENCE


@pytest.fixture
def server() -> Iterator[BackgroundServer]:
    with BackgroundServer() as background:
        yield background


@pytest.fixture
def root(server: BackgroundServer) -> Iterator[SocketClient]:
    with SocketClient(server.socket_url, token=server.token("ada", ["root"])) as client:
        yield client


def test_it_is_a_hub(root: SocketClient) -> None:
    carrier: Hub = root
    assert carrier.count_users() == 1


def test_it_publishes_and_receives(
    server: BackgroundServer, root: SocketClient
) -> None:
    with SocketClient(server.socket_url) as guest:
        for client in (root, guest):
            client.subscribe("foo.*", "marker")
        to_root = Audience(AudienceKind.ROLES, ("root", "admin"))
        root.publish(Message("foo.bar", '{"a": [1, "ü"]}', to_root))
        root.publish(Message("foo.baz"))
        root.unsubscribe("foo.*")
        root.publish(Message("foo.bar"))
        root.publish(Message("marker"))
        got = [next(root.messages(PATIENCE)) for _ in range(3)]
        assert got == [
            ReceivedMessage("foo.bar", {"a": [1, "ü"]}),
            ReceivedMessage("foo.baz", None),
            ReceivedMessage("marker", None),
        ]
        names = [next(guest.messages(PATIENCE)).name for _ in range(3)]
        assert names == ["foo.baz", "foo.bar", "marker"]


def test_it_knows_who_it_is(server: BackgroundServer, root: SocketClient) -> None:
    assert (root.username, root.roles) == ("ada", ("root",))
    assert server.hub.users() == [SocketUser("ada", (root.connection_id,))]
    with SocketClient(server.socket_url) as guest:
        assert (guest.username, guest.roles) == (None, ())


def test_it_asks_who_is_there(server: BackgroundServer, root: SocketClient) -> None:
    with SocketClient(server.socket_url, token=server.token("bo")) as bo:
        user = SocketUser("bo", (bo.connection_id,))
        assert root.users() == [SocketUser("ada", (root.connection_id,)), user]
        assert root.users("b") == root.users(offset=1, limit=None) == [user]
        assert (root.count_users(), root.count_users("b")) == (2, 1)
        with SocketClient(server.socket_url, token=server.token("bo")):
            assert (root.count_users(), root.count_users("b")) == (2, 1)
            counts = [root.count_connections(prefix) for prefix in ("", "b", "c")]
            assert counts == [3, 2, 0]


def test_it_runs_files(tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    program = """
.arguments
   a:*
auth.ticket.verify:root
sockets.signal:ran
unwrap:x:+/*
return
   got:x:@.arguments/*/a
"""
    for name, text in (("echo", program), ("quiet", ""), ("bad", "throw:no")):
        (tmp_path / "modules" / f"{name}.socket.hl").write_text(text)
    evaluator = Evaluator(root=tmp_path)
    with (
        FileExecutor(evaluator) as executor,
        BackgroundServer(execute=executor) as server,
        SocketClient(server.socket_url, token=server.token("ada", ["root"])) as root,
        SocketClient(server.socket_url) as guest,
    ):
        evaluator.hub = server.hub
        root.subscribe("ran")
        assert root.execute("/echo", {"a": "ü"}) == {"got": "ü"}
        assert next(root.messages(PATIENCE)) == ReceivedMessage("ran", None)
        assert root.execute("modules/quiet") is None
        for client, file, args, reason in (
            (root, "/missing", None, "the server refused: no socket file"),
            (root, "/bad", None, "the server refused: the file failed"),
            (root, "/echo", {"b": 1}, "the server refused: .*'b'"),
            (guest, "/echo", {"a": 1}, "the server refused: access denied"),
            (root, "/echo", {"a": {1}}, "the arguments of the file have no form"),
            (root, "/echo", float("nan"), "the arguments of the file have no form"),
        ):
            with pytest.raises(SocketError, match=f"(?i){reason}"):
                client.execute(file, args)
    with (
        BackgroundServer() as server,
        SocketClient(server.socket_url) as guest,
        pytest.raises(SocketError, match="does not run files"),
    ):
        guest.execute("/echo")


def test_it_lists_groups_and_excepts(
    server: BackgroundServer, root: SocketClient
) -> None:
    with SocketClient(server.socket_url, token=server.token("bo")) as bo:
        for client in (root, bo):
            client.subscribe("m")
        root.add_to_group("bo", "g")
        root.add_to_group(bo.connection_id, "h")
        root.add_to_group("ada", "g")
        assert root.groups() == [SocketGroup("g", 2), SocketGroup("h", 1)]
        assert root.groups("h") == root.groups(offset=1, limit=None)
        assert root.groups_of(bo.connection_id) == ["g", "h"]
        root.publish(Message("m", "1", excluded=(bo.connection_id,)))
        root.publish(Message("m", "2"))
        assert next(bo.messages(PATIENCE)).args == 2
        assert next(root.messages(PATIENCE)).args == 1


def test_it_disconnects(server: BackgroundServer, root: SocketClient) -> None:
    for disconnect in (root.disconnect_user, root.disconnect):
        with SocketClient(server.socket_url, token=server.token("bo")) as bo:
            disconnect("bo" if disconnect == root.disconnect_user else bo.connection_id)
            with pytest.raises(
                SocketError, match="closed the connection: disconnected"
            ):
                list(bo.messages(PATIENCE))


def test_it_changes_groups(server: BackgroundServer, root: SocketClient) -> None:
    to_group = Audience(AudienceKind.GROUPS, ("g",))
    with SocketClient(server.socket_url, token=server.token("bo")) as bo:
        bo.subscribe("*")
        root.publish(Message("before", None, to_group))
        root.add_to_group("bo", "g")
        root.publish(Message("while", None, to_group))
        root.remove_from_group("bo", "g")
        root.publish(Message("after", None, to_group))
        root.publish(Message("marker"))
        names = [next(bo.messages(PATIENCE)).name for _ in range(2)]
        assert names == ["while", "marker"]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (Message(""), "the server refused: 'name' must be a text"),
        (Message("a", "{"), "the argument of the message is no JSON"),
        (Message("a", '1,"roles":["x"]'), "the argument of the message is no JSON"),
        (Message("a", "[" * 100_000), "the argument of the message is no JSON"),
        (Message("a", "[NaN]"), "the argument of the message is no JSON"),
        (Message("a", "1e999"), "the argument of the message is no JSON"),
        (Message("\ud800"), "the server refused: 'name' holds half"),
    ],
)
def test_a_refused_message_says_why(
    root: SocketClient, message: Message, reason: str
) -> None:
    with pytest.raises(SocketError, match=reason):
        root.publish(message)
    root.publish(Message("a"))


def test_a_message_that_is_too_big_ends_the_client() -> None:
    with (
        BackgroundServer(max_size=1_000) as server,
        SocketClient(server.socket_url, token=server.token("a", ["root"])) as root,
    ):
        message = Message("a", '"' + "x" * 1_000 + '"')
        for _ in range(2):
            with pytest.raises(SocketError, match=r"closed the connection: .*exceeds"):
                root.publish(message)


def test_a_guest_may_not_publish(server: BackgroundServer) -> None:
    with (
        SocketClient(server.socket_url) as guest,
        pytest.raises(SocketError, match="needs a role that you do not have"),
    ):
        guest.publish(Message("a"))


def test_threads_share_a_client(server: BackgroundServer, root: SocketClient) -> None:
    with SocketClient(server.socket_url) as guest:
        guest.subscribe("*")

        def publish(name: str) -> None:
            for number in range(25):
                root.publish(Message(name, str(number)))

        names = [f"t{n}" for n in range(6)]
        threads = [threading.Thread(target=publish, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        seen: dict[str, list[int]] = {name: [] for name in names}
        for _ in range(6 * 25):
            got = next(guest.messages(PATIENCE))
            seen[got.name].append(got.args)
        for thread in threads:
            thread.join()
        assert seen == {name: list(range(25)) for name in names}


def test_messages_end_when_none_comes(root: SocketClient) -> None:
    assert list(root.messages(timeout=0)) == []


def test_messages_end_when_the_client_is_closed(root: SocketClient) -> None:
    got: list[ReceivedMessage] = []
    thread = threading.Thread(target=lambda: got.extend(root.messages()))
    thread.start()
    root.close()
    root.close()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert got == list(root.messages()) == []
    with pytest.raises(SocketError, match="is closed"):
        root.publish(Message("a"))


def test_a_lost_server_is_noticed() -> None:
    with BackgroundServer() as server:
        root = SocketClient(server.socket_url, token=server.token("ada", ["root"]))
    with root:
        for _ in range(2):
            with pytest.raises(SocketError, match="the server stops"):
                next(root.messages(PATIENCE))
        with pytest.raises(SocketError, match="the server stops"):
            root.publish(Message("a"))


def test_a_token_that_ends_ends_the_client() -> None:
    with BackgroundServer(leeway=0) as server:
        token = server.token("ada", lifetime_seconds=1)
        with (
            SocketClient(server.socket_url, token=token) as client,
            pytest.raises(SocketError, match="closed the connection: token expired"),
        ):
            next(client.messages(PATIENCE))


def test_a_refused_token_is_named(server: BackgroundServer) -> None:
    for token, why in (
        ("rubbish", "the token is malformed"),
        (server.token("ada", lifetime_seconds=-100), "the token has expired"),
        (server.token("ada")[:-3], "the token is signed with another secret"),
    ):
        with pytest.raises(SocketError) as refused:
            SocketClient(server.socket_url, token=token)
        assert str(refused.value) == f"the server refused the token: {why}"


def test_who_needs_a_token_is_told_so() -> None:
    with (
        BackgroundServer(require_auth=True) as server,
        pytest.raises(SocketError, match="lets nobody in without a token"),
    ):
        SocketClient(server.socket_url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ws://127.0.0.1:1/ws", "no server answers at ws://127.0.0.1:1/ws"),
        ("ws://no-such-host.invalid/ws", "no server answers at"),
        ("http://127.0.0.1:1/ws", "is no address of a socket server"),
        ("hello", "is no address of a socket server"),
        ("{url}/nothing", "no socket server at .*: it answers with status 404"),
    ],
)
def test_a_wrong_address_is_named(
    server: BackgroundServer, url: str, reason: str
) -> None:
    with pytest.raises(SocketError, match=reason):
        SocketClient(url.format(url=server.url.replace("http", "ws")))


def test_a_proxy_does_not_stand_between_us_and_this_machine(
    server: BackgroundServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with SocketClient(server.socket_url) as guest:
        assert guest.username is None


def test_importing_the_client_loads_no_network_library() -> None:
    program = (
        "import sys, hyperlambda.client; "
        "print([m for m in ('asyncio', 'websockets', 'jwt') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
