"""What programs publish and what SignalR's own client makes of it (spec 05 §23, 5–7)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hyperlambda import Evaluator
from hyperlambda.server import FILE_LIMITS, FileExecutor, SocketServer
from hyperlambda.server.execution import FAILED
from hyperlambda.sockets import Audience, AudienceKind, Message

from .clients import StartServer, until_count
from .javascript import ClientProcess, Start

ECHO = "add:x:+\n   get-nodes:x:@.arguments/*\nreturn\n"

FILES = {
    "modules/echo": ECHO,
    "system/echo": f"{ECHO}   from:system\n",
    "../outside": "return:outside",
    "modules/typed": f".arguments\n   n:int\n{ECHO}",
    "modules/fail": "throw:a secret",
    "modules/refuse": "throw:no such luck\n   public:bool:true",
    "modules/unknown": "no.such.slot",
    "modules/gate": "auth.ticket.verify:editor\nreturn:passed",
    "modules/windows": ".n:é\r\nreturn:x:@.n\r\n",
    "modules/marked": "\ufeffreturn:marked",
    "modules/grüße/😀": "return:😀",
    "modules/users": "sockets.users\nadd:x:+\n   get-nodes:x:@sockets.users/*\nreturn",
    "modules/join": "sockets.connection.enter-group\n   group:g",
    "modules/leave": "sockets.signal:m\nsockets.connection.disconnect\nreturn:gone",
    "modules/slow": "sleep:50\nsockets.signal:m\n   args\n      .:slow\nreturn:slow",
    "modules/quick": "sockets.signal:m\n   args\n      .:quick\nreturn:quick",
}


PATHS = ("/modules/echo", "modules/echo", "/echo", "echo", "//echo.socket.hl")


class Refused(str):
    """How the error of a call that fails begins."""


@pytest.fixture
async def served(
    tmp_path: Path, start_server: StartServer
) -> AsyncIterator[SocketServer]:
    """Return a server that runs files; `tmp_path` is above its root."""
    evaluator = Evaluator(root=tmp_path / "root", limits=FILE_LIMITS)
    for name, program in FILES.items():
        write(tmp_path, name, program)
    with FileExecutor(evaluator) as executor:
        server = await start_server(execute=executor)
        evaluator.hub = server.hub
        yield server
        await server.stop()


def write(folder: Path, name: str, program: str) -> None:
    path = folder / "root" / f"{name}.socket.hl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(program, newline="")


async def until(client: ClientProcess, *ends: str) -> list[dict[str, Any]]:
    """Return what happens, up to one of some events or names of messages."""
    events = [await client.event()]
    while events[-1].get("name", events[-1]["event"]) not in ends:
        events.append(await client.event())
    return events


# Whom it reaches, and under which name.

AUDIENCES = [
    ("sockets.signal:m", "both"),
    ("sockets.signal:m\n   roles:root, admin", "five"),
    ("sockets.signal:m\n   roles:editor,root", "five"),  # and once
    ('sockets.signal:m\n   roles:" editor , , "', "five"),
    ("sockets.signal:m\n   roles:Editor", "nobody"),
    ('sockets.signal:m\n   roles:" , "', "nobody"),
    ('sockets.signal:m\n   groups:""', "nobody"),
    ("sockets.signal:m\n   users:int:5", "five"),
    ("sockets.signal:m\n   groups:int:7", "five"),
    (
        "get-context:sockets.connection\nsockets.signal:m\n   clients:x:@get-context",
        "guest",
    ),
    ("sockets.signal:int:9", "both"),
    ("sockets.signal:x:@.missing\n   roles:root", "nobody"),
    ('sockets.signal:""', "error"),
    ("sockets.signal:m\n   roles:x:@.missing", "error"),
    ("sockets.signal:m\n   roles", "error"),
    ("sockets.signal:m\n   roles:root\n   users:int:5", "error"),
    ("sockets.signal\n   roles:root\n   users:int:5", "error"),
]


async def test_a_message_reaches_its_audience_once_and_nobody_else(
    served: SocketServer, client: Start, tmp_path: Path
) -> None:
    five = await client(served, token=served.token("5", ["editor", "root"], ["7"]))
    guest = await client(served)
    for each in (five, guest):
        await each.start("m", "9", "end")
    for number, (program, who) in enumerate(AUDIENCES):
        write(tmp_path, f"modules/{number}", program)
        await guest.tell("invoke", args=[str(number), None])
        *before, outcome = await until(guest, "result", "failed")
        served.hub.publish(Message("end"))
        heard = {
            "guest": before + (await until(guest, "end"))[:-1],
            "five": (await until(five, "end"))[:-1],
        }
        names = [name for name, messages in heard.items() for _ in messages]
        wanted = {"both": ["guest", "five"], "nobody": [], "error": []}.get(who, [who])
        assert names == wanted, program
        assert (outcome["event"] == "failed") == (who == "error"), program


# What it carries.

ARGUMENTS: list[tuple[str, Any]] = [
    ("", None),
    ("args", "{}"),
    ("args:ignored", "{}"),
    ("args\n      id:int:17\n      state:paid", '{"id":17,"state":"paid"}'),
    ("args\n      .:int:1\n      :b", '[1,"b"]'),
    (
        "args\n      a\n         b\n            .:bool:true\n      c",
        '{"a":{"b":[true]},"c":null}',
    ),
    (
        "args\n      one:x:@.names/0\n      none:x:@.missing\n      all:x:@.names/*",
        '{"one":"Ada","none":null,"all":["Ada","Bo"]}',
    ),
    ('args\n      text:"Zoë & \\"co\\" 😀\\n"', '{"text":"Zoë & \\"co\\" 😀\\n"}'),
    ("args\n      text:" + "ä" * 2**19, '{"text":"' + "ä" * 2**19 + '"}'),  # 1 MiB
]


async def test_arguments_arrive_as_one_text(
    served: SocketServer, client: Start, tmp_path: Path
) -> None:
    one = await client(served)
    await one.start("m")
    for number, (arguments, text) in enumerate(ARGUMENTS):
        program = f".names\n   .:Ada\n   .:Bo\nsockets.signal:m\n   {arguments}"
        write(tmp_path, f"modules/{number}", program)
        await one.tell("invoke", args=[str(number), None])
        arrived, outcome = await until(one, "result", "failed")
        assert arrived["args"] == [text], arguments[:80]
        assert outcome == {"event": "result", "result": None}


# What a client runs.

CALLS: list[tuple[Any, Any, Any]] = [
    *((file, '{"a":1}', {"a": 1}) for file in PATHS),
    ("/system/echo", '{"a":1}', {"a": 1, "from": "system"}),
    ("/echo", None, None),
    ("/echo", "", None),
    ("/echo", "{}", None),
    ("/echo", {"a": {"b": [1]}}, {"a": {"b": [1]}}),
    ("/typed", '{"n":"7"}', {"n": 7}),
    ("windows", None, "é"),
    ("marked", None, "marked"),
    ("grüße/😀", None, "😀"),
    ("/gate", None, "passed"),
    ("../outside", None, Refused("'../outside' is no path of a socket file")),
    (
        "/modules/../../outside",
        None,
        Refused("'/modules/../../outside' is no path of a socket file"),
    ),
    ("/missing", None, Refused("no socket file is named '/missing'")),
    ("/echo", "{", Refused("the arguments cannot be read: bad JSON at line 1")),
    ("/typed", '{"m":1}', Refused("no argument is named 'm' here")),
    ("/typed", '{"n":"x"}', Refused("the argument 'n' is no 'int': ")),
    ("/fail", None, Refused(FAILED)),
    ("/unknown", None, Refused(FAILED)),
    ("/refuse", None, Refused("no such luck")),
    (None, None, Refused("An unexpected error occurred invoking 'execute' on the ")),
    (5, None, Refused("Failed to invoke 'execute' due to an error on the server.")),
]


async def test_a_client_gets_what_a_file_returns_or_why_not(
    served: SocketServer, client: Start
) -> None:
    # Who is root passes every gate.
    one = await client(served, token=served.token("ada", ["root"]))
    id = await one.start()
    for file, argument, wanted in CALLS:
        answer = await one.invoke(file, argument)
        if isinstance(wanted, Refused):
            assert answer["event"] == "failed", file
            assert answer["error"].startswith(wanted), file
        else:
            assert answer == {"event": "result", "result": wanted}, file
    users = await one.invoke("/users")
    assert users["result"] == [{"username": "ada", "connections": [id]}]


async def test_two_calls_end_in_their_order_and_behind_what_they_caused(
    served: SocketServer, client: Start
) -> None:
    one = await client(served)
    await one.start("m")
    for file in ("slow", "quick"):
        await one.tell("invoke", args=[file])
    events = [await one.event() for _ in range(4)]
    told = [each.get("args", each.get("result")) for each in events]
    # Promises are settled after all records of a frame, which may hold both calls' ends.
    for first, second in [
        (['["slow"]'], "slow"),
        (['["quick"]'], "quick"),
        (['["slow"]'], ['["quick"]']),
        ("slow", "quick"),
    ]:
        assert told.index(first) < told.index(second)


async def test_a_client_that_is_back_is_in_no_group_until_it_enters_again(
    served: SocketServer, client: Start
) -> None:
    one = await client(served, token=served.token("ada"), reconnect=[0] * 10)
    await one.start("m")
    to_group = Audience(AudienceKind.GROUPS, ("g",))
    for number in range(2):
        served.hub.publish(Message("m", f"{number} before", to_group))
        assert (await one.invoke("join"))["event"] == "result"
        served.hub.publish(Message("m", f"{number} within", to_group))
        assert await one.event() == {
            "event": "message",
            "name": "m",
            "args": [f"{number} within"],
        }
        served.hub.disconnect_user("ada", may_return=True)
        assert (await one.event())["event"] == "reconnecting"
        assert (await one.event())["event"] == "reconnected"


async def test_a_file_may_end_the_connection_that_runs_it(
    served: SocketServer, client: Start
) -> None:
    one = await client(served, reconnect=[0] * 10)
    await one.start("m")
    await one.tell("invoke", args=["leave"])
    await one.tell("invoke", args=["quick"])
    assert (await one.event())["args"] == [None]
    events = [await one.event() for _ in range(3)]
    assert sorted(each["event"] for each in events) == ["closed", "failed", "failed"]
    await until_count(served, 0)
