"""The Sockets page at one of several servers."""

from __future__ import annotations

from hyperlambda.server.redis_client import Redis

from ..cluster.nodes import StartNode
from .page import Browser, opened


async def test_the_page_hears_other_nodes_and_gets_what_it_missed(
    browser: Browser, start_node: StartNode, target: Redis
) -> None:
    """It goes on at the node that takes the place of its own, and nothing comes twice."""
    first, second = await start_node(target), await start_node(target)
    async with opened(browser) as page, opened(browser) as other:
        await other.connect(first.server.url, first.server.token("ada"))
        await page.connect(second.server.url, second.server.token("root", ["root"]))
        await page.see("#users li", "ada")
        await page.subscribe("many.*")
        first.publish("many.a", 1)
        await page.see("#log pre", "1")
        await second.server.stop()
        await page.see("#state", "Reconnecting (attempt")
        first.publish("many.a", 2, 3)
        await first.has(3)
        third = await start_node(target, {"port": second.server.port})
        await page.do("evaluate", script="document.getElementById('retry').click()")
        await page.see("#state", "Connected as root")
        await page.see("#log pre", "3")
        third.publish("many.b", 4)
        await page.see("#log pre", "4")
        assert await page.texts("#log .message pre") == ["4", "3", "2", "1"]
        # And back: what the page publishes reaches who is at another node.
        await other.subscribe("many.b")
        await page.publish("many.b", "5")
        await other.see("#log pre", "5")
