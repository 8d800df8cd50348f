"""Slots by name: what may be one, and who knows it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hyperlambda import Evaluator, HyperlambdaError, Node, UnknownSlotError, slot
from hyperlambda import registry as registry_module
from hyperlambda.registry import SlotRegistry, standard_slots


def set_one(evaluator: Evaluator, node: Node) -> None:
    node.value = 1


def test_registering_and_asking() -> None:
    registry = SlotRegistry()
    registry.register("a", set_one)
    assert "a" in registry
    assert "b" not in registry
    assert list(registry) == ["a"]
    assert len(registry) == 1
    registry.remove("a")
    assert len(registry) == 0
    with pytest.raises(HyperlambdaError, match="'a'"):
        registry.remove("a")


def test_a_name_is_registered_once_and_both_places_are_said() -> None:
    registry = SlotRegistry()
    registry.register("a", set_one)

    def other(evaluator: Evaluator, node: Node) -> None: ...

    with pytest.raises(HyperlambdaError, match=r"set_one.*other"):
        registry.register("a", other)
    assert getattr(registry.functions["a"], "__wrapped__") is set_one  # noqa: B009


def test_names_are_case_sensitive_and_not_empty() -> None:
    registry = SlotRegistry()
    registry.register("a", set_one)
    registry.register("A", set_one)
    with pytest.raises(HyperlambdaError, match="needs a name"):
        registry.register("", set_one)
    with pytest.raises(HyperlambdaError, match="needs a name"):
        slot()
    with pytest.raises(HyperlambdaError, match="needs a name"):
        Evaluator().slot()


class Slots:
    def method(self, evaluator: Evaluator, node: Node) -> None:
        node.value = "method"

    @staticmethod
    def static(evaluator: Evaluator, node: Node) -> None:
        node.value = "static"

    @classmethod
    def klass(cls, evaluator: Evaluator, node: Node) -> None:
        node.value = "class"

    def __call__(self, evaluator: Evaluator, node: Node) -> None:
        node.value = "object"


class AsyncSlots:
    async def method(self, evaluator: Evaluator, node: Node) -> None:
        node.value = "method"

    async def __call__(self, evaluator: Evaluator, node: Node) -> None:
        node.value = "object"


def with_default(evaluator: Evaluator, node: Node, more: int = 3) -> None:
    node.value = more


def with_rest(*arguments: Any) -> None:
    arguments[1].value = len(arguments)


def with_first(first: str, evaluator: Evaluator, node: Node) -> None:
    node.value = first


async def coroutine(evaluator: Evaluator, node: Node) -> None:
    node.value = "coroutine"


async def with_first_async(first: str, evaluator: Evaluator, node: Node) -> None:
    node.value = first


def _set_lambda(node: Node) -> None:
    node.value = "lambda"


@pytest.mark.parametrize(
    ("function", "value"),
    [
        (set_one, 1),
        (lambda evaluator, node: _set_lambda(node), "lambda"),
        (Slots().method, "method"),
        (Slots.static, "static"),
        (Slots.klass, "class"),
        (Slots(), "object"),
        (with_default, 3),
        (with_rest, 2),
        (partial(with_first, "first"), "first"),
        (coroutine, "coroutine"),
        (AsyncSlots().method, "method"),
        (AsyncSlots(), "object"),
        (partial(with_first_async, "first"), "first"),
    ],
    ids=repr,
)
def test_whatever_takes_an_evaluator_and_a_node_is_a_slot(
    function: Callable[..., Any], value: object
) -> None:
    evaluator = Evaluator()
    evaluator.register("mine", function)
    assert evaluator.run("mine\nreturn:x:-").value == value


@pytest.mark.parametrize(
    "function",
    [
        lambda: None,
        lambda evaluator: None,
        lambda evaluator, node, more: None,
        Slots.method,
        "text",
        None,
        5,
    ],
    ids=repr,
)
def test_nothing_else_is(function: Any) -> None:
    evaluator = Evaluator()
    with pytest.raises(HyperlambdaError, match="'mine'"):
        evaluator.register("mine", function)
    assert "mine" not in evaluator.registry


def test_a_registration_of_several_names_is_all_or_nothing() -> None:
    evaluator = Evaluator()
    with pytest.raises(HyperlambdaError, match="twice"):
        evaluator.slot("fresh", "eval")(set_one)
    assert "fresh" not in evaluator.registry


# Modules


def test_the_decorator_only_marks() -> None:
    @slot("marked-only")
    def marked(evaluator: Evaluator, node: Node) -> None: ...

    assert marked.__name__ == "marked"
    assert "marked-only" not in standard_slots()


def test_modules_bring_their_marked_functions() -> None:
    module = ModuleType("some")

    @slot("one", "alias")
    def one(evaluator: Evaluator, node: Node) -> None:
        node.value = node.name

    module.one = one  # type: ignore[attr-defined] # a module made by hand
    module.other = 5  # type: ignore[attr-defined] # a module made by hand
    registry = SlotRegistry()
    registry.add_modules([module])
    assert sorted(registry) == ["alias", "one"]


def test_a_slot_knows_by_which_name_it_was_called() -> None:
    evaluator = Evaluator()

    @evaluator.slot("one", "alias")
    def one(evaluator: Evaluator, node: Node) -> None:
        node.value = node.name

    assert evaluator.run("alias\nreturn:x:-").value == "alias"


# Who knows what


def test_a_copy_is_independent() -> None:
    first = SlotRegistry()
    first.register("a", set_one)
    second = SlotRegistry(first)
    second.register("b", set_one)
    second.remove("a")
    assert (list(first), list(second)) == (["a"], ["b"])


def test_a_slot_of_one_evaluator_is_unknown_to_another() -> None:
    one, other = Evaluator(), Evaluator()
    one.register("mine", set_one)
    assert one.run("mine\nreturn:x:-").value == 1
    with pytest.raises(UnknownSlotError, match="'mine'"):
        other.run("mine")
    assert "mine" not in standard_slots()
    other.register("mine", set_one)


def test_standard_slots_can_be_taken_away_from_one_evaluator() -> None:
    one, other = Evaluator(), Evaluator()
    one.registry.remove("eval")
    with pytest.raises(UnknownSlotError):
        one.run("eval\n   .x")
    other.run("eval\n   .x")


def test_an_unknown_slot_has_the_nearest_name_as_help() -> None:
    evaluator = Evaluator()
    evaluator.register("frobnicate", set_one)
    with pytest.raises(UnknownSlotError) as caught:
        evaluator.run("frobnicat")
    assert caught.value.help == "did you mean 'frobnicate'?"
    assert caught.value.name == "frobnicat"


# Other packages


@pytest.fixture
def install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, str], None]]:
    """Return a function that installs a package with a module of slots."""
    modules: list[str] = []

    def installed(name: str, source: str) -> None:
        module = f"{name}_for_tests"
        modules.append(module)
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n"
        )
        (info / "entry_points.txt").write_text(
            f"[hyperlambda.slots]\n{name} = {module}\n"
        )

    monkeypatch.syspath_prepend(tmp_path)
    registry_module._installed.cache_clear()
    yield installed
    registry_module._installed.cache_clear()
    for module in modules:
        sys.modules.pop(module, None)


DUCK = """
from hyperlambda import slot

