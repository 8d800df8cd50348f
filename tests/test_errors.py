"""What a person reads when something is wrong, and what a program may ask."""

from __future__ import annotations

import inspect

import pytest

from hyperlambda import (
    Evaluator,
    HyperlambdaError,
    HyperlambdaSyntaxError,
    LimitError,
    Limits,
    Node,
    UnknownSlotError,
    errors,
    parse,
)
from hyperlambda.errors import (
    ArgumentError,
    SlotError,
    ThrownError,
    UnknownTypeError,
    nearest,
)
from hyperlambda.source import Place, Source

# A program, the class of its error, and what is rendered, line by line.
GOLDEN = [
    (
        "for-eech:x:@.data/*",
        "UnknownSlotError",
        [
            "f.hl:1:1: error: no slot is named 'for-eech'",
            "  1 | for-eech:x:@.data/*",
            "    | ^^^^^^^^",
            "  help: did you mean 'for-each'?",
        ],
    ),
    (
        "if:bool:true\n   evall",
        "UnknownSlotError",
        [
            "f.hl:2:4: error: no slot is named 'evall'",
            "  2 |    evall",
            "    |    ^^^^^",
            "  help: did you mean 'eval'?",
        ],
    ),
    (
        "eval:oops\n   get-value",
        "ArgumentError",
        [
            "f.hl:1:1: error: 'eval' takes a value or children, not both",
            "  1 | eval:oops",
            "    | ^^^^",
        ],
    ),
    (
        "a\n b",
        "HyperlambdaSyntaxError",
        [
            "f.hl:2:2: error: an indentation of 1 spaces is not a multiple of three",
            "  2 |  b",
            "    |  ^",
        ],
    ),
    (
        "a\n      b",
        "HyperlambdaSyntaxError",
        [
            "f.hl:2:7: error: an indentation of 6 spaces is too deep here",
            "  2 |       b",
            "    |       ^",
            "  help: 3 spaces put it below the node before it",
        ],
    ),
    (
        "   a",
        "HyperlambdaSyntaxError",
        [
            "f.hl:1:4: error: an indentation of 3 spaces is too deep here",
            "  1 |    a",
            "    |    ^",
            "  help: the first node of a text is not indented",
        ],
    ),
    (
        "\ta",
        "HyperlambdaSyntaxError",
        [
            "f.hl:1:1: error: a tab cannot indent",
            "  1 | \ta",
            "    | ^",
            "  help: indent by three spaces",
        ],
    ),
    (
        'say:"open',
        "HyperlambdaSyntaxError",
        [
            'f.hl:1:5: error: this text is not closed by a "',
            '  1 | say:"open',
            "    |     ^",
        ],
    ),
    (
        "say:'open",
        "HyperlambdaSyntaxError",
        [
            "f.hl:1:5: error: this text is not closed by a '",
            "  1 | say:'open",
            "    |     ^",
        ],
    ),
    (
        'say:"x" y',
        "HyperlambdaSyntaxError",
        [
            "f.hl:1:9: error: expected the end of the line after a quoted text",
            '  1 | say:"x" y',
            "    |         ^",
        ],
    ),
    (
        "n:int:4.2",
        "HyperlambdaSyntaxError",
        [
            "f.hl:1:7: error: '4.2' is not an integer",
            "  1 | n:int:4.2",
            "    |       ^^^",
        ],
    ),
    (
        "n:byte:300",
        "HyperlambdaSyntaxError",
        [
            "f.hl:1:8: error: the number does not fit 'byte'",
            "  1 | n:byte:300",
            "    |        ^^^",
            "  help: 'byte' is 0 … 255",
        ],
    ),
    (
        "n:itn:5",
        "UnknownTypeError",
        [
            "f.hl:1:3: error: no type is named 'itn'",
            "  1 | n:itn:5",
            "    |   ^^^",
            "  help: did you mean 'int'?",
        ],
    ),
    (
        "u:https://x.io",
        "UnknownTypeError",
        [
            "f.hl:1:3: error: no type is named 'https'",
            "  1 | u:https://x.io",
            "    |   ^^^^^",
            "  help: a value that contains a colon must be quoted",
        ],
    ),
    (
        "u:string:a:b",
        "HyperlambdaSyntaxError",
        [
            "f.hl:1:11: error: unexpected ':'",
            "  1 | u:string:a:b",
            "    |           ^",
            "  help: a value with a colon must be quoted",
        ],
    ),
    (
        'a:"\\q"',
        "HyperlambdaSyntaxError",
        [
            "f.hl:1:4: error: '\\q' is not an escape",
            '  1 | a:"\\q"',
            "    |    ^^",
        ],
    ),
    (
        "/* open",
        "HyperlambdaSyntaxError",
        [
            "f.hl:1:1: error: this comment is not closed by '*/'",
            "  1 | /* open",
            "    | ^^",
        ],
    ),
    (
        "/* a */ b",
        "HyperlambdaSyntaxError",
        [
            "f.hl:1:9: error: expected the end of the line after a comment",
            "  1 | /* a */ b",
            "    |         ^",
        ],
    ),
    (
        '"k"tail',
        "HyperlambdaSyntaxError",
        [
            "f.hl:1:4: error: expected ':' or the end of the line after a quoted name",
            '  1 | "k"tail',
            "    |    ^",
        ],
    ),
    (
        "e:x:{a",
        "HyperlambdaSyntaxError",
        [
            "f.hl:1:5: error: a brace is never closed in '{a'",
            "  1 | e:x:{a",
            "    |     ^^",
        ],
    ),
    (
        "e:x:[4]",
        "HyperlambdaSyntaxError",
        [
            "f.hl:1:5: error: '[4]' is no subscript",
            "  1 | e:x:[4]",
            "    |     ^^^",
            "  help: write [skip,take] with two numbers, or [name|name]",
        ],
    ),
    (
        "e:x:[a|b",
        "HyperlambdaSyntaxError",
        [
            "f.hl:1:5: error: '[a|b' has no closing ']'",
            "  1 | e:x:[a|b",
            "    |     ^^^^",
        ],
    ),
    (
        ".a:1\n.a:2\nget-value:x:../*/.a",
        "ExpressionError",
        [
            "f.hl:3:1: error: the expression '../*/.a' finds 2 nodes where one is wanted",
            "  3 | get-value:x:../*/.a",
            "    | ^^^^^^^^^",
        ],
    ),
    (
        "throw:it broke",
        "ThrownError",
        [
            "f.hl:1:1: error: it broke",
            "  1 | throw:it broke",
            "    | ^^^^^",
        ],
    ),
    (
        "throw",
        "ThrownError",
        [
            "f.hl:1:1: error: [no-message]",
            "  1 | throw",
            "    | ^^^^^",
        ],
    ),
    (
        "while:bool:true\n   .a",
        "LimitError",
        [
            "f.hl:1:1: error: 'while' runs more than the 5000 rounds it may",
            "  1 | while:bool:true",
            "    | ^^^^^",
        ],
    ),
    (
        "eval:5",
        "ExpressionError",
        [
            "f.hl:1:1: error: 'eval' needs an expression as its value",
            "  1 | eval:5",
            "    | ^^^^",
        ],
    ),
    (
        "else\n   .x",
        "ArgumentError",
        [
            "f.hl:1:1: error: 'else' must follow [if] or [else-if]",
            "  1 | else",
            "    | ^^^^",
        ],
    ),
    (
        "switch:1",
        "ArgumentError",
        [
            "f.hl:1:1: error: 'switch' needs a [case]",
            "  1 | switch:1",
            "    | ^^^^^^",
        ],
    ),
    (
        "whitelist\n   vocabulary\n   .lambda\n      get-value:1",
        "NotAllowedError",
        [
            "f.hl:4:7: error: 'get-value' is not allowed here",
            "  4 |       get-value:1",
            "    |       ^^^^^^^^^",
        ],
    ),
    (
        "signal:absent",
        "UnknownSlotError",
        [
            "f.hl:1:1: error: no dynamic slot is named 'absent'",
            "  1 | signal:absent",
            "    | ^^^^^^",
        ],
    ),
    (
        "math.divide:int:5\n   .:int:0",
        "DivisionByZeroError",
        [
            "f.hl:1:1: error: a number is divided by zero",
            "  1 | math.divide:int:5",
            "    | ^^^^^^^^^^^",
        ],
    ),
    (
        ".a\n   .\nfor-each:x:@.a/*\n   add:x:@.a\n      .\n         .:1",
        "TreeError",
        [
            "f.hl:3:1: error: the children of '.a' changed while they were walked",
            "  3 | for-each:x:@.a/*",
            "    | ^^^^^^^^",
            "  help: walk a copy (get-nodes), or collect the changes and make them after",
        ],
    ),
    (
        "Get-Value",
        "UnknownSlotError",
        [
            "f.hl:1:1: error: no slot is named 'Get-Value'",
            "  1 | Get-Value",
            "    | ^^^^^^^^^",
            "  help: did you mean 'get-value'?",
        ],
    ),
    (
        "get-value:x:../-",
        "MissingValueError",
        [
            "f.hl:1:1: error: a node without parent has no siblings",
            "  1 | get-value:x:../-",
            "    | ^^^^^^^^^",
        ],
    ),
    (
        "if\n   eq\n      .:1\n      .:1",
        "ArgumentError",
        [
            "f.hl:1:1: error: 'if' needs a condition and [.lambda], or a value and code",
            "  1 | if",
            "    | ^^",
        ],
    ),
    (
        "b:bool:yes\n   c:char:ab",
        "HyperlambdaSyntaxError",
        [
            "f.hl:2:11: error: 'ab' is not one character",
            "  2 |    c:char:ab",
            "    |           ^^",
        ],
    ),
    (
        "x\ty",
        "UnknownSlotError",
        [
            "f.hl:1:1: error: no slot is named 'x\ty'",
            "  1 | x\ty",
            "    | ^^^",
        ],
    ),
    (
        "\r\n\r\nnosuch\r\n",
        "UnknownSlotError",
        [
            "f.hl:3:1: error: no slot is named 'nosuch'",
            "  3 | nosuch",
            "    | ^^^^^^",
        ],
    ),
    (
        "a:b\r\n  c",
        "HyperlambdaSyntaxError",
        [
            "f.hl:2:3: error: an indentation of 2 spaces is not a multiple of three",
            "  2 |   c",
            "    |   ^",
        ],
    ),
    (
        "\ufeff🦆🦆quack",
        "UnknownSlotError",
        [
            "f.hl:1:1: error: no slot is named '🦆🦆quack'",
            "  1 | 🦆🦆quack",
            "    | ^^^^^^^",
        ],
    ),
    (
        "slots.create:duck\nsignal:dukc",
        "UnknownSlotError",
        [
            "f.hl:2:1: error: no dynamic slot is named 'dukc'",
            "  2 | signal:dukc",
            "    | ^^^^^^",
            "  help: did you mean 'duck'?",
        ],
    ),
]


