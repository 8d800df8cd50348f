"""
The four demonstrations of spec 05 §18.1 on the Sockets page (§23, 17).

What must not arrive is followed by something that does: when that is there, nothing
else has come.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hyperlambda import Evaluator
from hyperlambda.server import SocketServer

from .page import Page

PAYLOAD = '{"message":"Hello from backend"}'
PRETTY = '{\n  "message": "Hello from backend"\n}'
SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture
async def root(page: Page, server: SocketServer) -> Page:
    """Connect the page as root."""
    await page.connect(server.url, server.token("root", ["root"]))
    return page


async def last_is(page: Page, *payloads: str) -> None:
    """See that these payloads are all that has arrived, when one more message has."""
    await page.subscribe("end")
    await page.publish("end", '"the end"')
    await page.see("#log pre", "the end")
    assert (await page.texts("#log .message pre"))[1:] == list(payloads)


async def test_1_what_is_subscribed_to_and_published_is_seen(root: Page) -> None:
    await root.subscribe("foo")
    await root.publish("foo", '{"foo":"bar"}')
    await root.see("#log .message .name", "foo")
    await root.see("#publish-outcome", "to everybody: sent to 1 connection.")
    await last_is(root, '{\n  "foo": "bar"\n}')


async def test_2_the_sample_for_roles_reaches_root(
    root: Page, server: SocketServer
) -> None:
    await root.subscribe("foo.bar")
    program = (SAMPLES / "signal.hl").read_text()
    assert "roles:root, admin" in program
    await Evaluator(hub=server.hub).run_async(program)
    await root.see("#log .message .name", "foo.bar")
    await root.publish("foo.bar", PAYLOAD)
    await root.see("#names .badge", "2")
    assert await root.texts("#log .message pre") == [PRETTY, PRETTY]


async def test_3_a_group_that_the_page_is_not_in_is_not_seen(root: Page) -> None:
    await root.subscribe("foo.bar")
    await root.publish("foo.bar", PAYLOAD, "Groups", "group1")
    await root.see("#publish-outcome", "groups group1: nobody there listens to it.")
    await root.do("choose", name="Everybody")
    await last_is(root)
    # And once it is in the group, it is.
    await root.toggle("#groups-card")
    await root.fill("Group", "group1")
    await root.click("Join")
    await root.see("#group-outcome", "Put this page into group1.")
    await root.publish("foo.bar", PAYLOAD, "Groups", "group1")
    await root.see("#publish-outcome", "groups group1: sent to 1 connection.")
    await root.see("#names li[data-name='foo.bar'] .badge", "1")


@pytest.mark.parametrize(
    ("kind", "names"),
    [("Roles", "admin, editor"), ("Users", "ada"), ("Clients", "nobody")],
)
async def test_4_roles_and_users_that_we_are_not_are_not_seen(
    root: Page, kind: str, names: str
) -> None:
    await root.subscribe("foo.bar")
    await root.publish("foo.bar", PAYLOAD, kind, names)
    await root.see("#publish-outcome", f"{names}: nobody there listens to it.")
    await root.do("choose", name="Everybody")
    await last_is(root)
