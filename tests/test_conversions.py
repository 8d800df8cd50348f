"""Reading, giving types, and [convert] (spec 01 §1.5, §3.5; 02 §5.4; 03 §1.5–1.6)."""

from __future__ import annotations

import copy
import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperlambda import conversions, values
from hyperlambda.conversions import (
    coerce,
    convert,
    to_bool,
    to_bytes,
    to_date,
    to_guid,
    to_int,
    to_number,
    to_text,
    to_time,
)
from hyperlambda.dates import LOCAL
from hyperlambda.errors import (
    ArgumentError,
    ConversionError,
    HyperlambdaError,
    LiteralError,
    MissingValueError,
    OutOfRangeError,
    UnknownTypeError,
)
from hyperlambda.values import (
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
)

GUID = UUID("0f8fad5b-d9cb-469f-a165-70867728950e")
DATE = datetime(2031, 7, 9, 8, 0, 5, 123_456, tzinfo=UTC)


class Foreign:
    """A type that the language does not know."""


class Tag:
    """A type that tests add to the language."""

    def __init__(self, text: str) -> None:
        self.text = text


@pytest.fixture
def tags(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_parsers", "_names", "_printers", "_registered"):
        monkeypatch.setattr(values, name, copy.copy(getattr(values, name)))
    add_converter(Tag, "tag", lambda tag: tag.text, Tag)


def check(found: Any, expected: Any) -> None:
    assert type(found) is type(expected)
    if isinstance(expected, (float, Decimal)):
        assert str(found) == str(expected)
    else:
        assert found == expected
    if isinstance(expected, datetime):
        assert found.tzinfo is expected.tzinfo


# Reading


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("a", "a"),
        (b"Hi", "Hi"),
        (b"\xff", "\N{REPLACEMENT CHARACTER}"),
        (bytearray(b"Hi"), "Hi"),
        (GUID, str(GUID)),
        (True, "True"),
        (False, "False"),
        (-5, "-5"),
        (Long(5), "5"),
        (1.0, "1"),
        (1e20, "1E+20"),
        (-0.0, "-0"),
        (math.nan, "NaN"),
        (Single(0.1), "0.1"),
        (Decimal("5.50"), "5.50"),
        (Char("x"), "x"),
        (DATE, "07/09/2031 08:00:05"),
    ],
)
def test_values_read_as_text(value: Any, text: str | None) -> None:
    found = to_text(value)
    assert found == text
    assert type(found) in (str, type(None))


@pytest.mark.parametrize("value", [Time(5), Foreign(), [], {}])
def test_some_values_have_no_text(value: Any) -> None:
    with pytest.raises(ConversionError):
        to_text(value)


@pytest.mark.parametrize(
    ("value", "truth"),
    [
        *((None, False), (True, True), (False, False), ("false", False), ("", True)),
        *(("0", True), ("False", True), ("no", True), (0, False), (5, True)),
        *((kind(0), False) for kind in (Short, UShort, UInt, Long, ULong, Byte, SByte)),
        *((0.0, False), (-0.0, False), (math.nan, True), (Single(0), False)),
        *((Decimal("0.0"), False), (Decimal("0.1"), True), (Char("\0"), True)),
        *((Time(0), True), (DATE, True), (GUID, True), (b"", True), (Foreign(), True)),
    ],
)
def test_truth(value: Any, truth: bool) -> None:
    assert to_bool(value) is truth


