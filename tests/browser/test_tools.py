"""What the Sockets page has for debugging: programs, groups, files (spec 05 §18.3)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hyperlambda import Evaluator
from hyperlambda.server import FileExecutor, SocketServer

from ..server.clients import SECRET, Connect, closed
from .page import Browser, Page, opened
from .test_page import tab_to

FILES = Path(__file__).parents[2] / "samples" / "files"

# The program.

PAYLOADS: list[tuple[str, str]] = [
    ("", ""),
    ("null", ""),
    ("{}", "   args"),
    ('{"message":"Hello from backend"}', "      message:Hello from backend"),
    ('{"a":1,"b":2147483648,"c":true}', "      b:long:2147483648"),
    ('{"a":1.10,"b":-2.5e3,"c":12345678901234567890}', "      a:decimal:1.10"),
    ('[1,[2,[null,"x"]]]', "         .:int:2"),
    ('{"rows":[{"id":1},{"id":2}]}', "         .\n            id:int:1"),
    ('{"":1,"a":"","..":"// x"}', '      "":int:1'),
    ('{"a:b":"c:d","e f":" g ","@x":"@.x","x":"/* y */"}', '      "a:b":"c:d"'),
    (r'{"t":"a\n\"b\"\\c\td\u0001\u00fc","int":"5"}', '      int:"5"'),
    ('{"x":"true","args":{"roles":"r"},"n":null}', "         roles:r"),
]


@pytest.mark.parametrize("start", [0, 6])
async def test_the_program_publishes_what_the_page_would(
    page: Page, server: SocketServer, start: int
) -> None:
    await page.connect(server.url, server.token("root", ["root"]))
    await page.subscribe("*")
    await page.toggle("#program")
    evaluator = Evaluator(hub=server.hub)
    for number, (payload, line) in enumerate(PAYLOADS[start : start + 6], 1):
        await page.publish("foo.bar", payload, "Roles", "root, admin")
        [program] = await page.texts("#program-text")
        assert program.startswith("socket.signal:foo.bar\n   roles:root, admin")
        assert line in program
        await evaluator.run_async(program)
        await page.see("#names .badge", str(2 * number))
        await page.see("#count", str(2 * number))
        ours, theirs = (await page.texts("#log .message pre"))[:2]
        # Numbers count as such: 2500.0 is 2.5e3.
        assert json.loads(ours) == json.loads(theirs)


async def test_the_program_is_that_of_the_form(
    page: Page, server: SocketServer
) -> None:
    await page.do("goto", url=server.url)
    await page.toggle("#program")
    await page.see("#program-text", "socket.signal:foo.bar\n   args\n      message:")
    await page.fill("Name", "a b:c")
    await page.fill("Payload", "[true]")
    await page.do("choose", name="Users")
    await page.fill("Names of the audience", ' ada ,, "bo" ')
    assert await page.texts("#program-text") == [
        'socket.signal:"a b:c"\n   users:"ada, \\"bo\\""\n   args\n      .:bool:true'
    ]
    await page.do(
        "evaluate",
        script="navigator.clipboard.writeText = async (text) => { window.copied = text; }",
    )
    await page.click("Copy the program")
    assert (await page.do("evaluate", script="window.copied")).startswith("socket.")
    await page.fill("Names of the audience", "Doe\\, Jo")
    await page.see("#program-none", "Nodes cannot say this")
    await page.fill("Names of the audience", "ada")
    await page.see("#program-text", "users:ada")
    for payload in ("5", '"text"', "[]", '{"a":[]}', '{"a":{}}', '{".":1}', "{"):
        await page.fill("Payload", payload)
        await page.see("#program-none", "Nodes cannot say this")
        assert await page.texts("#program-text") == [""]


# Groups.


async def test_groups_are_listed_joined_and_left(
    page: Page, server: SocketServer
) -> None:
    await page.connect(server.url, server.token("root", ["root"], ["staff"]))
    [connection] = server.hub.connections
    await page.toggle("#groups-card")
    await page.see("#groups-list li", "staff")
    await page.click("Join")
    await page.see("#group-outcome.bad", "Which group?")
    await page.fill("Group", "g <b>")
    await page.click("Join")
    await page.see("#group-outcome", "Put this page into g <b>.")
    await page.see("#groups", "g <b>, staff")
    assert server.hub.groups_of(connection.id) == ["g <b>", "staff"]
    assert await page.texts("#groups-list b") == ["g <b>", "staff"]
    # A message to it is one press away.
    await page.subscribe("m")
    await page.click("Message group g <b>")
    await page.fill("Name", "m")
    await page.click("Publish")
    await page.see("#publish-outcome", "groups g <b>: sent to 1 connection.")
    await page.click("Leave")
    await page.see("#group-outcome", "Took this page out of g <b>.")
    assert await page.texts("#groups-list b") == ["staff"]
    # Somebody else, by name.
    await page.fill("User or connection", "root")
    await page.click("Join")
    await page.see("#group-outcome", "Put root into g <b>.")
    assert server.hub.groups_of(connection.id) == ["g <b>", "staff"]
    await page.see("#groups-count", "2")
    # And somebody who is not there yet.
    await page.fill("User or connection", "ada")
    await page.do(
        "click", role="checkbox", name="Also connections that the user makes later"
    )
    await page.click("Join")
    await page.see("#group-outcome", "Put ada into g <b>, with later connections too.")
    assert server.hub.lasting_groups_of("ada") == ["g <b>"]
    await page.click("Leave")
    await page.see("#group-outcome", "Took ada out of g <b>.")
    assert server.hub.lasting_groups_of("ada") == []


async def test_who_may_not_change_groups_does_not_see_them(
    page: Page, server: SocketServer
) -> None:
    await page.connect(server.url, server.token("ada"))
    await page.see("#publish-outcome", "Your roles may not publish here")
    assert await page.do(
        "evaluate", script="document.querySelector('#groups-card').hidden"
    )


# Disconnecting.


async def test_a_user_is_disconnected_and_may_come_back(
    page: Page, server: SocketServer, browser: Browser
) -> None:
    async with opened(browser) as other:
        await other.connect(server.url, server.token("ada"))
        await page.connect(server.url, server.token("root", ["root"]))
        await page.see("#users b", "ada")
        await page.click("Disconnect user ada")
        await page.see("#disconnect", "1 connection will end.")
        assert await page.do("focus") == "disconnect-reason"
        # "Escape" changes nothing, and goes back.
        await page.do("type", text="never mind")
        await page.press("Escape")
        await page.do("gone", selector="#disconnect")
        assert await page.do("focus") == "Disconnect user ada"
        await page.press("Enter")
        await page.see("#disconnect", "1 connection will end.")
        await page.do("type", text="a moment, please")
        await page.press("Tab", "Space", "Enter")
        await page.see("#users-outcome", "Disconnected user ada, which may come back")
        await other.see("#log .note", "Connection lost: a moment, please.")
        await other.see("#state", "Connected as ada")

        [ada] = [user for user in server.hub.users() if user.username == "ada"]
        [id] = ada.connections
        await page.click(f"Disconnect connection {id}")
        await page.fill("Reason that the client is told", "go <b>")
        await page.click("Disconnect connection")
        await page.see("#users-outcome", f"{id}, which is asked to stay away")
        await other.see("#state", "the server ended the connection: go <b>")
    await page.see("#users-count", "1")
    await page.see("#users-filter:focus", "")
    # For the page itself there is the button on top.
    assert await page.do("count", selector="[aria-label^='Disconnect ']") == 0


async def test_a_user_of_the_page_can_be_disconnected_too(
    page: Page, server: SocketServer, join: Connect
) -> None:
    other = await join(server, "root", ("root",))
    await page.connect(server.url, server.token("root", ["root"]))
    await page.click("Disconnect user root")
    await page.see("#disconnect", "2 connections will end, and this page is one")
    await page.click("Disconnect user")
    await page.see("#state", "Not connected: the server ended the connection")
    await page.do("gone", selector="#disconnect")
    await page.see("#connect-button:focus", "Connect")
    assert await closed(other) == (3503, "disconnected")


# Files.


async def test_a_file_is_run_and_its_result_shown(browser: Browser) -> None:
    evaluator = Evaluator(root=FILES)
    with FileExecutor(evaluator) as executor:
        async with (
            SocketServer(port=0, secret=SECRET, execute=executor) as server,
            opened(browser) as page,
        ):
            evaluator.hub = server.hub
            await page.connect(server.url, server.token("ada", ["member"]))
            await page.subscribe("chat.*")
            await page.toggle("#run-card")
            assert not await page.is_enabled("Run")
            await page.fill("File", "/chat/join")
            await page.fill("Arguments", '{"room":')
            await page.see("#run-check.bad", "No JSON: ")
            assert not await page.is_enabled("Run")
            await page.fill("Arguments", '{"room":"a"}')
            await page.click("Run")
            await page.see("#run-result", '"room-a"')
            await page.see("#run-outcome", "Ended after")
            await page.see("#log .name", "chat.joined")
            await page.fill("File", "/missing")
            await page.click("Run")
            await page.see("#run-outcome.bad", "no socket file is named '/missing'")
            await page.do("gone", selector="#run-result")
            assert await page.is_enabled("Run")
            seen = await page.do("problems")
            assert seen["problems"] == []


async def test_without_files_the_page_says_so(page: Page, server: SocketServer) -> None:
    await page.connect(server.url)
    await page.toggle("#run-card")
    await page.fill("File", "/x")
    await page.click("Run")
    await page.see("#run-outcome.bad", "this server does not run files")


# The rest.


async def test_the_page_says_when_sockets_are_off(browser: Browser) -> None:
    async with (
        SocketServer(port=0, signalr_path="") as server,
        opened(browser) as page,
    ):
        await page.do("goto", url=server.url)
        await page.click("Connect")
        await page.see("#state", "'magic:sockets:url' is empty")


async def test_all_of_it_works_with_keys_and_is_folded_at_first(
    page: Page, server: SocketServer
) -> None:
    await page.connect(server.url, server.token("root", ["root"]))
    await page.see("#users li", "this page")
    for inner in ("group-name", "run-file", "program-text"):
        script = f"document.getElementById('{inner}').checkVisibility()"
        assert not await page.do("evaluate", script=script)
    await page.do("evaluate", script="document.getElementById('publish-name').focus()")
    assert await tab_to(page, "As a program") < 8
    await page.press("Enter", "Tab")
    assert await page.do("focus") == "program-text"
    assert await tab_to(page, "Groups 0") < 8
    await page.press("Enter", "Tab")
    assert await page.do("focus") == "group-name"
    await page.do("type", text="g")
    await page.press("Enter")
    await page.see("#group-outcome", "Put this page into g.")
    assert await tab_to(page, "Run a file") < 8
    await page.press("Enter", "Tab")
    assert await page.do("focus") == "run-file"


async def test_the_reach_counts_connections_once(
    page: Page, server: SocketServer, browser: Browser
) -> None:
    await page.connect(server.url, server.token("root", ["root", "admin"]))
    await page.subscribe("m", "*")
    async with opened(browser) as other:
        await other.connect(server.url, server.token("ada", ["admin"]))
        await other.subscribe("m")
        await page.publish("m", "1", "Roles", "root, admin")
        await page.see("#publish-outcome", "sent to 2 connections.")
