"""The slots json2lambda and lambda2json (spec 04 §3.1–3.2, §18 rows 1–34)."""

from __future__ import annotations

import json
import math
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperlambda import Evaluator, HyperlambdaError, Limits, Node, generate, parse
from hyperlambda.dates import ZONES, ZoneSetting
from hyperlambda.errors import (
    ArgumentError,
    ConversionError,
    ExpressionError,
    LimitError,
    LiteralError,
)
from hyperlambda.json_reader import read_json
from hyperlambda.json_writer import write_json
from hyperlambda.values import LOCAL, Long, Single


def run(program: str) -> Node:
    """Run a program and return its last node."""
    root = parse(program)
    Evaluator().evaluate(root)
    return root.children[-1]


def read(text: Any) -> Node:
    """Call json2lambda with a value and return the node."""
    node = Node("json2lambda", text)
    Evaluator().signal("json2lambda", node)
    return node


def write(program: str) -> Any:
    """Return the value of the last node of a program."""
    return run(program).value


# Reading


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("{}", ""),
        ("[]", ""),
        ("null", ""),
        ('{"n":1}', "n:long:1"),
        ("[-0,2147483648]", ".:long:0\n.:long:2147483648"),
        ("[9223372036854775807]", ".:long:9223372036854775807"),
        ("[9223372036854775808]", ".:decimal:9223372036854775808"),
        ("[-9223372036854775809]", ".:decimal:-9223372036854775809"),
        ("[1.0, 1e2]", ".:double:1\n.:double:100"),
        ("[true,false,null]", ".:bool:true\n.:bool:false\n."),
        ("[[],[[]]]", ".\n.\n   ."),
        ('{"a":1,"b":2,"a":3}', "a:long:3\nb:long:2"),
        ('{"":1,"a:b":2}', ':long:1\n"a:b":long:2'),
        ('["2020-01-01"]', '.:"2020-01-01"'),
        ('["2020-01-01T00:00:00"]', '.:date:"2020-01-01T00:00:00.000"'),
        ('\ufeff{"a":5}', "a:long:5"),
        (' \r\n\t{"a" : [ ] , "b":{"c":"d"}} ', "a\nb\n   c:d"),
        (r'["\u00e9\n\"\ud83d\ude00"]', '.:"é\\n\\"😀"'),
    ],
)
def test_json_becomes_nodes(text: str, tree: str) -> None:
    node = read(text)
    assert node.value is None
    assert generate(node) == generate(parse(tree))


@pytest.mark.parametrize(
    ("text", "value"),
    [("5", Long(5)), ('"x"', "x"), ("true", True), ("1.5", 1.5)],
)
def test_scalar_root_becomes_the_value(text: str, value: Any) -> None:
    node = read(text)
    assert (node.value, type(node.value)) == (value, type(value))
    assert not node.children


def test_words_for_special_numbers_are_read() -> None:
    numbers = [child.value for child in read("[NaN,Infinity,-Infinity]").children]
    assert math.isnan(numbers[0])
    assert numbers[1:] == [math.inf, -math.inf]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2024-05-06T07:08:09", datetime(2024, 5, 6, 7, 8, 9)),
        ("2024-05-06T07:08:09.5", datetime(2024, 5, 6, 7, 8, 9, 500_000)),
        ("2024-05-06T07:08:09.1234567", datetime(2024, 5, 6, 7, 8, 9, 123_456)),
        ("2024-05-06T07:08:09Z", datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)),
        ("2024-05-06T07:08:09z", datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)),
        ("2024-05-06T07:08:09+02:00", datetime(2024, 5, 6, 5, 8, 9, tzinfo=LOCAL)),
        ("2024-05-06T07:08:09-0230", datetime(2024, 5, 6, 9, 38, 9, tzinfo=LOCAL)),
        ("2024-05-06T07:08:09+02", datetime(2024, 5, 6, 5, 8, 9, tzinfo=LOCAL)),
    ],
)
def test_iso_date_becomes_a_date_of_its_kind(text: str, date: datetime) -> None:
    value = read(json.dumps([text])).children[0].value
    assert (value, value.tzinfo) == (date, date.tzinfo)


