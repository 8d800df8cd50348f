"""The typed values: names, spelling and back (spec 01 §3.1–3.3, 3.6, 3.7)."""

from __future__ import annotations

import copy
import math
import pickle
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperlambda import values
from hyperlambda.errors import (
    HyperlambdaError,
    LiteralError,
    OutOfRangeError,
    UnknownTypeError,
)
from hyperlambda.numerals import INTEGER_RANGES, double_text, fit_decimal
from hyperlambda.values import (
    LOCAL,
    Byte,
    Char,
    Long,
    SByte,
    Short,
    Single,
    Time,
    UInt,
    ULong,
    UShort,
    add_converter,
    literal_text,
    parse_literal,
    to_literal,
    type_name,
    type_names,
)

# text, type, value, text printed (None: the same), type printed (None: the same)
READABLE: list[tuple[str, str, Any, str | None, str | None]] = [
    ("AQID", "bytes", b"\x01\x02\x03", None, None),
    ("A Q\tI\r\nD", "bytes", b"\x01\x02\x03", "AQID", None),
    ("", "bytes", b"", None, None),
    ("YQ==", "bytes", b"a", None, None),
    ("-32768", "short", Short(-32768), None, None),
    ("65535", "ushort", UShort(65535), None, None),
    ("42", "int", 42, None, None),
    (" \t\n\v\f\r42 \r", "int", 42, "42", None),
    ("+5", "int", 5, "5", None),
    ("-5", "int", -5, None, None),
    ("0007", "int", 7, "7", None),
    ("-2147483648", "int", -(2**31), None, None),
    ("0" * 5000 + "9", "int", 9, "9", None),
    ("-0", "uint", UInt(0), "0", None),
    ("4294967295", "uint", UInt(2**32 - 1), None, None),
    ("9223372036854775807", "long", Long(2**63 - 1), None, None),
    ("18446744073709551615", "ulong", ULong(2**64 - 1), None, None),
    ("255", "byte", Byte(255), None, None),
    ("-128", "sbyte", SByte(-128), None, None),
    ("2.50", "decimal", Decimal("2.50"), None, None),
    (".5", "decimal", Decimal("0.5"), "0.5", None),
    ("5.", "decimal", Decimal("5"), "5", None),
    ("1,250.5", "decimal", Decimal("1250.5"), "1250.5", None),
    ("5-", "decimal", Decimal("-5"), "-5", None),
    ("-0", "decimal", Decimal("0"), "0", None),
    ("79228162514264337593543950335", "decimal", Decimal(2**96 - 1), None, None),
    ("0.0000000000000000000000000001", "decimal", Decimal("1e-28"), None, None),
    ("0." + "3" * 40, "decimal", Decimal("0." + "3" * 28), "0." + "3" * 28, None),
    ("0." + "0" * 27 + "25", "decimal", Decimal("2e-28"), "0." + "0" * 27 + "2", None),
    (
        "0." + "0" * 27 + "25" + "0" * 90 + "1",
        "decimal",
        Decimal("3e-28"),
        "0." + "0" * 27 + "3",
        None,
    ),
    ("0.1", "double", 0.1, None, None),
    ("5.0", "double", 5.0, "5", None),
    ("-0", "double", -0.0, None, None),
    ("1,250", "double", 1250.0, "1250", None),
    ("1e3", "double", 1000.0, "1000", None),
    ("+.5E-1", "double", 0.05, "0.05", None),
    ("1e999", "double", math.inf, "Infinity", None),
    ("-1e999", "double", -math.inf, "-Infinity", None),
    ("1e-999", "double", 0.0, "0", None),
    ("nan", "double", math.nan, "NaN", None),
    ("INFINITY", "double", math.inf, "Infinity", None),
    ("0.0001", "double", 0.0001, None, None),
    ("0.00001", "double", 0.00001, "1E-05", None),
    ("1e16", "double", 1e16, "10000000000000000", None),
    ("12345678901234568", "double", 12345678901234568.0, None, None),
    ("1e17", "double", 1e17, "1E+17", None),
    ("1.2345678901234568E+17", "double", 1.2345678901234568e17, None, None),
    ("1e20", "double", 1e20, "1E+20", None),
    ("5e-324", "double", 5e-324, "5E-324", None),
    ("1.50", "single", Single(1.5), "1.5", "float"),
    ("0.1", "float", Single(0.1), None, None),
    ("100000000", "float", Single(1e8), None, None),
    ("1e9", "float", Single(1e9), "1E+09", None),
    ("1e-5", "float", Single(1e-5), "1E-05", None),
    ("0.00012", "float", Single(0.00012), None, None),
    ("3.4028235E+38", "float", Single(3.4028234663852886e38), None, None),
    ("1e39", "float", Single(math.inf), "Infinity", None),
    ("nan", "float", Single(math.nan), "NaN", None),
    ("a", "char", Char("a"), None, None),
    (":", "char", Char(":"), None, None),
    ("\n", "char", Char("\n"), None, None),
    ("true", "bool", True, None, None),
    ("false", "bool", False, None, None),
    ("True", "bool", False, "false", None),
    ("nope", "bool", False, "false", None),
    ("432000000000", "time", Time(432_000_000_000), None, None),
    ("-5", "time", Time(-5), None, None),
    (
        "2031-07-09T08:00:05.000Z",
        "date",
        datetime(2031, 7, 9, 8, 0, 5, tzinfo=UTC),
        None,
        None,
    ),
]
GUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
READABLE += [
    (form, "guid", UUID(GUID), GUID, None)
    for form in (
        GUID,
        GUID.upper(),
        "0F8FAD5BD9CB469FA16570867728950E",
        f"{{{GUID}}}",
        f"({GUID})",
        f" \xa0{GUID}\t",
        "{0x0f8fad5b,0xd9cb,0x469f,{0xa1,0x65,0x70,0x86,0x77,0x28,0x95,0x0e}}",
        "{0xF8FAD5B, 0xD9CB, 0x469F, {0xA1,0x65,0x70,0x86,0x77,0x28,0x95,0xE}}",
    )
]


