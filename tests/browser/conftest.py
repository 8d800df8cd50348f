"""A browser for each test; and at its end nothing must have gone wrong on the page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from hyperlambda.server import SocketServer

from ..cluster.conftest import redis, start_node, target
from ..server.clients import SECRET
from ..server.conftest import join
from ..server.javascript import install
from .page import Browser, Page, opened, running

__all__ = ["join", "redis", "start_node", "target"]


@pytest.fixture(scope="session")
def node() -> str:
    """Return the path of Node, with what drives the browser installed."""
    return install()


@pytest.fixture(scope="session")
def browser(node: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Run one browser for all tests."""
    with running(node, tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
async def server() -> AsyncIterator[SocketServer]:
    """Start a server that the test may stop."""
    async with SocketServer(port=0, secret=SECRET) as started:
        yield started


@pytest.fixture
async def page(browser: Browser, server: SocketServer) -> AsyncIterator[Page]:
    """Open a page; see that the page broke no rule and asked no other host."""
    async with opened(browser) as page:
        yield page
        seen = await page.do("problems")
        assert seen == {"problems": [], "hosts": [f"127.0.0.1:{server.port}"]}
