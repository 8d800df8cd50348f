"""What surrounds code: what tables cannot show (spec 02 §1.4, §3.1)."""

from __future__ import annotations

from types import ModuleType

import pytest

from hyperlambda import Evaluator, LimitError, Limits, Node, parse, registry, slot
from hyperlambda.ordering import text_key
from hyperlambda.registry import standard_slots


def vocabulary(evaluator: Evaluator) -> list[str]:
    node = Node("vocabulary")
    evaluator.signal("vocabulary", node)
    return [child.value for child in node.children]


def test_a_program_cannot_reach_what_its_host_put_into_scope() -> None:
    evaluator = Evaluator()

    @evaluator.slot("host")
    def host(running: Evaluator, node: Node) -> None:
        with running.scope("secret", 1), running.scope("dynamic.open", 2):
            running.run_children(node)

    root = parse("host\n   get-context:secret\n   get-context:open\n")
    evaluator.evaluate(root)
    assert [node.value for node in root.children[0].children] == [None, 2]


def test_all_slots_are_listed_in_order() -> None:
    names = vocabulary(Evaluator())
    assert sorted(names) == sorted(n for n in standard_slots() if n[0] != ".")
    plain = [name for name in names if "." not in name]
    dotted = [name for name in names if "." in name]
    assert names == plain + dotted
    assert plain == sorted(plain, key=text_key)
    assert dotted == sorted(dotted, key=text_key)


def test_slots_of_the_host_are_listed_unless_they_are_dotted() -> None:
    evaluator = Evaluator()
    evaluator.register("mine", lambda running, node: None)
    evaluator.register(".hidden", lambda running, node: None)
    names = vocabulary(evaluator)
    assert "mine" in names
    assert ".hidden" not in names
    assert "mine" not in vocabulary(Evaluator())


def test_slots_of_installed_packages_are_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @slot("installed")
    def installed(evaluator: Evaluator, node: Node) -> None:
        pass

    module = ModuleType("package")
    module.installed = installed  # type: ignore[attr-defined]
    monkeypatch.setattr(registry, "_installed", lambda: (module,))
    assert "installed" in vocabulary(Evaluator())


def test_a_node_in_context_counts() -> None:
    """A node is copied for each [context], and kept as long as that runs."""
    program = (
        ".big\n"
        + "   a\n" * 100
        + "reference:x:@.big\n"
        + "slots.create:s\n   context:c\n      value:x:@.arguments/*/v\n"
        + "      .lambda\n         get-context:c\n         execute:s\n"
        + "            v:x:@get-context\n"
        + "execute:s\n   v:x:@reference\n"
    )
    with pytest.raises(LimitError, match="1000 nodes"):
        Evaluator(limits=Limits(max_nodes=1000)).run(program)


def test_vocabulary_counts() -> None:
    root = parse("vocabulary")
    with pytest.raises(LimitError, match="10 nodes"):
        Evaluator(limits=Limits(max_nodes=10)).evaluate(root)