def same(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return repr(a) == repr(b)
    return bool(a == b) and str(a) == str(b)


@pytest.mark.parametrize(("text", "name", "value", "printed", "printed_name"), READABLE)
def test_literals(
    text: str, name: str, value: Any, printed: str | None, printed_name: str | None
) -> None:
    found = parse_literal(text, name)
    assert same(found, value)
    expected = text if printed is None else printed
    assert to_literal(found) == (printed_name or name, expected)
    assert literal_text(found) == expected


REFUSED = [
    (text, name)
    for name in INTEGER_RANGES
    for text in (
        *("", "4.0", "1e3", "0x1F", "1,000", "5-", "+ 5", "1_000", "--5", "\xa05"),
        *("٣", "5\x1c", "5\u2003", "²", "+", "4 2", "five"),
    )
]
REFUSED += [
    (text, "decimal")
    for text in (
        *("", "1e3", "$5", "(5)", ".", "-5-", "+", "1,5", "12,34", "1,2345", ",5"),
        *("1.2,3", "NaN", "Infinity", "1_0", "٣", "5\xa0", "- 5", "1..2", "0x5"),
    )
]
REFUSED += [
    (text, name)
    for name in ("double", "single", "float")
    for text in (
        *("", "inf", "0x1p3", "5-", "5f", "5d", ",5", "5e", "5e+", "1,5", "12,34"),
        *(".", "+", "1_0", "٣", "1e1.5", "5\xa0", "e5", "nano", "- 5", "in finity"),
    )
]
REFUSED += [(text, "char") for text in ("", "ab", "\U0001f600")]
REFUSED += [(text, "time") for text in ("", "00:00:05", "1.5")]
REFUSED += [
    (text, "bytes")
    for text in (
        "A",
        "AQI",
        "AQ==AQ==",
        "a-_b",
        "é",
        "AQID=",
        "AQID====",
        "====",
        "=AQI",
        "A\x00QID",
    )
]
REFUSED += [
    (text, "guid")
    for text in (
        *("", "0f8fad5b", GUID[:-1], f"{{{GUID})", f"urn:uuid:{GUID}", f"{GUID}0"),
        *("0f8f-ad5bd9cb469fa16570867728950e", f"{{{GUID.replace('-', '')}}}", "{0x1}"),
    )
]


@pytest.mark.parametrize(("text", "name"), REFUSED)
def test_a_text_that_spells_no_value_is_refused(text: str, name: str) -> None:
    with pytest.raises(LiteralError):
        parse_literal(text, name)


@pytest.mark.parametrize("name", INTEGER_RANGES)
def test_an_integer_must_fit_its_type(name: str) -> None:
    low, high = INTEGER_RANGES[name]
    assert parse_literal(str(low), name) == low
    assert parse_literal(str(high), name) == high
    for number in (low - 1, high + 1, 10**25):
        with pytest.raises(OutOfRangeError):
            parse_literal(str(number), name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("79228162514264337593543950336", "decimal"),
        ("-1" + "0" * 29, "decimal"),
        ("79228162514264337593543950335.5", "decimal"),
        ("9223372036854775808", "time"),
    ],
)
def test_a_number_that_is_too_large_is_refused(text: str, name: str) -> None:
    with pytest.raises(OutOfRangeError):
        parse_literal(text, name)


