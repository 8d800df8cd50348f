"""`hyperlambda demo`: it shows who got what, and fails when that is not right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hyperlambda.commands.demo import EXPECTED
from hyperlambda.commands.group import group
from hyperlambda.server import Connection, SocketHub
from hyperlambda.sockets import Audience, Message

from .process import hyperlambda

SAMPLES = Path(__file__).parents[2] / "samples"

TABLE = """\
message        sent to            root (rita)  admin (adam)  group1 (gina)  guest
-------------  -----------------  -----------  ------------  -------------  -----
foo.bar        roles root, admin  ✓            ✓             –              –
group.news     groups group1      –            –             ✓              –
user.note      users adam, gina   –            ✓             ✓              –
everyone.note  everyone           ✓            ✓             ✓              ✓

As it should be: 9 messages were delivered, and 7 were rightly not.
"""

_find = SocketHub._find


def demo(*arguments: str) -> Result:
    return CliRunner().invoke(group, ["demo", *arguments])


def test_it_shows_who_got_which_message() -> None:
    outcome = hyperlambda("demo", PYTHONIOENCODING="utf-8")
    assert outcome.stdout.decode() == TABLE
    assert outcome.stderr == b""
    assert outcome.returncode == 0


def test_without_the_signs_it_uses_words() -> None:
    outcome = hyperlambda("demo", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    plain = TABLE.replace("✓  ", "yes").replace("✓", "yes").replace("–", "-")
    assert outcome.stdout.decode("ascii") == plain
    assert outcome.returncode == 0


def test_another_program_gets_a_table_and_no_verdict() -> None:
    outcome = demo(str(SAMPLES / "sockets-users.hl"))
    assert outcome.exit_code == 0
    assert outcome.stderr == ""
    lines = [line.split() for line in outcome.stdout.splitlines()]
    assert lines[2:] == [
        ["greeting", "users", "rita", "✓", "–", "–", "–"],
        ["greeting", "users", "gina", "–", "–", "✓", "–"],
        ["greeting", "users", "alan", "–", "–", "–", "–"],
    ]


def test_a_program_that_fails_fails_the_demo(tmp_path: Path) -> None:
    (tmp_path / "p.hl").write_text("sockets.signal:a\nnosuch\n")
    outcome = demo(str(tmp_path / "p.hl"))
    assert outcome.exit_code == 1
    assert (
        f"{tmp_path / 'p.hl'}:2:1: error: no slot is named 'nosuch'" in outcome.stderr
    )
    missing = demo(str(tmp_path / "missing.hl"))
    assert missing.exit_code == 2
    assert missing.stderr.count("\n") == 1


def mistaken(
    change: Callable[[set[Connection], str, set[Connection]], set[Connection]],
) -> Any:
    """Return a hub's `_find` that makes a mistake for messages with an audience."""

    def find(hub: SocketHub, name: str, audience: Audience) -> dict[Connection, None]:
        right = set(_find(hub, name, audience))
        everyone = set(_find(hub, name, Audience()))
        # Markers go to everybody, and so they stay.
        return dict.fromkeys(change(right, name, everyone))

    return find


def test_who_got_what_they_should_not_have_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leaky = mistaken(lambda right, name, all: all if name == "foo.bar" else right)
    monkeypatch.setattr(SocketHub, "_find", leaky)
    outcome = demo()
    assert outcome.exit_code == 1
    assert outcome.stderr.splitlines() == [
        "error: 'group1' got 'foo.bar', which is not for them",
        "error: 'guest' got 'foo.bar', which is not for them",
    ]
    assert "As it should be" not in outcome.stdout


def test_who_missed_what_they_should_have_got_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mute = mistaken(lambda right, name, all: set() if name == "user.note" else right)
    monkeypatch.setattr(SocketHub, "_find", mute)
    outcome = demo()
    assert outcome.exit_code == 1
    assert outcome.stderr.splitlines() == [
        "error: 'admin' did not get 'user.note'",
        "error: 'group1' did not get 'user.note'",
    ]


def test_a_message_that_arrives_changed_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish = SocketHub.publish

    def garbled(hub: SocketHub, message: Message) -> None:
        if message.name == "group.news":
            message = Message(message.name, '"other"', message.audience)
        publish(hub, message)

    monkeypatch.setattr(SocketHub, "publish", garbled)
    outcome = demo()
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("error: 'group1' got 'group.news' as ")
    assert outcome.stderr.count("\n") == 1


def test_a_message_that_arrives_twice_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    publish = SocketHub.publish

    def eager(hub: SocketHub, message: Message) -> None:
        publish(hub, message)
        if message.name == "group.news":
            publish(hub, message)

    monkeypatch.setattr(SocketHub, "publish", eager)
    outcome = demo()
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("error: 'group1' got 'group.news' as ")


def test_a_message_that_was_not_published_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    more = {**EXPECTED, "another": {"guest"}}
    monkeypatch.setattr("hyperlambda.commands.demo.EXPECTED", more)
    outcome = demo()
    assert outcome.exit_code == 1
    assert "'another'" in outcome.stderr
