"""The Sockets page in headless Chromium, used by a test as a person would."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from ..server.javascript import PATIENCE, end, give_up

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
def running(chromium: str, folder: Path, *flags: str) -> Iterator[str]:
    """Run the browser while the block runs; give the address at which it can be driven."""
    command = [
        chromium,
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
            yield next(said).split()[-1]
        finally:
            process.terminate()
            # Whoever says much must be able to say it, to come to an end.
            process.communicate(timeout=PATIENCE)


class Page:
    """A page; driver.cjs has the commands."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def do(self, command: str, /, **fields: Any) -> Any:
        """Give a command, and return its result when it is done."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"do": command, **fields}).encode() + b"\n")
        await stdin.drain()
        async with asyncio.timeout(PATIENCE):
            line = await stdout.readline()
        assert line, "the browser has ended"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["result"]

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
async def opened(node: str, chromium: str) -> AsyncIterator[Page]:
    """Open one page, with a memory of its own, while the block runs."""
    process = await asyncio.create_subprocess_exec(
        node,
        str(DRIVER),
        chromium,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=1 << 24,
    )
    try:
        yield Page(process)
    finally:
        await end(process)