@slot("duck.quack")
def quack(evaluator, node):
    node.value = "quack"

@slot("duck.later")
async def later(evaluator, node):
    node.value = "later"
"""


def test_slots_of_installed_packages_are_found(
    install: Callable[[str, str], None],
) -> None:
    install("duck", DUCK)
    evaluator = Evaluator()
    assert evaluator.run("duck.quack\nreturn:x:-").value == "quack"
    assert evaluator.run("duck.later\nreturn:x:-").value == "later"
    assert "duck_for_tests" in sys.modules


def test_installed_slots_are_not_loaded_before_they_are_missed(
    install: Callable[[str, str], None],
) -> None:
    install("duck", DUCK)
    Evaluator().run("eval\n   .x")
    assert "duck_for_tests" not in sys.modules


def test_a_misspelt_installed_slot_has_the_nearest_name(
    install: Callable[[str, str], None],
) -> None:
    install("duck", DUCK)
    with pytest.raises(UnknownSlotError) as caught:
        Evaluator().run("duck.quak")
    assert caught.value.help == "did you mean 'duck.quack'?"


def test_installed_slots_do_not_replace_others(
    install: Callable[[str, str], None],
) -> None:
    install("duck", DUCK.replace("duck.later", "eval"))
    evaluator = Evaluator()
    evaluator.register("duck.quack", set_one)
    with pytest.raises(UnknownSlotError):
        evaluator.run("nosuch")
    assert evaluator.run("duck.quack\nreturn:x:-").value == 1
    assert evaluator.run("eval\n   return:int:2").value == 2


def test_a_whitelist_covers_installed_slots(
    install: Callable[[str, str], None],
) -> None:
    install("duck", DUCK)
    program = "whitelist\n   vocabulary\n      return{}\n   .lambda\n      duck.quack\n"
    program += "      return:x:-\nreturn:x:-"
    with pytest.raises(HyperlambdaError, match="not allowed"):
        Evaluator().run(program.format(""))
    allowed = program.format("\n      duck.quack")
    assert Evaluator().run(allowed).value == "quack"


def test_a_package_that_cannot_be_loaded_is_an_error_of_ours(
    install: Callable[[str, str], None],
) -> None:
    install("broken", "import surely_not_installed\n")
    evaluator = Evaluator()
    for program in ("duck.quack", "and\n   duck.quack\n   eq"):
        with pytest.raises(HyperlambdaError, match="surely_not_installed"):
            evaluator.run(program)
    with pytest.raises(HyperlambdaError):
        evaluator.signal("duck.quack", Node())
    assert evaluator.run("return:int:1").value == 1
