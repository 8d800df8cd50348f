"""`hyperlambda slots`: the catalogue in the terminal."""

from __future__ import annotations

from click.testing import CliRunner, Result

from hyperlambda.commands.group import group
from hyperlambda.registry import standard_slots


def slots(*args: str) -> Result:
    return CliRunner().invoke(group, ["slots", *args])


def test_all_slots_are_listed_with_what_they_do() -> None:
    outcome = slots()
    assert outcome.exit_code == 0
    lines = dict(line.split(None, 1) for line in outcome.stdout.splitlines())
    assert lines["get-count"] == "Count the nodes that an expression finds."
    assert set(lines) <= set(standard_slots())
    assert "sockets.signal" in lines
    assert "socket.signal" not in lines  # a second name of the same slot


def test_the_beginning_of_a_name_lists_a_family() -> None:
    outcome = slots("insert-")
    assert [line.split()[0] for line in outcome.stdout.splitlines()] == [
        "insert-after",
        "insert-before",
    ]


def test_a_slot_is_described() -> None:
    outcome = slots("get-count")
    assert outcome.exit_code == 0
    assert outcome.stdout == (
        "get-count\n"
        "\n"
        "Count the nodes that an expression finds.\n"
        "\n"
        "Reads:\n"
        "   value: an expression.\n"
        "\n"
        "Leaves:\n"
        "   value: int, the number of nodes.\n"
        "   children: as they are.\n"
        "\n"
        "Raises:\n"
        "   ExpressionError: The value is not an expression.\n"
        "\n"
        "Example:\n"
        "   .items\n"
        "      a\n"
        "      b\n"
        "   get-count:x:@.items/*\n"
        "   // becomes\n"
        "   .items\n"
        "      a\n"
        "      b\n"
        "   get-count:int:2\n"
    )


def test_a_slot_is_described_by_its_second_name() -> None:
    assert slots("socket.signal").stdout == slots("sockets.signal").stdout
    assert slots("socket.signal").stdout.startswith("sockets.signal, socket.signal\n")


def test_an_unknown_slot_suggests_the_nearest() -> None:
    outcome = slots("get-cuont")
    assert outcome.exit_code == 2
    assert "no slot is named 'get-cuont'; did you mean 'get-count'?" in outcome.stderr
