"""
Every slot is documented, and its example does what it says.

An example is a program, `// becomes` and the tree that it leaves. `// returns` may
follow, with what the program returned: a value on a line of its own without a name,
then the nodes.
"""

from __future__ import annotations

import inspect
import re
from textwrap import dedent

import pytest

from hyperlambda import (
    Evaluator,
    Message,
    Node,
    SocketGroup,
    SocketUser,
    generate,
    parse,
)
from hyperlambda.registry import SlotFunction, documentation, standard_slots

PARTS = ["Reads:", "Leaves:", "Raises:", "Source:", "Example::"]


class QuietHub:
    """A hub to which nobody but Ada is connected."""

    def publish(self, message: Message) -> None:
        pass

    def users(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketUser]:
        return [SocketUser("ada", ("c1", "c2"))]

    def count_users(self, prefix: str = "") -> int:
        return 1

    def count_connections(self, prefix: str = "") -> int:
        return 2

    def add_to_group(self, username: str, group: str, *, persist: bool = False) -> None:
        pass

    def remove_from_group(self, username: str, group: str) -> None:
        pass

    def groups(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketGroup]:
        return [SocketGroup("editors", 2)]

    def groups_of(self, connection: str) -> list[str]:
        return ["editors", "staff"]

    def lasting_groups_of(self, username: str) -> list[str]:
        return ["editors"]

    def disconnect(
        self, connection: str, reason: str = "", *, may_return: bool = False
    ) -> None:
        pass

    def disconnect_user(
        self, username: str, reason: str = "", *, may_return: bool = False
    ) -> None:
        pass


def documented_slots() -> dict[str, SlotFunction]:
    """Return the functions that users wrote, by the first name of each."""
    functions: dict[str, SlotFunction] = {}
    seen: set[object] = set()
    for name, function in standard_slots().functions.items():
        own = getattr(function, "__wrapped__", function)
        if own not in seen:
            seen.add(own)
            functions[name] = own
    return functions


SLOTS = documented_slots()
each_slot = pytest.mark.parametrize("name", SLOTS)


def sections(name: str) -> dict[str, str]:
    """Return the parts of a slot's docstring by their headings; "" is the beginning."""
    text = inspect.cleandoc(documentation(SLOTS[name]))
    pieces = re.split(r"^(\w+::?)$", text, flags=re.MULTILINE)
    return {"": pieces[0], **dict(zip(pieces[1::2], pieces[2::2], strict=True))}


def example(name: str) -> tuple[str, str, str]:
    """Return the program of an example, the tree that it leaves, and what it returns."""
    text = dedent(sections(name)["Example::"]).strip("\n") + "\n"
    program, becomes, rest = text.partition("// becomes\n")
    assert becomes, "an example needs a line '// becomes'"
    tree, _, returns = rest.partition("// returns\n")
    return program, tree, returns


@each_slot
def test_docstring_has_all_parts_in_order(name: str) -> None:
    found = sections(name)
    assert list(found) == ["", *PARTS]
    empty = [part for part, text in found.items() if not text.strip()]
    assert not empty


@each_slot
def test_docstring_begins_with_one_sentence(name: str) -> None:
    first = sections(name)[""].strip().splitlines()[0]
    assert re.fullmatch(r"[A-Z].*\.", first)


@each_slot
def test_example_uses_the_slot(name: str) -> None:
    program, _, _ = example(name)
    aliases = [
        alias
        for alias, function in standard_slots().functions.items()
        if getattr(function, "__wrapped__", function) is SLOTS[name]
    ]
    assert {node.name for node in parse(program).walk()} & set(aliases)


@each_slot
def test_example_does_what_it_says(name: str) -> None:
    program, tree, returns = example(name)
    root = parse(program, file=f"<the example of {name}>")
    result = Evaluator(hub=QuietHub()).evaluate(root)
    returned = generate(result)
    if result.value is not None:
        returned = generate([Node("", result.value)]) + returned
    # Through the parser, so that an example may quote as it likes.
    assert generate(root) == generate(parse(tree))
    assert returned == generate(parse(returns))


def test_example_that_is_wrong_is_found() -> None:
    root = parse("math.add:int:1\n   .:int:1\n")
    Evaluator().evaluate(root)
    assert generate(root) != generate(parse("math.add:long:2\n"))