def failure(
    program: str, *, evaluator: Evaluator | None = None, file: str = "f.hl"
) -> HyperlambdaError:
    """Return the error that a program ends with."""
    with pytest.raises(HyperlambdaError) as caught:
        (evaluator or Evaluator()).run(program, file=file)
    return caught.value


@pytest.mark.parametrize(("program", "kind", "lines"), GOLDEN)
def test_render(program: str, kind: str, lines: list[str]) -> None:
    error = failure(program)
    assert type(error).__name__ == kind
    assert error.render().split("\n") == lines


def test_render_without_place_or_help_is_one_line() -> None:
    assert HyperlambdaError("it broke").render() == "error: it broke"


def test_render_has_place_line_and_help() -> None:
    error = HyperlambdaError("it broke", help="mend it", place=Place("f", 2, 3, "abc"))
    assert (
        error.render()
        == "f:2:3: error: it broke\n  2 | abc\n    |   ^\n  help: mend it"
    )
    assert str(error) == "f:2:3: it broke"


def test_defaults_are_those_of_the_reference() -> None:
    # 01 §0.3
    error = HyperlambdaError("m")
    assert (error.public, error.status, error.field) == (False, 500, "")
    assert error.kind == "magic.node.extensions.HyperlambdaException"
    assert (error.help, error.place, error.stack) == (None, None, [])


