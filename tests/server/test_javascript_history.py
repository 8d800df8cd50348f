"""SignalR's own client gets what it missed, if it asks for it."""

from __future__ import annotations

from hyperlambda.server import SocketServer
from hyperlambda.server.history import History
from hyperlambda.server.retention import Rule
from hyperlambda.sockets import Message

from .clients import StartServer
from .javascript import NEW, ClientProcess, client_process

POSITION = "hyperlambda.position"


def publish(server: SocketServer, *numbers: int) -> None:
    for number in numbers:
        server.hub.publish(Message("chat.a", str(number)))


async def arrived(client: ClientProcess, count: int) -> tuple[list[str], str]:
    """Return the payloads of messages, and the position behind the last one."""
    texts, position = [], ""
    for _ in range(count):
        message = await client.event()
        assert (message["event"], message["name"]) == ("message", "chat.a")
        texts += message["args"]
        behind = await client.event()
        assert (behind["event"], behind["name"]) == ("message", POSITION)
        [position] = behind["args"]
    return texts, position


async def test_it_resumes_after_a_reconnect(
    node: str, start_server: StartServer
) -> None:
    server = await start_server(history=History([Rule("chat.*", 4)]))
    options = {"token": server.token("ada"), "reconnect": [0, 0, 1_000, 1_000]}
    url = f"{server.url}/sockets?resume=1"
    async with client_process(
        *(node, "driver.cjs", NEW, url), options=options
    ) as client:
        id = await client.start("chat.a", POSITION)
        publish(server, 1)
        first = await client.invoke(None, target="resume")
        assert first["result"]["recovered"] is True
        publish(server, 2)
        texts, position = await arrived(client, 1)
        assert texts == ["2"]
        for missed, told, is_whole in (
            ([3, 4], ["3", "4"], True),
            ([5, 6, 7, 8, 9], ["6", "7", "8", "9"], False),
        ):
            assert id is not None
            server.hub.disconnect(id, "again", may_return=True)
            publish(server, *missed)
            assert (await client.event())["event"] == "reconnecting"
            back = await client.event()
            assert back["event"] == "reconnected"
            await client.tell("invoke", args=[position, [id]], target="resume")
            id = back["id"]
            texts, position = await arrived(client, len(told))
            assert texts == told
            result = (await client.event())["result"]
            assert result == {
                "position": position,
                "recovered": is_whole,
                "more": False,
            }