@pytest.mark.parametrize(
    "text",
    [
        "2020-01-01T10:00",
        "2020-01-01t10:00:00",
        "2020-01-01T10:00:00.12345678",
        "2020-13-01T10:00:00",
        "2020-01-01T24:00:00",
        "2020-01-01T10:00:00+02:",
        "2020-01-01T10:00:00+02:60",
        "0001-01-01T00:00:00+02:00",
        "2020-01-01T10:00:00 and more",
        "x020-01-01T10:00:00",
        "/Date(1000)/",
    ],
)
def test_what_is_no_iso_date_stays_text(text: str) -> None:
    assert read(json.dumps([text])).children[0].value == text


@pytest.mark.parametrize(
    ("setting", "zone", "mark"),
    [("none", None, ""), ("utc", UTC, "Z"), ("local", LOCAL, "+00:00")],
)
def test_date_without_zone_is_labelled_as_set(
    monkeypatch: pytest.MonkeyPatch, setting: ZoneSetting, zone: Any, mark: str
) -> None:
    monkeypatch.setattr(ZONES, "default", setting)
    assert read('["2020-01-01T00:00:00"]').children[0].value.tzinfo is zone
    written = write_json([Node(".", datetime(2020, 1, 1))])
    assert written == f'["2020-01-01T00:00:00{mark}"]'


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{} x", "line 1, column 4"),
        ("{'a':1}", "line 1, column 2"),
        ('{"a":1,}', "line 1, column"),
        ("[1,,2]", "line 1, column 4"),
        ("[010]", "line 1, column 3"),
        ("[True]", "line 1, column 2"),
        ("[+1]", "line 1, column 2"),
        ("[undefined]", "line 1, column 2"),
        ("[1]\n]", "line 2, column 1"),
        ('{\n  "a" 1}', "line 2, column 7"),
        ("[1", "line 1, column 3"),
        ('["a', "line 1, column 2"),
        ('["a\nb"]', "line 1, column 4"),
        (r'["\x"]', "line 1, column 3"),
        (r'["\u12"]', "line 1, column"),
        ("/* c */ 1", "line 1, column 1"),
        ("[" * 65 + "]" * 65, "line 1, column 65"),
        ("[\n" * 65 + "]" * 65, "line 65, column 1"),
        ("[1, " + "9" * 5000 + "]", "line 1, column 5"),
        ('["' + "9" * 5000 + '", ' + "9" * 5000 + "]", "line 1, column 5006"),
    ],
)
def test_bad_json_is_an_error_that_says_where(text: str, place: str) -> None:
    with pytest.raises(LiteralError) as caught:
        read(text)
    assert place in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("text", ["", "  \n", "\ufeff"])
def test_blank_text_has_nothing_to_read(text: str) -> None:
    with pytest.raises(LiteralError, match="empty"):
        read(text)


def test_null_is_refused() -> None:
    with pytest.raises(ArgumentError):
        read(None)


def test_64_levels_are_read() -> None:
    assert sum(1 for _ in read("[" * 64 + "]" * 64).walk()) == 64


@pytest.mark.parametrize(
    ("opener", "closer"),
    [
        ("[", "]"),
        ('{"a":', "}"),
        ('[{"a":', "}]"),
        ('{"a":[[', "]]}"),
        ("[1,[],{},[", "]]"),
    ],
)
def test_depth_is_counted_exactly(opener: str, closer: str) -> None:
    """Whatever stands inside of each other, and wherever in the text the deepest is."""
    levels = len(closer)
    for count in range(1, 12):
        text = opener * count + "1" + closer * count
        for around in (text, f"[{text},1]", f'{{"x":[],"y":{text},"z":{{}}}}'):
            depth = count * levels + (around is not text)
            assert generate(read_json(around, max_depth=depth))
            with pytest.raises(LiteralError, match=f"more than {depth - 1} deep"):
                read_json(around, max_depth=depth - 1)


def test_depth_is_seen_to_where_the_caller_allows_much() -> None:
    with pytest.raises(LiteralError, match="nested too deeply"):
        read_json("[" * 700 + "]" * 700, max_depth=1000)
    assert generate(read_json("[" * 400 + "]" * 400, max_depth=1000))


