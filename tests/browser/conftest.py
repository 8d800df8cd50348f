"""A browser for each test; and at its end nothing must have gone wrong on the page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from hyperlambda.server import SocketServer

from ..cluster.conftest import redis, start_node, target
from ..server.clients import SECRET
from ..server.conftest import join
from ..server.javascript import install
from .page import Page, find_chromium, opened, running

__all__ = ["join", "redis", "start_node", "target"]


@pytest.fixture(scope="session")
def node() -> str:
    """Return the path of Node, with what drives the browser installed."""
    return install()


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run one browser for all tests; return where it can be driven."""
    with running(find_chromium(), tmp_path_factory.mktemp("chromium")) as endpoint:
        yield endpoint


@pytest.fixture
async def server() -> AsyncIterator[SocketServer]:
    """Start a server that the test may stop."""
    async with SocketServer(port=0, secret=SECRET) as started:
        yield started


@pytest.fixture
async def page(node: str, chromium: str, server: SocketServer) -> AsyncIterator[Page]:
    """Open a browser; see that the page broke no rule and asked no other host."""
    async with opened(node, chromium) as page:
        yield page
        seen = await page.do("problems")
        assert seen == {"problems": [], "hosts": [f"127.0.0.1:{server.port}"]}