CLASSES = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, Exception)
]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_has_the_one_base_and_is_exported(
    kind: type[HyperlambdaError],
) -> None:
    assert issubclass(kind, HyperlambdaError)
    assert kind.__name__ in errors.__all__
    assert kind.kind.count(".") >= 1


@pytest.mark.parametrize(
    ("program", "kind"),
    [
        ("throw:a", "magic.node.extensions.HyperlambdaException"),
        ("nosuch", "magic.node.extensions.HyperlambdaException"),
        ("remove-nodes:x:..", "System.NullReferenceException"),
        ("math.divide:int:1\n      .:int:0", "System.DivideByZeroException"),
        ("sleep:abc", "System.FormatException"),
        ("python", "builtins.KeyError"),
    ],
)
def test_catch_sees_the_type(program: str, kind: str) -> None:
    evaluator = Evaluator()

    @evaluator.slot("python")
    def python(evaluator: Evaluator, node: Node) -> None:
        raise KeyError("gone")

    result = evaluator.run(f"try\n   {program}\n.catch\n   return:x:@.arguments/*/type")
    assert result.value == kind


# Stacks


def test_the_stack_names_slots_innermost_first() -> None:
    error = failure("if:bool:true\n   eval\n      try\n         nosuch")
    assert [(name, str(place)) for name, place in error.stack] == [
        ("nosuch", "f.hl:4:10"),
        ("try", "f.hl:3:7"),
        ("eval", "f.hl:2:4"),
        ("if", "f.hl:1:1"),
    ]
    assert str(error.place) == "f.hl:4:10"