NUMBERS: list[tuple[Any, str, Any]] = [
    (2.5, "int", 2),
    (3.5, "int", 4),
    (5.5, "int", 6),
    (4.5, "int", 4),
    (-2.5, "int", -2),
    (Decimal("2.5"), "int", 2),
    (Single(3.5), "long", Long(4)),
    (True, "int", 1),
    (False, "double", 0.0),
    (True, "decimal", Decimal(1)),
    (Char("A"), "int", 65),
    (Char("A"), "byte", Byte(65)),
    (" 42 ", "int", 42),
    ("-1", "sbyte", SByte(-1)),
    (Long(5), "int", 5),
    (5, "ulong", ULong(5)),
    (5, "double", 5.0),
    (5, "float", Single(5)),
    (0.1, "single", Single(0.1)),
    (1e300, "float", Single(math.inf)),
    ("1,250", "double", 1250.0),
    ("0.10", "decimal", Decimal("0.10")),
    (0.1, "decimal", Decimal("0.1")),
    (1 / 3, "decimal", Decimal("0.333333333333333")),
    (Single(0.1), "decimal", Decimal("0.1")),
    (1e20, "decimal", Decimal("100000000000000000000")),
    (Decimal("1.50"), "double", 1.5),
    (2**64 - 1, "decimal", Decimal(2**64 - 1)),
]


@pytest.mark.parametrize(("value", "name", "expected"), NUMBERS)
def test_values_read_as_numbers(value: Any, name: str, expected: Any) -> None:
    check(to_number(value, name), expected)
    check(coerce(value, name), expected)
    check(convert(value, name), expected)


