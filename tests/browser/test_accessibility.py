"""
Everybody can use the Sockets page: axe finds nothing in any state, and it fits.

Keys, focus and announcements are in the other tests of the page.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import hyperlambda.server
from hyperlambda.server import SocketServer
from hyperlambda.sockets import Message

from ..server.clients import Connect
from .page import Page

SCHEMES = ("light", "dark")

MESSAGES = {
    "foo.bar": {"message": "Hello from backend", "number": 1.5, "nothing": None},
    "a.long." + "name." * 20: {"rows": [{"id": number} for number in range(20)]},
    "שלום": {"ברכה": "שלום עולם", "long": "x" * 2_000},
}


STYLE = Path(hyperlambda.server.__file__).with_name("pages") / "style.css"
INKS = ("ink", "faint", "accent", "good", "bad", "warn", "key", "text", "value")
GROUNDS = ("ground", "card", "field", "tint")


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rgb`` or ``#rrggbb`` (WCAG 2.2)."""
    digits = colour if len(colour) == 6 else "".join(each * 2 for each in colour)
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=SCHEMES)
def test_every_colour_can_be_read_on_every_ground(scheme: int) -> None:
    block = re.findall(r":root \{(.*?)\n *\}", STYLE.read_text(), re.DOTALL)[scheme]
    colours = dict(re.findall(r"--([a-z-]+): #([0-9a-f]+);", block))
    weak = {
        (ink, ground, round(contrast(colours[ink], colours[ground]), 2))
        for ground in GROUNDS
        for ink in (*INKS, "edge")
        # Text, and what shows where something can be written (1.4.3 and 1.4.11).
        if contrast(colours[ink], colours[ground]) < (3 if ink == "edge" else 4.5)
    }
    assert weak == set()
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5


async def found_by_axe(page: Page) -> list[str]:
    """Return what is wrong, in light and in dark."""
    found = []
    for scheme in SCHEMES:
        await page.do("media", colorScheme=scheme)
        found += [f"{scheme}: {each}" for each in await page.do("axe")]
    return found


async def style(page: Page, selector: str, name: str, part: str = "") -> str:
    script = (
        f"getComputedStyle(document.querySelector({json.dumps(selector)}), '{part}')"
    )
    found: str = await page.do("evaluate", script=f"{script}['{name}']")
    return found


async def test_axe_finds_nothing(
    page: Page, server: SocketServer, join: Connect
) -> None:
    await page.do("goto", url=server.url)
    assert await found_by_axe(page) == []

    for name in ("ada", "ada", "a-long-name-" * 9, "שלום", None):
        await join(server, name)
    await page.connect(server.url, server.token("root", ["root"], ["staff"]))
    await page.subscribe("*", *MESSAGES)
    for name, args in MESSAGES.items():
        server.hub.publish(Message(name, json.dumps(args, ensure_ascii=False)))
    await page.see("#log .name", "שלום")
    await page.see("#users li", "ada")
    for card in ("#groups-card", "#run-card", "#program"):
        await page.toggle(card)
    await page.see("#groups-list li", "staff")
    await page.fill("Payload", "{")
    assert await found_by_axe(page) == []

    await page.click("Disconnect user ada")
    await page.see("#disconnect", "2 connections will end")
    assert await found_by_axe(page) == []
    await page.press("Escape")

    for width, height in ((360, 740), (320, 480), (640, 430)):
        await page.do("look", scheme="light", width=width, height=height)
        size = "document.documentElement.scrollWidth"
        assert await page.do("evaluate", script=size) <= width
    await page.do("look", scheme="light", width=360, height=740)
    assert await found_by_axe(page) == []

    await page.do("look", scheme="light", width=1280, height=860)
    await server.stop()
    await page.see("#state", "Reconnecting (attempt")
    assert await found_by_axe(page) == []

    # Those who have said that motion disturbs them see none.
    assert await style(page, "#state", "animationName", "::before") == "blink"
    await page.do("media", reducedMotion="reduce")
    assert await style(page, "#state", "animationName", "::before") == "none"


async def test_the_page_fills_the_window_and_follows_the_system(
    page: Page, server: SocketServer
) -> None:
    await page.connect(server.url, server.token("root", ["root"]))
    grounds = set()
    for scheme in SCHEMES:
        await page.do("look", scheme=scheme, width=1280, height=800)
        grounds.add(await style(page, "body", "backgroundColor"))
    assert len(grounds) == len(SCHEMES)
    # The left side scrolls beside the messages, which end with the window.
    script = """[document.documentElement.scrollHeight,
      Math.round(document.querySelector("#messages").getBoundingClientRect().bottom)]"""
    height, bottom = await page.do("evaluate", script=script)
    assert height == 800
    assert 760 < bottom < 800
    # With colours of the system's choice, what is chosen differs from what is not.
    await page.do("media", forcedColors="active")
    backgrounds = [
        await style(page, f".choices label{which}", "backgroundColor")
        for which in (":has(:checked)", ":not(:has(:checked))")
    ]
    assert len(set(backgrounds)) == 2