def test_a_process_that_may_call_deep_is_safe() -> None:
    """The scanner would go as deep as Python allows, on the stack of the machine."""
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000_000)
    try:
        with pytest.raises(LiteralError, match="64 deep"):
            read_json('{"a":[' * 100_000)
    finally:
        sys.setrecursionlimit(usual)


def test_many_brackets_side_by_side_or_in_texts_are_fine() -> None:
    text = "[" + ",".join(["{}", '"[[[[\\"["'] * 2000) + "]"
    assert len(read(text).children) == 4000


@settings(max_examples=30)
@given(st.lists(st.text(alphabet='[]{}"\\\n aé\u20ac'), max_size=8))
def test_brackets_in_texts_never_count_as_levels(texts: list[str]) -> None:
    document: list[Any] = [["x", {"k" + text: text for text in [*texts, ""]}]] * 501
    text = json.dumps(document, ensure_ascii=False)
    assert json.loads(write_json(read_json(text).children)) == document
    deep = "[" * 64 + "]" * 64
    with pytest.raises(LiteralError, match="64 deep"):
        read_json(f"{text[:-1]},{deep}]")


def test_nodes_that_are_read_know_where_they_stand() -> None:
    root = read_json('{"a":[1,[],{}, {"b":{"c":[null,[2]]}}],"d":"x"}')
    for node in list(root.walk()):
        assert (node.source, node.offset) == (None, 0)
        for position, child in enumerate(node.children):
            assert (child.parent, child.index) == (node, position)
        node.add(Node("new"))
    assert sum(1 for _ in root.walk()) == 24
    assert (root.name, root.parent, root.version) == ("", None, 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'["\ud800"]', "\ufffd"),
        (r'["\udc00x"]', "\ufffdx"),
        (r'["\ud800\ud83d\ude00"]', "\ufffd\U0001f600"),
        (r'["\\ud800"]', r"\ud800"),
        ('["\ud800"]', "\ufffd"),
        (b'["\xff"]', "\ufffd"),
    ],
)
def test_half_a_surrogate_pair_is_replaced(text: str | bytes, value: str) -> None:
    assert read(text).children[0].value == value


def test_bytes_are_read_through_an_expression() -> None:
    node = run(".x:bytes:eyJhIjoxfQ==\njson2lambda:x:@.x")
    assert generate(node) == "a:long:1\n"


def test_children_are_removed_before_the_value_is_read() -> None:
    assert generate(run('json2lambda:"{\\"a\\":1}"\n   junk')) == "a:long:1\n"
    with pytest.raises(ArgumentError):
        run('json2lambda:x:./*/.text\n   .text:"[]"')


def test_nodes_that_are_read_count() -> None:
    evaluator = Evaluator(limits=Limits(max_nodes=100))
    with pytest.raises(LimitError):
        evaluator.run('json2lambda:"[' + ",".join("1" * 500) + ']"')


@given(st.text() | st.text(alphabet='[]{}",:\\u01e-.\n ') | st.binary())
def test_any_text_is_read_or_is_an_error_of_the_language(text: str | bytes) -> None:
    try:
        root = read_json(text)
    except HyperlambdaError:
        return
    generate(root).encode()


# Writing