@pytest.mark.parametrize("name", [*type_names()[:-2]])
@pytest.mark.parametrize(
    "unit", ["9", "0.", " ", "1,", "-", "A", "0", "e9", "(", "{0x"]
)
def test_a_huge_text_takes_no_time(name: str, unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    start = time.perf_counter()
    try:
        parse_literal(text, name)
    except (LiteralError, OutOfRangeError):
        pass
    # Linear work takes hundredths of a second; quadratic work takes minutes.
    assert time.perf_counter() - start < 5


@given(text=st.text(), name=st.sampled_from(type_names()[:-2]))
def test_any_text_is_read_or_refused(text: str, name: str) -> None:
    try:
        value = parse_literal(text, name)
    except (LiteralError, OutOfRangeError):
        return
    again = parse_literal(literal_text(value) or "", name)
    assert literal_text(again) == literal_text(value)


@given(
    text=st.text(alphabet="0123456789+-.,eE:TZ /{}()xaAnNifty\t", max_size=40),
    name=st.sampled_from(type_names()[:-2]),
)
def test_nearly_right_texts_are_read_or_refused(text: str, name: str) -> None:
    test_any_text_is_read_or_refused.hypothesis.inner_test(text, name)  # type: ignore[attr-defined]


def test_unknown_types_are_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownTypeError) as caught:
        parse_literal("42", "Double")
    assert caught.value.name == "Double"
    assert caught.value.help == "did you mean 'double'?"
    for name in ("", "Int", "signal", "datetime", "object", "null"):
        with pytest.raises(UnknownTypeError):
            parse_literal("", name)


def test_type_names_come_in_the_order_of_the_table() -> None:
    assert type_names()[:21] == [
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


class Colour(IntEnum):
    """A subclass of a type of the language."""

    RED = 3


class Foreign:
    """A type that the language does not know."""

    def __str__(self) -> str:
        return "far away"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, None),
        ("a", "string"),
        (True, "bool"),
        (5, "int"),
        (2**31, "long"),
        (-(2**31) - 1, "long"),
        (2**63, "decimal"),
        (Long(5), "long"),
        (Single(1), "float"),
        (1.0, "double"),
        (bytearray(b"a"), "bytes"),
        (Time(1), "time"),
        (datetime(2031, 7, 9), "date"),
        (Colour.RED, "int"),
        (Foreign(), f"[{__name__}.Foreign]"),
        ([], "[builtins.list]"),
    ],
)
def test_type_names_of_values(value: Any, name: str | None) -> None:
    assert type_name(value) == name


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (None, (None, None)),
        ("", (None, "")),
        ("a:b", (None, "a:b")),
        (2**31, ("long", "2147483648")),
        (10**30, ("decimal", "1" + "0" * 30)),
        (Decimal("1E+3"), ("decimal", "1000")),
        (Decimal("1E-7"), ("decimal", "0.0000001")),
        (bytearray(b"a"), ("bytes", "YQ==")),
        (Colour.RED, ("int", "3")),
        (Foreign(), (f"[{__name__}.Foreign]", "far away")),
    ],
)
def test_values_are_printed(value: Any, printed: tuple[str | None, str | None]) -> None:
    assert to_literal(value) == printed
    assert literal_text(value) == printed[1]


def test_what_no_type_has_room_for_is_refused_when_printed() -> None:
    for value in (10**5000, Decimal("1E+999999"), Decimal("1E+30")):
        with pytest.raises(OutOfRangeError):
            to_literal(value)


@pytest.mark.parametrize("kind", [SByte, Byte, Short, UShort, UInt, Long, ULong])
def test_a_width_refuses_what_it_has_no_room_for(kind: type[int]) -> None:
    low, high = INTEGER_RANGES[type_name(kind(1)) or ""]
    assert (kind(low), kind(high)) == (low, high)
    for number in (low - 1, high + 1):
        with pytest.raises(OutOfRangeError):
            kind(number)
    assert type(pickle.loads(pickle.dumps(kind(1)))) is kind


def test_a_single_is_rounded_when_it_is_made() -> None:
    assert Single(0.1) != 0.1
    assert Single(0.1) == 0.10000000149011612
    assert Single(1e300) == math.inf
    assert Single(-1e300) == -math.inf


