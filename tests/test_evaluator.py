"""The evaluator as its embedder and the authors of slots use it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hyperlambda import (
    ArgumentError,
    Evaluator,
    Expression,
    HyperlambdaError,
    HyperlambdaSyntaxError,
    LimitError,
    Limits,
    Node,
    UnknownSlotError,
    generate,
    parse,
)
from hyperlambda.errors import (
    MissingValueError,
    NotAllowedError,
    SlotError,
    ThrownError,
    TreeError,
)


@pytest.fixture
def evaluator() -> Evaluator:
    return Evaluator()


def left(program: str, evaluator: Evaluator | None = None) -> str:
    """Return the tree that a program leaves."""
    root = parse(program)
    (evaluator or Evaluator()).evaluate(root)
    return generate(root)


# Starting programs


def test_evaluate_works_in_place_and_returns_the_result() -> None:
    root = parse(".a:x\nget-value:x:@.a\nreturn:x:-")
    result = Evaluator().evaluate(root)
    assert (result.name, result.value, list(result.children)) == ("", "x", [])
    assert root.children[1].value == "x"


def test_a_program_that_returns_nothing_has_an_empty_result() -> None:
    result = Evaluator().run(".a")
    assert (result.value, list(result.children)) == (None, [])


@pytest.mark.parametrize("text", ["", b"", "// nothing", "\ufeff", "\r\n"])
def test_an_empty_program_runs(text: str | bytes) -> None:
    assert Evaluator().run(text).value is None


def test_run_takes_bytes_and_names_the_file(evaluator: Evaluator) -> None:
    assert evaluator.run("return:😀".encode()).value == "😀"
    for text in ("\r\nnosuch", b"\xef\xbb\xbf\r\nnosuch"):
        with pytest.raises(UnknownSlotError, match=r"^f\.hl:2:1: "):
            evaluator.run(text, file="f.hl")
    with pytest.raises(HyperlambdaSyntaxError, match=r"^<text>:1:2: "):
        evaluator.run(" a")


def test_windows_line_ends_emoji_and_marks_change_nothing(evaluator: Evaluator) -> None:
    text = "\ufeff.🦆:quack\r\nget-value:x:@.🦆\r\nreturn:x:-\r\n"
    assert evaluator.run(text).value == "quack"
    assert evaluator.run(text[1:].encode("utf-16")).value == "quack"


def test_returned_children_have_no_other_parent(evaluator: Evaluator) -> None:
    result = evaluator.run("return\n   a:int:1\n   b")
    assert generate(result) == "a:int:1\nb\n"
    assert all(child.parent is result for child in result.children)


@pytest.mark.parametrize(
    ("arguments", "tree"),
    [
        ({"name": "Ada"}, "name:Ada\n"),
        (
            {"n": 1, "b": True, "f": 1.5, "z": None},
            "n:int:1\nb:bool:true\nf:double:1.5\nz\n",
        ),
        ({"d": Decimal("2.50")}, "d:decimal:2.50\n"),
        ({"a": {"b": {"c": "x"}}}, "a\n   b\n      c:x\n"),
        ({"a": [1, "x"]}, "a\n   .:int:1\n   .:x\n"),
        ({"a": ({"b": 1}, {})}, "a\n   .\n      b:int:1\n   .\n"),
        ({"": "x", "a:b": "y"}, ':x\n"a:b":y\n'),
    ],
)
def test_arguments_become_nodes(
    arguments: dict[str, Any], tree: str, evaluator: Evaluator
) -> None:
    result = evaluator.run("return-nodes:x:@.arguments/*", arguments=arguments)
    assert generate(result) == tree


@pytest.mark.parametrize("arguments", [None, {}])
def test_no_arguments_leave_the_declared_ones(
    arguments: dict[str, Any] | None, evaluator: Evaluator
) -> None:
    program = ".arguments\n   n:declared\nreturn:x:@.arguments/*/n"
    assert evaluator.run(program, arguments=arguments).value == "declared"
    assert evaluator.run(program, arguments={"n": "given"}).value == "given"
    assert evaluator.run(program, arguments={"m": "given"}).value is None


def test_arguments_are_not_executed(evaluator: Evaluator) -> None:
    arguments = {"throw": "no", "x": {"throw": "no"}}
    assert evaluator.run("return:ok", arguments=arguments).value == "ok"


def test_an_evaluator_starts_afresh_each_time(evaluator: Evaluator) -> None:
    with pytest.raises(ThrownError):
        evaluator.run("throw:x")
    with pytest.raises(HyperlambdaSyntaxError):
        evaluator.run(" x")
    assert evaluator.run("return:ok").value == "ok"


def test_dynamic_slots_stay(evaluator: Evaluator) -> None:
    evaluator.run("slots.create:greet\n   return:hello")
    assert evaluator.run("signal:greet\nreturn:x:-").value == "hello"
    with pytest.raises(UnknownSlotError):
        Evaluator().run("signal:greet")


# Order and places (02 §2.2)


@pytest.mark.parametrize("name", [".", "..", ".lambda", "", ".x"])
def test_dotted_and_nameless_nodes_are_not_run(name: str) -> None:
    root = Node("", None, [Node(name, "v", [Node("throw", "no")])])
    Evaluator().evaluate(root)
    assert root.children[0].value == "v"


def test_nodes_run_where_they_stand_in_order(evaluator: Evaluator) -> None:
    seen = []

    @evaluator.slot("note")
    def note(evaluator: Evaluator, node: Node) -> None:
        seen.append((node.value, node.position()))

    evaluator.run("note:a\n.skip\n   note:b\neval\n   note:c\n   note:d\nnote:e")
    assert seen == [("a", 0), ("c", 0), ("d", 1), ("e", 3)]


def test_a_name_is_looked_at_when_its_turn_comes(evaluator: Evaluator) -> None:
    assert left("set-name:x:+\n   .:.skipped\nthrow:no") == (
        "set-name:x:+\n   .:.skipped\n.skipped:no\n"
    )


@pytest.mark.parametrize(
    "program",
    [
        "add:x:..\n   .\n      .new",
        "insert-before:x:../0\n   .\n      .new",
        "remove-nodes:x:../*/.old\n.old",
        ".old\nremove-nodes:x:-",
        "eval\n   if:bool:true\n      add:x:../*/eval\n         .\n            .new\n   .x",
    ],
)
def test_changing_the_list_that_is_executed_is_an_error(program: str) -> None:
    # 02 §2.7, §7 Q8
    with pytest.raises(TreeError, match="changed the list"):
        Evaluator().run(program)


def test_the_change_itself_is_made_before_the_error() -> None:
    root = parse("add:x:..\n   .\n      .new")
    with pytest.raises(TreeError):
        Evaluator().evaluate(root)
    assert root.children[-1].name == ".new"


def test_a_program_that_has_returned_does_not_look_again(evaluator: Evaluator) -> None:
    evaluator.register("both", lambda run, node: _return_and_grow(run, node))
    assert evaluator.run("both\nthrow:no").value == "done"


def _return_and_grow(evaluator: Evaluator, node: Node) -> None:
    evaluator.require_result().value = "done"
    node.root.add(Node("late"))


# The result node (02 §1.6)


@pytest.mark.parametrize("falsy", ["return", "return:x:@nothing"])
def test_returning_nothing_does_not_stop(falsy: str, evaluator: Evaluator) -> None:
    # 02 §7 Q3
    assert evaluator.run(f"{falsy}\nreturn:later").value == "later"


@pytest.mark.parametrize("value", ["", False, 0])
def test_any_value_stops(value: object, evaluator: Evaluator) -> None:
    root = Node("", None, [Node("return", value), Node("throw", "no")])
    assert evaluator.evaluate(root).value == value


@pytest.mark.parametrize(
    "owner",
    [
        "if:bool:true",
        "eval",
        "try",
        "switch:1\n   case:1",
        "for-each:x:../*/.list/*",
        "while:bool:true",
        "eval\n   if:bool:true\n      for-each:x:../*/.list/*",
    ],
)
def test_return_leaves_every_block_up_to_the_owner(
    owner: str, evaluator: Evaluator
) -> None:
    depth = owner.count("\n") + 1
    inner = "   " * depth
    program = f".list\n   a\n   b\n{owner}\n{inner}return:x\n{inner}throw:no\nthrow:no"
    assert evaluator.run(program).value == "x"


def test_a_slot_may_open_a_result_of_its_own(evaluator: Evaluator) -> None:
    @evaluator.slot("call")
    def call(run: Evaluator, node: Node) -> None:
        assert not run.has_returned
        result = run.evaluate(node)
        assert not run.has_returned
        node.value = result.value

    assert (
        evaluator.run("call\n   return:inner\n   throw:no\nreturn:x:-").value == "inner"
    )


def test_there_is_no_result_outside_of_a_program(evaluator: Evaluator) -> None:
    @evaluator.slot("cut-off")
    def cut_off(run: Evaluator, node: Node) -> None:
        run.result = None
        run.require_result()

    with pytest.raises(MissingValueError):
        evaluator.run("cut-off")


# The scope stack (02 §1.4)


def test_scopes_nest_hide_and_end(evaluator: Evaluator) -> None:
    seen: list[object] = []

    @evaluator.slot("with")
    def with_(run: Evaluator, node: Node) -> None:
        with run.scope("a", node.value):
            run.run_children(node)

    @evaluator.slot("look")
    def look(run: Evaluator, node: Node) -> None:
        seen.append((run.peek("a"), run.peek("b")))

    evaluator.run(
        "look\nwith:1\n   look\n   with:2\n      look\n   with\n      look\n   look\nlook"
    )
    assert [a for a, _ in seen] == [None, "1", "2", None, "1", None]
    assert {b for _, b in seen} == {None}


def test_a_scope_ends_with_an_error_too(evaluator: Evaluator) -> None:
    @evaluator.slot("with")
    def with_(run: Evaluator, node: Node) -> None:
        with run.scope("a", 1):
            run.run_children(node)

    @evaluator.slot("check")
    def check(run: Evaluator, node: Node) -> None:
        assert run.peek("a") is None

    evaluator.run("try\n   with\n      throw:x\n.catch\n   check\n")


def test_scopes_are_dynamic(evaluator: Evaluator) -> None:
    @evaluator.slot("with")
    def with_(run: Evaluator, node: Node) -> None:
        with run.scope("a", node.value):
            run.run_children(node)

    @evaluator.slot("look")
    def look(run: Evaluator, node: Node) -> None:
        node.value = run.peek("a")

    program = (
        "slots.create:s\n   look\n   return:x:-\nwith:seen\n   signal:s\n   return:x:-"
    )
    assert evaluator.run(program).value == "seen"


# Signalling


def test_signal_calls_one_slot_by_name(evaluator: Evaluator) -> None:
    node = Node("any-name", None, [Node("", "a"), Node("", "b")])
    evaluator.signal("strings.concat", node)
    assert node.value == "ab"


def test_signal_reaches_dotted_slots_that_programs_do_not(evaluator: Evaluator) -> None:
    evaluator.register(".hidden", lambda run, node: setattr(node, "value", 1))
    node = Node()
    evaluator.signal(".hidden", node)
    assert node.value == 1
    assert left(".hidden", evaluator) == ".hidden\n"


def test_signal_gives_a_place_for_results(evaluator: Evaluator) -> None:
    evaluator.signal("return", Node("return", 5))


def test_signal_of_what_does_not_exist(evaluator: Evaluator) -> None:
    with pytest.raises(UnknownSlotError) as caught:
        evaluator.signal("strings.concatt", Node())
    assert caught.value.help == "did you mean 'strings.concat'?"


def test_signal_within_a_slot_belongs_to_the_program() -> None:
    evaluator = Evaluator(limits=Limits(max_steps=10))

    @evaluator.slot("again")
    def again(run: Evaluator, node: Node) -> None:
        run.signal("eval", Node("", None, [Node("again")]))

    with pytest.raises(LimitError):
        evaluator.run("again")


@pytest.mark.parametrize("way", ["evaluate", "run"])
def test_programs_within_a_slot_share_limits(way: str) -> None:
    evaluator = Evaluator(limits=Limits(max_steps=50))

    @evaluator.slot("again")
    def again(run: Evaluator, node: Node) -> None:
        if way == "run":
            run.run("again")
        else:
            run.evaluate(parse("again"))

    with pytest.raises(LimitError, match="50 steps"):
        evaluator.run("again")


# Whitelists (02 §1.5)


def whitelisted(words: str, code: str) -> str:
    inner = "\n".join(f"      {word}" for word in words.split())
    body = "\n".join(f"      {line}" for line in code.split("\n"))
    return f"whitelist\n   vocabulary\n{inner}\n   .lambda\n{body}"


@pytest.mark.parametrize(
    ("words", "code", "refused"),
    [
        ("return", "get-value:x:@.a", "get-value"),
        ("eval", "eval\n   set-value:x:@.a", "set-value"),
        ("if", "if\n   eq\n      .:1\n      .:1\n   .lambda", "eq"),
        ("and", "and\n   eq\n   eq", "eq"),
        ("or", "or\n   eq\n   eq", "eq"),
        ("get-first-value", "get-first-value\n   get-value", "get-value"),
        ("signal", "signal:foo", "foo"),
        ("signal:bar signal", "signal:foo", "foo"),
        ("signal:foo", "execute:foo", "execute"),
        ("try", "try\n   throw:x", "throw"),
        ("whitelist", "whitelist\n   vocabulary\n      eq\n   .lambda\n      eq", "eq"),
        ("for-each", "for-each:x:../*/**\n   eq", "eq"),
    ],
)
def test_a_whitelist_refuses_what_it_does_not_name(
    words: str, code: str, refused: str, evaluator: Evaluator
) -> None:
    evaluator.run("slots.create:foo\n   return:foo")
    with pytest.raises(NotAllowedError, match=f"'{refused}'") as caught:
        evaluator.run(whitelisted(words, code))
    assert caught.value.name == refused


@pytest.mark.parametrize(
    ("words", "code", "value"),
    [
        ("return", "return:x", "x"),
        ("signal:foo return", "signal:foo\nreturn:x:-", "free"),
        ("execute signal:foo return", "execute:foo\nreturn:x:-", "free"),
        ("switch return", "switch:a\n   case:a\n      return:x", "x"),
        ("neq return", "neq\n   .:1\n   .:2\nreturn:x:-", True),
    ],
)
def test_a_whitelist_allows_what_it_names(
    words: str, code: str, value: object, evaluator: Evaluator
) -> None:
    # The body of a dynamic slot is trusted: 02 §7 Q19
    evaluator.run("slots.create:foo\n   eval\n      get-value:x:@.f\n   return:free")
    program = whitelisted(words, code) + "\nreturn:x:-"
    assert evaluator.run(program).value == value


def test_a_whitelist_ends_with_its_block(evaluator: Evaluator) -> None:
    program = (
        "try\n   whitelist\n      vocabulary\n      .lambda\n         eq\n"
        ".catch\n   get-value:x:@.a\n   return:free"
    )
    assert evaluator.run(program).value == "free"


def test_unknown_is_not_the_same_as_not_allowed(evaluator: Evaluator) -> None:
    with pytest.raises(UnknownSlotError):
        evaluator.run(whitelisted("nosuch", "nosuch"))


# Python errors


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        KeyError(1),
        ZeroDivisionError(),
        AssertionError("no"),
        StopIteration(),
        OSError(2, "gone"),
        UnicodeDecodeError("a", b"", 0, 1, "b"),
    ],
)
def test_an_exception_of_a_slot_is_a_slot_error(
    error: Exception, evaluator: Evaluator
) -> None:
    @evaluator.slot("bad")
    def bad(run: Evaluator, node: Node) -> None:
        raise error

    for program in ("bad", "and\n   bad\n   bad", "if:bool:true\n   bad"):
        with pytest.raises(SlotError) as caught:
            evaluator.run(program)
        assert caught.value.__cause__ is error
        assert type(error).__name__ in caught.value.message
        assert "'bad'" in caught.value.message
    with pytest.raises(SlotError) as caught:
        evaluator.signal("bad", Node())
    assert caught.value.__cause__ is error
    with pytest.raises(SlotError):
        evaluator.run("try\n   bad")
    caught_type = "try\n   bad\n.catch\n   return:x:@.arguments/*/type"
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    assert evaluator.run(caught_type).value == name


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_the_process_is_not_caught(
    error: type[BaseException], evaluator: Evaluator
) -> None:
    seen = []

    @evaluator.slot("bad")
    def bad(run: Evaluator, node: Node) -> None:
        raise error

    @evaluator.slot("seen")
    def note(run: Evaluator, node: Node) -> None:
        seen.append(1)

    with pytest.raises(error):
        evaluator.run("try\n   eval\n      bad\n.catch\n   seen")
    assert seen == []
    assert evaluator.run("return:ok").value == "ok"


def test_a_slot_that_calls_itself_without_end_ends(evaluator: Evaluator) -> None:
    @evaluator.slot("deep")
    def deep(run: Evaluator, node: Node) -> None:
        deep(run, node)

    with pytest.raises(HyperlambdaError):
        evaluator.run("deep")
    assert evaluator.run("return:ok").value == "ok"


def test_an_error_may_be_made_public(evaluator: Evaluator) -> None:
    @evaluator.slot("refuse")
    def refuse(run: Evaluator, node: Node) -> None:
        raise ArgumentError("no such user", status=404, public=True, field="name")

    result = evaluator.run("try\n   refuse\n.catch\n   return-nodes:x:@.arguments/*")
    assert generate(result) == (
        "message:no such user\ntype:magic.node.extensions.HyperlambdaException\n"
        "status:int:404\npublic:bool:true\nfield:name\n"
    )


# Configuration


def test_what_an_evaluator_is_given_reaches_its_slots(tmp_path: Any) -> None:
    limits = Limits(max_steps=100)
    evaluator = Evaluator(limits=limits, root=str(tmp_path), config={"a": 1})
    seen: dict[str, object] = {}

    @evaluator.slot("look")
    def look(run: Evaluator, node: Node) -> None:
        seen.update(limits=run.limits, root=run.root, config=run.config, hub=run.hub)
        assert run is not evaluator
        assert type(run) is Evaluator

    evaluator.run("look")
    assert seen == {"limits": limits, "root": tmp_path, "config": {"a": 1}, "hub": None}


def test_options_are_keywords() -> None:
    with pytest.raises(TypeError):
        Evaluator(Limits())  # type: ignore[misc] # what must not work
    with pytest.raises(TypeError):
        Limits(5)  # type: ignore[misc] # what must not work


def test_the_reference_setting_for_while_is_obeyed() -> None:
    for key in ("magic:lambda:maxWhileIterations", "MAGIC:LAMBDA:MAXWHILEITERATIONS"):
        evaluator = Evaluator(config={key: "3"})
        with pytest.raises(LimitError, match="3 rounds"):
            evaluator.run("while:bool:true\n   .x")


def test_an_expression_is_a_value_like_others(evaluator: Evaluator) -> None:
    root = Node("", None, [Node(".a", 5), Node("get-value", Expression("@.a"))])
    evaluator.evaluate(root)
    assert root.children[1].value == 5


def test_a_subclass_runs_as_itself() -> None:
    class Mine(Evaluator):
        __slots__ = ()

    evaluator = Mine()
    seen = []
    evaluator.register("look", lambda run, node: seen.append(type(run)))
    evaluator.run("look")
    assert seen == [Mine]