def test_the_stack_leads_through_dynamic_slots() -> None:
    error = failure("slots.create:a\n   throw:x\nif:bool:true\n   signal:a")
    assert [(name, str(place)) for name, place in error.stack] == [
        ("throw", "f.hl:2:4"),
        ("signal", "f.hl:4:4"),
        ("if", "f.hl:3:1"),
    ]


def test_the_stack_leads_through_files() -> None:
    evaluator = Evaluator()

    @evaluator.slot("include-it")
    def include(evaluator: Evaluator, node: Node) -> None:
        evaluator.run("\n\n   \nnosuch", file="inner.hl")

    error = failure("include-it", evaluator=evaluator, file="outer.hl")
    assert [(name, str(place)) for name, place in error.stack] == [
        ("nosuch", "inner.hl:4:1"),
        ("include-it", "outer.hl:1:1"),
    ]


@pytest.mark.parametrize(
    ("program", "name", "place"),
    [
        ("and\n   eqq\n   eq", "eqq", "f.hl:2:4"),
        ("or\n   .:bool:false\n   eqq", "eqq", "f.hl:3:4"),
        ("get-first-value\n   gett-value", "gett-value", "f.hl:2:4"),
        ("not\n   eqq", "eqq", "f.hl:2:4"),
        ("if\n   eqq\n   .lambda", "eqq", "f.hl:2:4"),
        ("add:x:@.a\n   nosuch", "nosuch", "f.hl:2:4"),
        ("switch:1\n   case:1\n      nosuch", "nosuch", "f.hl:3:7"),
        (
            "whitelist\n   vocabulary\n      and\n   .lambda\n      and\n         eq\n         eq",
            "eq",
            "f.hl:6:10",
        ),
    ],
)
def test_the_innermost_slot_is_the_one_at_fault(
    program: str, name: str, place: str
) -> None:
    error = failure(program)
    assert error.stack[0][0] == name
    assert str(error.place) == place


def test_a_limit_on_depth_names_each_slot_once() -> None:
    error = failure(
        "eval\n   if:bool:true\n      try\n         eval",
        evaluator=Evaluator(limits=Limits(max_depth=3)),
    )
    assert [name for name, _ in error.stack] == ["try", "if", "eval"]


def test_the_stack_of_a_recursion_is_bounded() -> None:
    error = failure("slots.create:a\n   signal:a\nsignal:a")
    assert type(error) is LimitError
    assert 10 <= len(error.stack) <= 100