@pytest.mark.parametrize(
    ("program", "text"),
    [
        ("lambda2json", "{}"),
        (".d\nlambda2json:x:@.d/*", "{}"),
        ("lambda2json\n   .:int:1\n   .:int:2", "[1,2]"),
        ("lambda2json\n   .", "[null]"),
        ('lambda2json\n   "":int:1\n   .:int:2', "[1,2]"),
        ("lambda2json\n   .:1\n   a:2", '{".":"1","a":"2"}'),
        ("lambda2json\n   a:lost\n      b:1", '{"a":{"b":"1"}}'),
        (".o:5\nlambda2json\n   a:x:@.o", '{"a":"5"}'),  # improved: null before
        (".o:5\nunwrap:x:+/*\nlambda2json\n   a:x:@.o", '{"a":"5"}'),
        ("lambda2json\n   a:1\n   b:1\n   c:x:../*/a", '{"a":"1","b":"1","c":"1"}'),
        ("lambda2json\n   t:time:10000000", '{"t":"00:00:01"}'),
        (".d\n   x:int:1\nlambda2json:x:@.d", '{".d":{"x":1}}'),
        (
            "lambda2json\n   math.add\n      .:int:1\n      .:int:2",
            '{"math.add":[1,2]}',
        ),
        (
            "lambda2json\n   a\n      b\n         .\n      c",
            '{"a":{"b":[null],"c":null}}',
        ),
    ],
)
def test_nodes_become_json(program: str, text: str) -> None:
    node = run(program)
    assert node.value == text
    assert not node.children


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        ("int:-5", "-5"),
        ("ulong:18446744073709551615", "18446744073709551615"),
        ("sbyte:-1", "-1"),
        ("bool:true", "true"),
        ("bool:false", "false"),
        ("double:1", "1.0"),
        ("double:-0", "-0.0"),
        ("double:0.0001", "0.0001"),
        ("double:0.00001", "1E-05"),
        ("double:1.5e-7", "1.5E-07"),
        ("double:1e14", "100000000000000.0"),
        ("double:999999999999999", "999999999999999.0"),
        ("double:1e15", "1E+15"),
        ("double:-1e15", "-1E+15"),
        ("double:1234567890123456", "1234567890123456.0"),
        ("double:12345678901234567", "12345678901234568.0"),
        ("double:1.5e16", "1.5E+16"),
        ("double:1e300", "1E+300"),
        ("double:NaN", '"NaN"'),
        ("double:Infinity", '"Infinity"'),
        ("double:-Infinity", '"-Infinity"'),
        ("float:0.1", "0.1"),
        ("float:1e10", "10000000000.0"),
        ("float:NaN", '"NaN"'),
        ("decimal:5", "5.0"),
        ("decimal:5.50", "5.50"),
        ("decimal:0.0000001", "0.0000001"),
        ('date:"2024-05-06T07:08:09.120Z"', '"2024-05-06T07:08:09.12Z"'),
        ('date:"2024-05-06T07:08:10"', '"2024-05-06T07:08:10"'),
        ('date:"2024-05-06T07:08:09+02:00"', '"2024-05-06T05:08:09+00:00"'),
        ("time:-900000000001", '"-1.01:00:00.0000001"'),
        ("guid:00000000-0000-0000-0000-00000000000A", None),
        ("bytes:eyJhIjoxfQ==", '"eyJhIjoxfQ=="'),
        ('"a/é\x7f"', '"a/é\x7f"'),
        ('"\\"\\\\\\n\\t"', r'"\"\\\n\t"'),
    ],
)
def test_value_has_its_form(literal: str, text: str | None) -> None:
    expected = text or '"00000000-0000-0000-0000-00000000000a"'
    assert write(f"lambda2json\n   .:{literal}") == f"[{expected}]"


def test_control_characters_and_line_separators_are_escaped() -> None:
    written = write_json([Node("\x85", "\x00\x1f\b\f\x85\u2028\u2029\ud800")])
    assert written == r'{"\u0085":"\u0000\u001f\b\f\u0085\u2028\u2029' + '\ufffd"}'


