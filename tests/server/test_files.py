"""Files that clients of a real server run, over both protocols (spec 05 §2.3, §3)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hyperlambda import Audience, AudienceKind, Evaluator, Message
from hyperlambda.server import FILE_LIMITS, FileExecutor, SocketServer

from .clients import Connect, StartServer, message
from .javascript import NEW, OLD, Start
from .test_signalr_connections import greeted, invocation, received

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "samples/files/modules/chat/join.socket.hl"

FILES = {
    "modules/chat/join": SAMPLE.read_text("utf-8"),
    "modules/chat/leave": """
sockets.connection.leave-group
   group:room-a
""",
    "modules/me": """
get-context:sockets.connection
auth.ticket.get
unwrap:x:+/*
return
   id:x:@get-context
   user:x:@auth.ticket.get
""",
    "system/fail": "throw:no such luck\n   public:bool:true\n",
    "modules/echo": "add:x:+\n   get-nodes:x:@.arguments/*\nreturn\n",
}


@pytest.fixture
async def served(
    tmp_path: Path, start_server: StartServer
) -> AsyncIterator[SocketServer]:
    """Return a server that runs files."""
    for name, program in FILES.items():
        path = tmp_path / f"{name}.socket.hl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(program)
    evaluator = Evaluator(root=tmp_path, limits=FILE_LIMITS)
    executor = FileExecutor(evaluator)
    server = await start_server(execute=executor)
    evaluator.hub = server.hub
    yield server
    await server.stop()
    executor.close()


def to_group(name: str) -> Audience:
    return Audience(AudienceKind.GROUPS, (name,))


@pytest.mark.parametrize(
    ("package", "options"),
    [(NEW, {}), (NEW, {"skipNegotiation": True}), (OLD, {"skipNegotiation": True})],
)
async def test_javascript_clients_run_files(
    served: SocketServer,
    client: Start,
    package: str,
    options: dict[str, Any],
) -> None:
    token = served.token("ada", ["member"])
    ada = await client(served, package, token=token, **options)
    await ada.start("chat.joined", "news")
    # What a call causes comes before its end.
    await ada.tell("invoke", args=["/chat/join", '{"room":"a"}'])
    assert await ada.event() == {
        "event": "message",
        "name": "chat.joined",
        "args": ['{"who":"ada"}'],
    }
    assert await ada.event() == {"event": "result", "result": "room-a"}
    me = await ada.invoke("me", None)
    [user] = served.hub.users()
    assert me["result"] == {"id": user.connections[0], "user": "ada"}
    failed = await ada.invoke("/system/fail", "{}")
    assert failed["event"] == "failed"
    assert failed["error"].endswith("no such luck")
    served.hub.publish(Message("news", "1", to_group("room-a")))
    assert (await ada.event())["args"] == ["1"]
    assert (await ada.invoke("chat/leave", None))["event"] == "result"
    served.hub.publish(Message("news", "2", to_group("room-a")))
    served.hub.publish(Message("news", "3"))
    assert (await ada.event())["args"] == ["3"]


async def test_a_file_is_its_own_gate(
    served: SocketServer,
    client: Start,
) -> None:
    guest = await client(served)
    id = await guest.start("news")
    denied = await guest.invoke("/chat/join", '{"room":"a"}')
    assert denied["event"] == "failed"
    assert denied["error"].endswith("Access denied")
    assert (await guest.invoke("/me", ""))["result"] == {"id": id, "user": None}
    served.hub.publish(Message("news", "1", to_group("room-a")))
    served.hub.publish(Message("news", "2"))
    assert (await guest.event())["args"] == ["2"]


async def test_the_plain_protocol_runs_the_same_files(
    served: SocketServer, join: Connect
) -> None:
    ada = await join(served, "ada", ("member",), (), "chat.joined")
    await ada.send(type="execute", file="chat/join", args={"room": "a"}, id=1)
    assert await ada.receive() == message("chat.joined", {"who": "ada"})
    assert await ada.receive() == {"type": "executed", "id": 1, "result": "room-a"}
    assert await ada.ask(type="execute", file="/me") == {
        "type": "executed",
        "result": {"id": ada.id, "user": "ada"},
    }
    guest = await join(served)
    for file, error in [
        ("/system/fail", "no such luck"),
        ("/chat/join", "Access denied"),
        ("../x", "'../x' is no path of a socket file"),
        ("missing", "no socket file is named 'missing'"),
    ]:
        answer = await guest.ask(type="execute", file=file, id=file)
        assert answer == {
            "type": "error",
            "code": "failed",
            "message": error,
            "id": file,
        }


async def test_calls_end_in_the_order_in_which_they_were_made(
    served: SocketServer,
) -> None:
    async with greeted(served) as socket:
        calls = [
            invocation(0, invocationId=str(n), arguments=["echo", {"n": n}])
            for n in range(30)
        ]
        await socket.send("".join(calls))
        found: list[Any] = []
        while len(found) < 30:
            records = (await received(socket)).split("\x1e")[:-1]
            found += [json.loads(record)["result"] for record in records]
        assert found == [{"n": n} for n in range(30)]


async def test_what_a_page_sends_before_it_leaves_is_done(
    served: SocketServer, join: Connect
) -> None:
    watcher = await join(served, "bo", (), ("room-a",), "chat.joined")
    async with greeted(served, served.token("ada", ["member"])) as socket:
        call = invocation(0, arguments=["chat/join", {"room": "a"}])
        await socket.send(call * 3 + '{"type":7}\x1e')
    for _ in range(3):
        assert await watcher.receive() == message("chat.joined", {"who": "ada"})


def test_the_sample_stands_in_the_documentation() -> None:
    program = SAMPLE.read_text("utf-8")
    assert program in (ROOT / "docs" / "sockets.md").read_text("utf-8")
