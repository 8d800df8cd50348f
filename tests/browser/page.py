"""The Sockets page in headless Chromium, used by a test as a person would."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from ..server.javascript import PATIENCE, give_up

DRIVER = Path(__file__).with_name("driver.cjs")

FLAGS = (
    *(
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
    ),
    *(
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ),
    *("--disable-background-timer-throttling", "--disable-renderer-backgrounding"),
    *("--disable-backgrounding-occluded-windows", "--hide-scrollbars", "--mute-audio"),
)

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str:
    """Return its path; without it a test is skipped, or fails where CI is set."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        give_up("Chromium is not installed, and the tests of the page need it")
    assert found is not None
    return found


@contextmanager
def running(node: str, folder: Path, *flags: str) -> Iterator[Browser]:
    """Run the browser while the block runs, with more flags."""
    command = [
        find_chromium(),
        *FLAGS,
        *flags,
        f"--user-data-dir={folder}",
        "--remote-debugging-port=0",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            lines = iter(process.stderr.readline, "")
            said = (line for line in lines if line.startswith("DevTools listening on "))
            with driven(node, next(said).split()[-1]) as browser:
                yield browser
        finally:
            process.terminate()
            # Whoever says much must be able to say it, to come to an end.
            process.communicate(timeout=PATIENCE)


@contextmanager
def driven(node: str, endpoint: str) -> Iterator[Browser]:
    """Drive the browser that can be driven at an address, while the block runs."""
    with subprocess.Popen(
        [node, str(DRIVER), endpoint],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        browser = Browser(process)
        try:
            yield browser
        finally:
            browser.close()


class Browser:
    """
    The browser, through one process of Node for all pages; driver.cjs has the commands.

    Tests have an event loop each, so that this one has none: a thread reads the answers.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Future[Any]] = {}
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    async def do(self, page: int, command: str, **fields: Any) -> Any:
        """Give a command for a page, and return its result when it is done."""
        id = next(self._numbers)
        answered = self._waiting[id] = Future()
        line = json.dumps({"id": id, "page": page, "do": command, **fields})
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        async with asyncio.timeout(PATIENCE):
            answer = await asyncio.wrap_future(answered)
        assert answer is not None, "the browser has ended"
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def close(self) -> None:
        """Let go of the browser."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answer = json.loads(line)
            self._settle(self._waiting.pop(answer["id"]), answer)
        for waiting in list(self._waiting.values()):
            self._settle(waiting, None)

    def _settle(self, waiting: Future[Any], answer: Any) -> None:
        if waiting.set_running_or_notify_cancel():  # else nobody waits any more
            waiting.set_result(answer)


class Page:
    """A page; driver.cjs has the commands."""

    _numbers = itertools.count(1)

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._number = next(self._numbers)

    async def do(self, command: str, /, **fields: Any) -> Any:
        """Give a command, and return its result when it is done."""
        return await self._browser.do(self._number, command, **fields)

    async def click(self, name: str) -> None:
        """Click on a button."""
        await self.do("click", role="button", name=name)

    async def toggle(self, details: str) -> None:
        """Open or close what is folded."""
        await self.do("toggle", selector=details)

    async def fill(self, label: str, text: str) -> None:
        """Write into a field."""
        await self.do("fill", label=label, text=text)

    async def press(self, *keys: str) -> None:
        """Press keys, one after another."""
        for key in keys:
            await self.do("press", key=key)

    async def see(self, selector: str, text: str) -> None:
        """Wait until something has a text."""
        await self.do("see", selector=selector, text=text)

    async def texts(self, selector: str) -> list[str]:
        """Return what stands there now."""
        found: list[str] = await self.do("texts", selector=selector)
        return found

    async def is_enabled(self, button: str) -> bool:
        """Return whether a button can be pressed."""
        return bool(await self.do("enabled", name=button))

    async def connect(self, url: str, token: str = "") -> None:
        """Open the page and connect."""
        await self.do("goto", url=url)
        await self.fill("Token", token)
        await self.click("Connect")
        await self.see("#state", "Connected as")

    async def subscribe(self, *names: str) -> None:
        """Subscribe, and know that it is done."""
        await self.fill("Names to subscribe to", ", ".join(names))
        await self.click("Subscribe")
        for name in names:
            await self.see("#names li", name)

    async def publish(
        self, name: str, payload: str, kind: str = "Everybody", audience: str = ""
    ) -> None:
        """Publish, and know that the server has done it."""
        await self.fill("Name", name)
        await self.fill("Payload", payload)
        await self.do("choose", name=kind)
        if audience:
            await self.fill("Names of the audience", audience)
        await self.click("Publish")
        await self.see("#publish-outcome", f"Published {name}")


@asynccontextmanager
async def opened(browser: Browser) -> AsyncIterator[Page]:
    """Open one page, with a memory of its own, while the block runs."""
    page = Page(browser)
    await page.do("open")
    try:
        yield page
    finally:
        await page.do("close")