def test_integers_beyond_64_bits_are_written_with_the_same_digits() -> None:
    text = "[123456789012345678901234567890,-9223372036854775809]"
    assert write_json(read_json(text).children) == text


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("lambda2json:foo", ExpressionError),
        ('lambda2json:""', ExpressionError),
        ("lambda2json\n   .:1\n   .:2\n   a:3", ArgumentError),
        ("lambda2json\n   a:1\n   a:2", ArgumentError),
        ("lambda2json\n   c:char:x", ConversionError),
        ("lambda2json\n   c:node:a", ConversionError),
        ("lambda2json\n   a\n      .:1\n      .:2\n   b:x:@a/*", ExpressionError),
    ],
)
def test_what_has_no_json_is_an_error(program: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        run(program)


def test_repeated_member_is_named_with_its_path() -> None:
    with pytest.raises(ArgumentError, match="'twice' stands twice in 'a/b'"):
        run("lambda2json\n   a\n      b\n         twice:1\n         twice:2")


def test_repeated_member_is_found_among_many() -> None:
    nodes = [Node(f"n{number}") for number in range(1000)]
    with pytest.raises(ArgumentError, match="'n7' stands twice in 'top'"):
        write_json([Node("top", None, [*nodes, Node("n7")])])


def test_names_that_differ_in_every_object_are_written() -> None:
    document = [{f"a{number}": {f"b{number}": 1, "c": 2}} for number in range(6000)]
    document.append({f"d{number}": {"e": number} for number in range(100)})
    document.append({"x" * 3000: {"y" * 3000: 1}})
    for indent in (False, True):
        text = write_json(read_json(json.dumps(document)).children, indent=indent)
        assert text == json.dumps(
            document,
            indent=2 if indent else None,
            separators=(",", ": " if indent else ":"),
        )


@pytest.mark.parametrize("name", [".", "a"])
@pytest.mark.parametrize("value", ["x" * 1000, "x" * 3000, "\u2028" * 500, 1, 1.5])
def test_text_that_is_too_long_is_not_made(name: str, value: Any) -> None:
    node = Node(name, value)
    evaluator = Evaluator(limits=Limits(max_text=20_000))
    program = parse(".t\n   .l\nlambda2json:x:@.t/*/.l/*")
    long = [Node(".", None, [Node(name, node.value)]) for _ in range(20_000)]
    program.children[0].children[0].extend(long)
    with pytest.raises(LimitError, match="more than the 20000 it may"):
        evaluator.evaluate(program)


def test_foreign_value_has_no_form() -> None:
    with pytest.raises(ConversionError, match="'x'"):
        write_json([Node("x", object())])


def test_expression_sees_the_copy_first_and_the_real_place_second() -> None:
    program = ".a:outside\nlambda2json\n   b:x:@.a\n   .a:inside\n   c:x:@.a"
    assert write(program) == '{"b":"outside",".a":"inside","c":"inside"}'


def test_expression_that_finds_a_node_without_value_is_null() -> None:
    assert write(".a:outside\nlambda2json\n   .a\n   c:x:@.a") == '{".a":null,"c":null}'


def test_source_nodes_do_not_change() -> None:
    root = parse(".d\n   a:int:1\n   b:x:@a\nlambda2json:x:-/*")
    Evaluator().evaluate(root)
    assert generate([root.children[0]]) == ".d\n   a:int:1\n   b:x:@a\n"
    assert root.children[1].value == '{"a":1,"b":1}'


def test_formatted_json_has_a_line_for_each_element() -> None:
    program = (
        ".d\n   a\n      .:int:1\n      .\n   b:x\n"
        "lambda2json:x:-/*\n   format:bool:true"
    )
    assert write(program) == ('{\n  "a": [\n    1,\n    null\n  ],\n  "b": "x"\n}')
    assert write(".d\nlambda2json:x:-/*\n   format:bool:true") == "{}"


def test_format_among_children_is_option_and_member() -> None:
    program = "lambda2json\n   format:true\n   a:1"
    assert write(program) == '{\n  "format": "true",\n  "a": "1"\n}'


def test_very_deep_tree_is_an_error() -> None:
    top = node = Node("a")
    for _ in range(20_000):
        node = node.add(Node("a"))
    with pytest.raises(ArgumentError, match="1000 deep"):
        write_json([top])


# Both ways

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=15)
)
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
                lambda name: name != "."
            ),
            inner,
            min_size=1,
            max_size=4,
        )
    ),
    max_leaves=20,
).filter(lambda document: isinstance(document, list | dict))


@given(documents, st.booleans())
def test_what_is_read_is_written_again(document: Any, indent: bool) -> None:
    text = write_json(read_json(json.dumps(document)).children, indent=indent)
    assert json.loads(text) == document


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_single_is_written_with_digits_that_read_as_the_same(value: float) -> None:
    (again,) = json.loads(write_json([Node(".", Single(value))]))
    assert Single(again) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_decimal_keeps_its_digits(value: Decimal) -> None:
    if abs(value) < 2**63:
        text = write_json([Node(".", value)])
        assert Decimal(text[1:-1]) == value