def test_a_slot_called_by_name_is_named_with_the_place_of_its_node() -> None:
    node = parse("a\nfoo:bar", file="f.hl").children[1]
    with pytest.raises(UnknownSlotError) as caught:
        Evaluator().signal("nosuch", node)
    assert str(caught.value.place) == "f.hl:2:1"


def test_nodes_that_were_made_have_names_but_no_places() -> None:
    root = Node("", None, [Node("eval", None, [Node("nosuch")])])
    with pytest.raises(UnknownSlotError) as caught:
        Evaluator().evaluate(root)
    assert caught.value.stack == [("nosuch", None), ("eval", None)]
    assert caught.value.place is None
    assert caught.value.render() == "error: no slot is named 'nosuch'"


# Classes of their own


def test_unknown_slot_keeps_the_name_and_suggests_the_near_one() -> None:
    error = UnknownSlotError("get-vlaue", ["set-value", "get-value", "eq"])
    assert (error.name, error.help) == ("get-vlaue", "did you mean 'get-value'?")
    assert UnknownSlotError("zzzz", ["eq"]).help is None


def test_unknown_type_keeps_the_name() -> None:
    error = UnknownTypeError("itn", ["int", "x"])
    assert (error.name, error.help) == ("itn", "did you mean 'int'?")
    assert isinstance(error, HyperlambdaSyntaxError)


def test_a_slot_error_keeps_its_cause() -> None:
    evaluator = Evaluator()
    cause = ValueError("bad")

    @evaluator.slot("python")
    def python(evaluator: Evaluator, node: Node) -> None:
        raise cause

    error = failure("eval\n   python", evaluator=evaluator)
    assert type(error) is SlotError
    assert error.__cause__ is cause
    assert error.message == "slot 'python' failed: ValueError: bad"
    assert str(error.place) == "f.hl:2:4"


def test_a_thrown_error_carries_what_the_program_said() -> None:
    error = failure(
        "throw:no such user\n   status:int:404\n   public:bool:true\n   field:name"
    )
    assert type(error) is ThrownError
    assert (error.message, error.status, error.public, error.field) == (
        "no such user",
        404,
        True,
        "name",
    )


def test_the_error_of_a_python_slot_of_our_own_kind_passes_unchanged() -> None:
    evaluator = Evaluator()
    mine = ArgumentError("too few", status=400, public=True)

    @evaluator.slot("mine")
    def raises(evaluator: Evaluator, node: Node) -> None:
        raise mine

    assert failure("mine", evaluator=evaluator) is mine


@pytest.mark.parametrize(
    "program",
    [
        '@"a\nb"',
        "python",
        'signal:"a\\nb"',
        'n:"in\\nt":5',
        'e:x:"[a\\nb"',
        "a" * 10_000,
        "e:x:" + "[" * 10_000,
        "signal:" + "a" * 10_000,
        "e:x:{" + "a" * 10_000,
    ],
    ids=lambda program: program[:12],
)
def test_a_message_is_one_line_of_a_readable_length(program: str) -> None:
    evaluator = Evaluator()

    @evaluator.slot("python")
    def python(evaluator: Evaluator, node: Node) -> None:
        raise ValueError("two\nlines")

    message = failure(program, evaluator=evaluator).message
    assert len(message.splitlines()) == 1
    assert len(message) < 500


@pytest.mark.parametrize(
    ("name", "known", "found"),
    [
        ("for-eech", ["for-each", "foo"], "for-each"),
        ("FOR-EACH", ["for-each"], "for-each"),
        ("xyz", ["for-each"], None),
        ("", ["for-each"], None),
        ("a" * 5000, ["a" * 5001], None),
        ("a", [], None),
    ],
)
def test_nearest(name: str, known: list[str], found: str | None) -> None:
    assert nearest(name, known) == found


def test_places_are_worked_out_only_when_asked_for() -> None:
    class Counting(Source):
        __slots__ = ()
        asked = 0

        def place(self, offset: int, width: int = 1) -> Place:
            Counting.asked += 1
            return super().place(offset, width)

    error = HyperlambdaError("m")
    for index in range(64):
        error.add_frame("a", Counting("abc " * 100), index)
    assert Counting.asked == 0
    assert str(error.place) == "<text>:1:1"
    assert Counting.asked == 1
