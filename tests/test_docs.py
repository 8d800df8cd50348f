"""Every program in README and docs runs, and comes to what stands below it."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from hyperlambda import Evaluator, Message, Node, SocketGroup, SocketUser, generate
from hyperlambda.conversions import to_text

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Made from the docstrings of the slots, whose examples have a test of their own; and the
# API, whose examples are run by tests/test_exports.py.
TESTED_ELSEWHERE = {"slots.md", "api.md"}

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block, and the text that is shown below it as its output."""

    page: str
    line: int
    language: str
    text: str
    output: str | None

    @property
    def id(self) -> str:
        return f"{self.page}:{self.line}"


def blocks() -> list[Block]:
    found = []
    for page in PAGES:
        if page.name in TESTED_ELSEWHERE:
            continue
        text = page.read_text("utf-8")
        matches = list(BLOCK.finditer(text))
        for index, match in enumerate(matches):
            after = matches[index + 1] if index + 1 < len(matches) else None
            line = text.count("\n", 0, match.start()) + 1
            output = None
            if (
                after
                and after[1] == "text"
                and not text[match.end() : after.start()].strip()
            ):
                output = after[2]
            found.append(Block(page.name, line, match[1], match[2], output))
    return found


BLOCKS = blocks()


class RecordingHub:
    """A hub without clients."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def publish(self, message: Message) -> None:
        self.messages.append(message)

    def users(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketUser]:
        return []

    def count_users(self, prefix: str = "") -> int:
        return 0

    def count_connections(self, prefix: str = "") -> int:
        return 0

    def add_to_group(self, username: str, group: str, *, persist: bool = False) -> None:
        pass

    def remove_from_group(self, username: str, group: str) -> None:
        pass

    def groups(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketGroup]:
        return []

    def groups_of(self, connection: str) -> list[str]:
        return []

    def lasting_groups_of(self, username: str) -> list[str]:
        return []

    def disconnect(
        self, connection: str, reason: str = "", *, may_return: bool = False
    ) -> None:
        pass

    def disconnect_user(
        self, username: str, reason: str = "", *, may_return: bool = False
    ) -> None:
        pass


def shown(result: Node) -> str:
    text = "" if result.value is None else f"{to_text(result.value)}\n"
    return text + generate(result)


def of(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]


def test_there_are_programs() -> None:
    assert len(of("hyperlambda")) >= 4
    assert of("python")


@pytest.mark.parametrize("block", of("hyperlambda"), ids=lambda block: block.id)
def test_program(block: Block) -> None:
    hub = RecordingHub()
    result = Evaluator(hub=hub).run(block.text, file=block.id)
    assert shown(result) == (block.output or "")
    assert bool(hub.messages) == ("signal" in block.text)


@pytest.mark.parametrize("block", of("python"), ids=lambda block: block.id)
def test_python(block: Block) -> None:
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(block.text, block.id, "exec"), {"__name__": "__example__"})
    assert printed.getvalue() == (block.output or "")


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(
            r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")
        ):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
