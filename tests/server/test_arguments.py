"""The arguments of files that clients run (spec 05 §4)."""

from __future__ import annotations

import pytest

from hyperlambda import HyperlambdaError, generate, parse
from hyperlambda.server.arguments import attach_arguments


def attached(declared: str, json: str | None) -> str:
    """Return what a program becomes; its declaration comes second in it."""
    program = parse(f"before\n{declared}after\n")
    attach_arguments(program, json)
    return generate(program)


CODE = "before\nafter\n"
PERSON = """.arguments
   name:string
   age:int
   home
      town:string
      rest:*
   tags
      .:string
"""


@pytest.mark.parametrize("declared", ["", PERSON, ".arguments:*\n", ".arguments\n"])
@pytest.mark.parametrize("json", [None, "", "{}", "[]", "null", "5", '"text"', " {} "])
def test_no_arguments_are_no_node(declared: str, json: str | None) -> None:
    assert attached(declared, json) == CODE


@pytest.mark.parametrize("declared", ["", ".arguments:*\n", ".arguments:*\n   a:int\n"])
def test_what_is_not_declared_is_taken_as_it_is(declared: str) -> None:
    json = '{"b":{"c":[1,"x"]},"a":null,"when":"2026-11-24T10:00:00Z"}'
    assert attached(declared, json) == (
        ".arguments\n   b\n      c\n         .:long:1\n         .:x\n   a\n"
        '   when:date:"2026-11-24T10:00:00.000Z"\n' + CODE
    )
    assert attached(declared, "[1,{}]") == f".arguments\n   .:long:1\n   .\n{CODE}"


def test_arguments_have_their_types_and_the_order_of_the_declaration() -> None:
    json = '{"tags":[1,true],"home":{"rest":{"x":1},"town":5},"age":"7","name":null}'
    assert attached(PERSON, json) == (
        ".arguments\n   name\n   age:int:7\n   home\n      rest\n         x:long:1\n"
        "      town:5\n   tags\n      .:1\n      .:true\n" + CODE
    )


@pytest.mark.parametrize(
    ("kind", "json", "literal"),
    [
        ("string", "5", "5"),
        ("string", "true", '"true"'),
        ("int", "2.5", "int:2"),
        ("int", "3.5", "int:4"),
        ("int", '"12"', "int:12"),
        ("sbyte", "-128", "sbyte:-128"),
        ("long", "9007199254740993", "long:9007199254740993"),
        ("decimal", "1.5", "decimal:1.5"),
        ("double", '"1.5"', "double:1.5"),
        ("bool", "true", "bool:true"),
        ("bool", '"true"', "bool:true"),
        ("bool", '"yes"', "bool:false"),
        ("bool", "1", "bool:false"),
        ("date", '"2026-11-24T10:00:00Z"', 'date:"2026-11-24T10:00:00.000Z"'),
        ("time", "600000000", 'time:"600000000"'),
        ("char", '"x"', "char:x"),
        ("bytes", '"aGk="', 'bytes:"aGk="'),
        ("x", '"@.a/*"', "x:@.a/*"),
        ("*", '"as it is"', "as it is"),
    ],
)
def test_types(kind: str, json: str, literal: str) -> None:
    program = attached(f".arguments\n   a:{kind}\n", f'{{"a":{json}}}')
    expected = generate(parse(f".arguments\n   a:{literal}\n")) + CODE
    assert program.replace('"true"', "true") == expected.replace('"true"', "true")


@pytest.mark.parametrize(
    ("declared", "json", "message"),
    [
        (
            PERSON,
            '{"nmae":1}',
            "no argument is named 'nmae' here; did you mean 'name'?",
        ),
        (PERSON, '{"home":{"street":1}}', "no argument is named 'home/street' here"),
        (PERSON, '{"name":{"x":1}}', "no argument is named 'name/x' here"),
        (PERSON, "[1]", "no argument is named '.' here"),
        (".arguments\n", '{"a":1}', "no argument is named 'a' here"),
        (PERSON, '{"age":"x"}', "the argument 'age' is no 'int': "),
        (PERSON, '{"age":99999999999}', "the argument 'age' is no 'int': "),
        (".arguments\n   a:char\n", '{"a":"xy"}', "the argument 'a' is no 'char': "),
        (".arguments\n   a:date\n", '{"a":5}', "the argument 'a' is no 'date': "),
        (
            ".arguments\n   a:nonsense\n",
            '{"a":5}',
            "the argument 'a' is no 'nonsense': ",
        ),
        ("", '{"a":', "the arguments cannot be read: bad JSON at line 1, column 6: "),
        ("", "[" * 100 + "]" * 100, "the arguments cannot be read: bad JSON"),
    ],
)
def test_what_a_file_does_not_take(declared: str, json: str, message: str) -> None:
    with pytest.raises(HyperlambdaError) as refused:
        attached(declared, json)
    assert refused.value.message.startswith(message)
    assert refused.value.public
