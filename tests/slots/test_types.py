"""The slots types, type, convert and format (spec 02 §3.7, 01 §3.8)."""

from __future__ import annotations

from typing import Any

import pytest

from hyperlambda import ArgumentError, Evaluator, Limits, Node, generate, parse
from hyperlambda.errors import (
    ConversionError,
    ExpressionError,
    LimitError,
    LiteralError,
    OutOfRangeError,
    TreeError,
)

NAMES = [
    "bytes",
    "short",
    "ushort",
    "int",
    "uint",
    "long",
    "ulong",
    "decimal",
    "double",
    "single",
    "float",
    "char",
    "byte",
    "sbyte",
    "string",
    "bool",
    "date",
    "time",
    "guid",
    "x",
    "node",
]


def run(program: str) -> Node:
    """Run a program and return its last node."""
    root = parse(program)
    Evaluator().evaluate(root)
    return root.children[-1]


def test_types_are_appended_in_order() -> None:
    node = run("types:kept\n   .old")
    assert node.value == "kept"
    assert [child.name for child in node.children] == [".old", *[""] * 21]
    assert [child.value for child in node.children][1:] == NAMES


def test_names_of_types_count_as_nodes() -> None:
    with pytest.raises(LimitError):
        Evaluator(limits=Limits(max_nodes=10)).run("types")


@pytest.mark.parametrize(
    ("literal", "name"),
    [
        (":int:5", "int"),
        (":long:5", "long"),
        (":single:1", "float"),
        (":double:1", "double"),
        (":x:@.missing", "x"),
        (":node:a", "node"),
        (":bool:true", "bool"),
        (":text", "string"),
        ("", None),
    ],
)
def test_type_of_the_raw_value(literal: str, name: str | None) -> None:
    node = run(f".v{literal}\ntype:x:@.v\n   .kept")
    assert node.value == name
    assert len(node.children) == 1


def test_type_of_a_foreign_object_is_its_class_in_brackets() -> None:
    root = parse(".v\ntype:x:@.v")
    root.children[0].value = object()
    Evaluator().evaluate(root)
    assert root.children[1].value == "[builtins.object]"


@pytest.mark.parametrize("call", ["type", "convert"])
@pytest.mark.parametrize(
    ("value", "error"),
    [
        (":literal", ExpressionError),
        ("", ExpressionError),
        (":x:@.missing", TreeError),
        (":x:@.many/*", TreeError),
    ],
)
def test_exactly_one_node_is_wanted(
    call: str, value: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        run(f".many\n   a\n   b\n{call}{value}\n   .:int")


@pytest.mark.parametrize(
    ("literal", "wanted", "result"),
    [
        (':"42"', "int", "int:42"),
        (":int:42", "string", "42"),
        (":bool:true", "string", "True"),
        (":bool:true", "bool", "bool:true"),
        (":true", "bool", "bool:true"),
        (":int:1", "bool", "bool:false"),
        ("", "int", "int:0"),
        ("", "string", ""),
        ("", "bytes", None),
        (":bytes:YQ==", "bytes", "bytes:YQ=="),
        (":a", "bytes", "bytes:YQ=="),
        (":a", "base64", "YQ=="),
        (":a", "base64-url", "YQ"),
        (":YQ==", "from-base64", "bytes:YQ=="),
        (':"@.a/0"', "x", "x:@.a/0"),
        (":double:2.5", "int", "int:2"),
    ],
)
def test_convert(literal: str, wanted: str, result: str | None) -> None:
    node = run(f".v{literal}\nconvert:x:@.v\n   type:{wanted}")
    expected = "convert" if result is None else f"convert:{result}"
    assert generate([node]) == generate(parse(expected))


def test_convert_takes_the_raw_value() -> None:
    node = run(".v:x:@.missing\nconvert:x:@.v\n   type:string")
    assert node.value == "@.missing"


def test_the_first_child_names_the_type_whatever_its_name() -> None:
    program = '.t:int\n.v:"5"\nconvert:x:@.v\n   anything:x:@.t\n   type:guid'
    assert generate([run(program)]) == "convert:int:5\n"


@pytest.mark.parametrize(
    ("literal", "child", "error"),
    [
        (":a", "", ArgumentError),
        (":a", "type", ArgumentError),
        (":a", "type:strange", ArgumentError),
        (":a", "type:int", LiteralError),
        (":long:3000000000", "type:int", OutOfRangeError),
        (":node:a", "type:int", ConversionError),
    ],
)
def test_what_cannot_be_converted_is_an_error(
    literal: str, child: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        run(f".v{literal}\nconvert:x:@.v\n   {child}")


@pytest.mark.parametrize(
    ("value", "children", "text"),
    [
        (":x:@.n", ['pattern:"<{0,4}>"'], "<  42>"),
        (":decimal:1.5", ['pattern:"{0:0.00}"', "culture:de-DE"], "1,50"),
        (":decimal:1.5", ['pattern:"{0:0.00}"', "culture"], "1.50"),
        ("", ['pattern:"[{0}]"'], "[]"),
        (":bool:true", ['pattern:"{0}"'], "True"),
        (":int:5", ['pattern:"{{{0}}}"'], "{5}"),
        (":int:5", ["pattern:x:@.p"], "a5"),
    ],
)
def test_format(value: str, children: list[str], text: str) -> None:
    lines = ['.n:"42"', '.p:"a{0}"', f"format{value}", *[f"   {c}" for c in children]]
    node = run("\n".join(lines))
    assert node.value == text
    assert not node.children


@pytest.mark.parametrize(
    ("children", "error"),
    [
        (["other"], TreeError),
        (["pattern"], TreeError),
        (['pattern:"{1}"'], LiteralError),
        (['pattern:"{0"'], LiteralError),
        (['pattern:"{0}"', "culture:no-where"], ArgumentError),
    ],
)
def test_bad_format_is_an_error(children: list[str], error: Any) -> None:
    with pytest.raises(error):
        run("\n".join(["format:int:1", *[f"   {child}" for child in children]]))
