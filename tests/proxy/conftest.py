"""Two servers that meet in a Redis, nginx in front of them, and what connects to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ..browser.page import Browser, Page, opened, running
from ..cluster.cluster import Cluster
from ..cluster.conftest import redis
from ..cluster.redis_server import RedisServer
from ..server.conftest import node
from ..server.javascript import NEW, ClientProcess, client_process
from .nginx import CERTIFICATE, HOST, Nginx

__all__ = ["StartClient", "StartNginx", "node", "redis"]

StartClient = Callable[..., Awaitable[ClientProcess]]
StartNginx = Callable[..., Nginx]


def port_of(url: str) -> int:
    """Return the port of a URL."""
    port = urlsplit(url).port
    assert port is not None
    return port


@pytest.fixture(scope="session")
def two(redis: RedisServer) -> Iterator[Cluster]:
    """Return two server processes, which no test may harm."""
    with Cluster(redis, 2, "--trusted-proxies", "127.0.0.1, ::1") as cluster:
        yield cluster


@pytest.fixture(scope="session")
def site(two: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """Return nginx in front of them, with the configuration as it stands."""
    ports = [port_of(url) for url in two.urls]
    with Nginx(tmp_path_factory.mktemp("nginx"), ports) as nginx:
        yield nginx


@pytest.fixture
def start_nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartNginx]:
    """Start an nginx for one test."""
    with ExitStack() as stack:

        def start(*servers: int, changes: tuple[tuple[str, str], ...] = ()) -> Nginx:
            folder: Path = tmp_path_factory.mktemp("nginx")
            return stack.enter_context(Nginx(folder, list(servers), *changes))

        yield start


@pytest.fixture(scope="session")
def browser(node: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Run a browser that finds the site, and takes its certificate."""
    flags = (
        "--ignore-certificate-errors",
        f"--host-resolver-rules=MAP {HOST} 127.0.0.1",
    )
    folder = tmp_path_factory.mktemp("chromium")
    with running(node, folder, *flags) as browser:
        yield browser


@pytest.fixture
async def page(browser: Browser, site: Nginx) -> AsyncIterator[Page]:
    """Open a page that must break no rule, and ask no other host."""
    async with opened(browser) as page:
        yield page
        seen = await page.do("problems")
        assert seen == {"problems": [], "hosts": [f"{HOST}:{site.port}"]}


@pytest.fixture
async def client(node: str) -> AsyncIterator[StartClient]:
    """Start SignalR's JavaScript client, which trusts the certificate."""
    async with AsyncExitStack() as stack:

        async def start(url: str, **options: Any) -> ClientProcess:
            return await stack.enter_async_context(
                client_process(
                    *(node, "driver.cjs", NEW, url),
                    options=options,
                    variables={"NODE_EXTRA_CA_CERTS": str(CERTIFICATE)},
                )
            )

        yield start