@pytest.mark.parametrize(
    ("value", "name", "error"),
    [
        (None, "int", ConversionError),
        (None, "double", ConversionError),
        (DATE, "int", ConversionError),
        (Time(5), "long", ConversionError),
        (GUID, "decimal", ConversionError),
        (b"5", "int", ConversionError),
        (Char("5"), "double", ConversionError),
        (Char("5"), "decimal", ConversionError),
        (Foreign(), "int", ConversionError),
        ("2.5", "int", LiteralError),
        ("", "int", LiteralError),
        ("x", "decimal", LiteralError),
        (300, "byte", OutOfRangeError),
        (-1, "ulong", OutOfRangeError),
        (2**31, "int", OutOfRangeError),
        (Char("\u0100"), "byte", OutOfRangeError),
        (math.nan, "int", OutOfRangeError),
        (math.inf, "long", OutOfRangeError),
        (-math.inf, "decimal", OutOfRangeError),
        (1e300, "ulong", OutOfRangeError),
        (1e300, "decimal", OutOfRangeError),
        (2147483647.5, "int", OutOfRangeError),
        (Decimal("1E+999999"), "long", OutOfRangeError),
        (10**400, "double", OutOfRangeError),
        (5, "string", UnknownTypeError),
    ],
)
def test_what_is_no_number(value: Any, name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        to_number(value, name)


def test_integers_are_read_as_int_unless_told_otherwise() -> None:
    check(to_int("5"), 5)
    check(to_int(5), 5)
    check(to_int(5, "long"), Long(5))
    with pytest.raises(OutOfRangeError):
        to_int(2**40)


@pytest.mark.parametrize(
    ("value", "raw"),
    [
        (None, None),
        (b"a", b"a"),
        (bytearray(b"a"), b"a"),
        ("AQID", b"AQID"),
        ("é", b"\xc3\xa9"),
        ("\ud800", b"\xef\xbf\xbd"),
    ],
)
def test_values_read_as_bytes(value: Any, raw: bytes | None) -> None:
    assert to_bytes(value) == raw


@pytest.mark.parametrize("value", [5, True, Char("a"), GUID, DATE, Foreign()])
def test_other_values_have_no_bytes(value: Any) -> None:
    with pytest.raises(ConversionError):
        to_bytes(value)


@pytest.mark.parametrize(
    ("value", "when"),
    [
        (DATE, DATE),
        ("2031-07-09T08:00:05Z", datetime(2031, 7, 9, 8, 0, 5, tzinfo=LOCAL)),
        ("2031-07-09T08:00:05+02:00", datetime(2031, 7, 9, 6, 0, 5, tzinfo=LOCAL)),
        ("2031-07-09", datetime(2031, 7, 9)),
    ],
)
def test_values_read_as_dates(value: Any, when: datetime) -> None:
    check(to_date(value), when)


def test_times_and_guids_are_read_from_text_too() -> None:
    assert to_time(Time(5)) == to_time("5") == Time(5)
    assert to_guid(GUID) == to_guid(str(GUID)) == GUID
    for reader in (to_time, to_guid, to_date):
        for value in (None, 5, True, b"", Foreign(), Char("5")):
            with pytest.raises(ConversionError):
                reader(value)
        with pytest.raises(LiteralError):
            reader("nonsense")


# Giving a type


@pytest.mark.parametrize(
    ("value", "name", "expected"),
    [
        (None, "int", 0),
        (None, "ulong", ULong(0)),
        (None, "decimal", Decimal(0)),
        (None, "float", Single(0)),
        (None, "char", Char("\0")),
        (None, "string", ""),
        (None, "time", Time(0)),
        ("a", "char", Char("a")),
        (65, "char", Char("A")),
        (Char("a"), "char", Char("a")),
        (True, "string", "true"),
        (5, "string", "5"),
        (b"Hi", "string", "SGk="),
        (DATE, "string", "2031-07-09T08:00:05.123Z"),
        (Time(5), "string", "5"),
        ("true", "bool", True),
        ("True", "bool", False),
        (True, "bool", True),
        (1, "bool", False),
        (DATE, "date", DATE),
        ("5", "time", Time(5)),
        (Time(5), "time", Time(5)),
        (2.5, "time", Time(2)),
        (GUID, "guid", GUID),
        (str(GUID), "guid", GUID),
        ("AQID", "bytes", b"\x01\x02\x03"),
        (b"a", "bytes", b"a"),
    ],
)
def test_a_value_is_given_a_type(value: Any, name: str, expected: Any) -> None:
    check(coerce(value, name), expected)


@pytest.mark.parametrize(
    ("value", "name", "error"),
    [
        (None, "bool", MissingValueError),
        (None, "date", MissingValueError),
        (None, "guid", MissingValueError),
        (None, "bytes", ArgumentError),
        (None, "nope", UnknownTypeError),
        (5, "nope", UnknownTypeError),
        ("5", "nope", UnknownTypeError),
        (5, "bytes", ConversionError),
        (5, "date", MissingValueError),
        (True, "char", ConversionError),
        (70_000, "char", OutOfRangeError),
        (2.5, "char", ConversionError),
        (DATE, "time", ConversionError),
        (True, "time", ConversionError),
        (5, "guid", LiteralError),
        (Foreign(), "string", ConversionError),
        ("ab", "char", LiteralError),
    ],
)
def test_a_type_is_refused(value: Any, name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        coerce(value, name)


@pytest.mark.usefixtures("tags")
def test_added_types_take_themselves_and_texts() -> None:
    tag = Tag("a")
    assert coerce(tag, "tag") is tag
    assert coerce("b", "tag").text == "b"
    assert coerce(True, "tag").text == "true"
    assert coerce(tag, "string") == "a"
    with pytest.raises(MissingValueError):
        coerce(None, "tag")
    assert convert(tag, "tag") is tag
    assert convert(None, "tag").text == ""
    assert convert(True, "tag").text == "True"
    assert convert(tag, "string") == "a"
    with pytest.raises(ConversionError):
        to_text(tag)


# [convert]


@pytest.mark.parametrize(
    ("value", "name", "expected"),
    [
        (None, "int", 0),
        (None, "double", 0.0),
        (None, "char", Char("\0")),
        ("x", "char", Char("x")),
        (65, "char", Char("A")),
        (True, "bool", True),
        (False, "bool", False),
        ("true", "bool", True),
        ("True", "bool", False),
        (1, "bool", False),
        (None, "bool", False),
        (b"Hi", "string", "Hi"),
        (None, "string", ""),
        (True, "string", "True"),
        (0.5, "string", "0.5"),
        (Decimal("2.50"), "string", "2.50"),
        (DATE, "string", "2031-07-09T08:00:05.123Z"),
        (Time(50_000_000), "string", "00:00:05"),
        (GUID, "string", str(GUID)),
        (DATE, "date", DATE),
        ("2031-07-09T08:00:05Z", "date", datetime(2031, 7, 9, 8, 0, 5, tzinfo=UTC)),
        (None, "guid", UUID(int=0)),
        (str(GUID), "guid", GUID),
        (GUID, "guid", GUID),
        ("AQID", "bytes", b"AQID"),
        (b"a", "bytes", b"a"),
        (5, "bytes", None),
        (None, "bytes", None),
        (Char("a"), "bytes", None),
        ("5", "time", Time(5)),
        (5, "time", Time(5)),
        (None, "time", Time(0)),
        ("-5", "sbyte", SByte(-5)),
        (b"\xfb\xff", "base64", "+/8="),
        ("Hi", "base64", "SGk="),
        (b"\xfb\xff", "base64-url", "-_8"),
        ("", "base64", ""),
        ("+/8=", "from-base64", b"\xfb\xff"),
        ("-_8", "from-base64-url", b"\xfb\xff"),
        ("-_8=", "from-base64-url", b"\xfb\xff"),
        ("", "from-base64-url", b""),
    ],
)
def test_conversions(value: Any, name: str, expected: Any) -> None:
    check(convert(value, name), expected)


@pytest.mark.parametrize(
    ("value", "name", "error"),
    [
        ("2.5", "int", LiteralError),
        ("abc", "int", LiteralError),
        (300, "byte", OutOfRangeError),
        (DATE, "int", ConversionError),
        (None, "date", ArgumentError),
        (5, "date", LiteralError),
        (5, "guid", LiteralError),
        ("ab", "char", LiteralError),
        (2.5, "char", ConversionError),
        (5, "base64", ArgumentError),
        (None, "base64", ArgumentError),
        (5, "base64-url", ArgumentError),
        (b"SGk=", "from-base64", ArgumentError),
        ("a-_b", "from-base64", LiteralError),
        ("+/8=", "from-base64-url", LiteralError),
        ("a", "from-base64-url", LiteralError),
        (5, "nope", ArgumentError),
        (5, "", ArgumentError),
        (5, "Int", ArgumentError),
    ],
)
def test_impossible_conversions(value: Any, name: str, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        convert(value, name)
    assert type(caught.value) is error


def test_a_mistyped_conversion_names_the_nearest() -> None:
    with pytest.raises(ArgumentError) as caught:
        convert("a", "base46")
    assert caught.value.help == "did you mean 'base64'?"


ANYTHING = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.datetimes(),
    st.uuids(),
    st.characters(max_codepoint=0xFFFF).map(Char),
    st.floats().map(Single),
    st.integers(-(2**63), 2**63 - 1).map(Time),
)
EVERY_NAME = [*values.type_names()[:-2], *conversions._CONVERSIONS]


@given(value=ANYTHING, name=st.sampled_from(EVERY_NAME))
def test_nothing_but_our_errors_ever_leaves(value: Any, name: str) -> None:
    for function in (coerce, convert, to_number):
        try:
            function(value, name)
        except HyperlambdaError as error:
            assert "\n" not in str(error)  # noqa: PT017 – all outcomes are fine but one


@given(value=ANYTHING)
def test_giving_a_value_its_own_type_changes_nothing(value: Any) -> None:
    name = values.type_name(value)
    try:
        values.literal_text(value)
    except HyperlambdaError:
        return  # a number beyond all types
    if name is None or (isinstance(value, Decimal) and not value.is_finite()):
        return
    if name == "decimal":
        if abs(value) >= 10**28:
            return
        # Python's may have more than 96 bits: what fits is then a fixed point.
        value = coerce(value, name)
    found = coerce(value, name)
    assert found == value or value != value