# text -> value -> text, for every type

finite_decimals = st.decimals(allow_nan=False, allow_infinity=False).filter(
    lambda value: abs(value.adjusted()) < 28
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "bytes": st.binary(),
    "int": st.integers(-(2**31), 2**31 - 1),
    **{
        name: st.integers(*INTEGER_RANGES[name]).map(kind)
        for name, kind in (
            *(("short", Short), ("ushort", UShort), ("uint", UInt), ("long", Long)),
            *(("ulong", ULong), ("byte", Byte), ("sbyte", SByte)),
        )
    },
    "decimal": finite_decimals.map(fit_decimal),
    "double": st.floats(),
    "float": st.floats(width=32).map(Single),
    "char": st.characters(max_codepoint=0xFFFF).map(Char),
    "bool": st.booleans(),
    "date": st.datetimes(timezones=st.sampled_from([None, UTC, LOCAL])).map(
        lambda when: when.replace(microsecond=when.microsecond // 1000 * 1000, fold=0)
    ),
    "time": st.integers(-(2**63), 2**63 - 1).map(Time),
    "guid": st.uuids(),
}


@pytest.mark.parametrize("name", VALUES)
@given(data=st.data())
def test_every_value_survives_its_text(name: str, data: st.DataObject) -> None:
    value = data.draw(VALUES[name])
    printed_name, text = to_literal(value)
    assert printed_name == name
    assert text is not None
    again = parse_literal(text, name)
    assert type(again) is type(value)
    assert to_literal(again) == (name, text)
    assert again == value or value != value
    if isinstance(value, datetime):
        assert again.tzinfo is value.tzinfo


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_doubles_never_print_more_digits_than_they_need(value: float) -> None:
    text = double_text(value)
    assert float(text) == value
    digits = text.lstrip("-").partition("E")[0].replace(".", "").strip("0")
    shortest = repr(value).lstrip("-").partition("e")[0].replace(".", "").strip("0")
    assert digits == shortest


# Adding types


class Point:
    """A type that a program embedding the language adds."""

    def __init__(self, x: int, y: int) -> None:
        self.x, self.y = x, y


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_parsers", "_names", "_printers", "_registered"):
        monkeypatch.setattr(values, name, copy.copy(getattr(values, name)))


def read_point(text: str) -> Point:
    x, _, y = text.partition(",")
    return Point(int(x), int(y))


@pytest.mark.usefixtures("table")
def test_an_added_type_is_read_printed_and_listed_last() -> None:
    add_converter(Point, "point", lambda point: f"{point.x},{point.y}", read_point)
    assert type_names()[-1] == "point"
    assert type_names()[:21] == values._ORDER
    point = parse_literal("3,4", "point")
    assert (point.x, point.y) == (3, 4)
    assert type_name(point) == "point"
    assert to_literal(point) == ("point", "3,4")
    subclass = type("Place", (Point,), {})
    assert to_literal(subclass(1, 2)) == ("point", "1,2")


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("name", [None, "", "string"])
def test_a_printer_may_choose_to_print_no_type(name: str | None) -> None:
    add_converter(Point, "point", lambda point: (name, "here"), read_point)
    assert to_literal(Point(1, 2)) == (None, "here")


@pytest.mark.usefixtures("table")
def test_a_type_of_the_language_can_be_replaced_and_keeps_its_place() -> None:
    order = type_names()
    add_converter(bool, "bool", lambda value: "yes" if value else "no", "yes".__eq__)
    assert parse_literal("yes", "bool") is True
    assert to_literal(False) == ("bool", "no")
    assert type_names() == order


def test_errors_of_literals_are_hyperlambda_errors_with_the_reference_kind() -> None:
    assert issubclass(LiteralError, HyperlambdaError)
    assert LiteralError.kind == "System.FormatException"
    with pytest.raises(LiteralError, match="'abc' is not an integer"):
        parse_literal("abc", "int")
    with pytest.raises(OutOfRangeError) as caught:
        parse_literal("300", "byte")
    assert caught.value.help == "'byte' is 0 … 255"


def test_messages_quote_hostile_texts_in_one_short_line() -> None:
    with pytest.raises(LiteralError) as caught:
        parse_literal("a\nb\x1b[31m" + "c" * 500, "int")
    assert "\n" not in caught.value.message
    assert "\x1b" not in caught.value.message
    assert len(caught.value.message) < 80


def test_a_delta_of_a_day_is_a_time() -> None:
    assert Time.of(timedelta(days=1, microseconds=-1)) == Time(863_999_999_990)
