"""Arithmetic on values (spec 03 §3.1–3.3, rows 48–77, Q1–Q3)."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperlambda.arithmetic import add, divide, modulo, multiply, promote, subtract
from hyperlambda.errors import (
    ArgumentError,
    DivisionByZeroError,
    HyperlambdaError,
    OperandError,
    OutOfRangeError,
)
from hyperlambda.node import Node
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
)

OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "add": add,
    "subtract": subtract,
    "multiply": multiply,
    "divide": divide,
    "modulo": modulo,
}
DATE = datetime(2024, 1, 31, tzinfo=UTC)
HOUR = Time(36_000_000_000)


def check(found: Any, expected: Any) -> None:
    assert type(found) is type(expected)
    assert str(found) == str(expected)


SMALL = [SByte(2), Byte(2), Short(2), UShort(2), Char("\x02"), 2]
PROMOTIONS: list[tuple[Any, Any, Any]] = [
    *((a, b, 4) for a in SMALL for b in SMALL),
    *((UInt(2), b, UInt(4)) for b in (Byte(2), UShort(2), Char("\x02"), UInt(2))),
    *((UInt(2), b, Long(4)) for b in (SByte(2), Short(2), 2)),
    *((Long(2), b, Long(4)) for b in (*SMALL, UInt(2), Long(2))),
    *(
        (ULong(2), b, ULong(4))
        for b in (Byte(2), UShort(2), UInt(2), Char("\x02"), ULong(2))
    ),
    *((Single(2), b, Single(4)) for b in (*SMALL, UInt(2), Long(2), ULong(2))),
    (Single(2), Single(2), Single(4)),
    *((2.0, b, 4.0) for b in (*SMALL, UInt(2), Long(2), ULong(2), Single(2), 2.0)),
    *((Decimal(2), b, Decimal(4)) for b in (*SMALL, UInt(2), Long(2), ULong(2))),
    (Decimal(2), Decimal(2), Decimal(4)),
    (2**40, 1, Long(2**40 + 1)),
    (2**70, 1, Decimal(2**70 + 1)),
]


@pytest.mark.parametrize(("a", "b", "total"), PROMOTIONS)
def test_the_type_of_a_result_follows_from_its_operands(
    a: Any, b: Any, total: Any
) -> None:
    check(add(a, b), total)
    check(add(b, a), total)
    assert type(multiply(a, b)) is type(total)
    assert type(divide(b, a)) is type(total)


MIXES: list[tuple[Any, Any]] = [
    *((ULong(2), b) for b in (SByte(2), Short(2), 2, Long(2))),
    (Decimal(1), 2.5),
    (Decimal(1), Single(2)),
    (True, 1),
    (1, True),
    (UUID(int=1), 1),
    (b"a", 1),
    (b"a", b"a"),
    (Node("a"), 1),
    (Node("a"), Node("b")),
    (object(), 1),
    (DATE, DATE + timedelta(1)),
    (DATE, 5),
    (HOUR, DATE),
    (HOUR, 5),
    (5, HOUR),
]


@pytest.mark.parametrize(("a", "b"), MIXES)
def test_some_types_have_no_sum(a: Any, b: Any) -> None:
    with pytest.raises(OperandError, match=r"'add' is not defined for '.+' and '.+'"):
        add(a, b)


@pytest.mark.parametrize("operation", ["subtract", "multiply", "divide", "modulo"])
@pytest.mark.parametrize(("a", "b"), [("8", 5), (5, "8"), ("8", "5"), ("a", Char("a"))])
def test_text_can_only_be_added(operation: str, a: Any, b: Any) -> None:
    with pytest.raises(OperandError) as caught:
        OPERATIONS[operation](a, b)
    assert caught.value.help is not None
    assert ":int:5" in caught.value.help


@pytest.mark.parametrize(
    ("a", "b", "text"),
    [
        ("a", "b", "ab"),
        ("a", "5", "a5"),
        ("5", "a", "5a"),
        ("", "5", "5"),
        ("4", 1, "41"),
        (1, "4", "14"),
        (1, "x", "1x"),
        ("x", True, "xTrue"),
        ("x", 2.5, "x2.5"),
        ("x", Decimal("2.50"), "x2.50"),
        ("x", Char("y"), "xy"),
        ("x", None, "x"),
        (None, "x", "x"),
        ("x", HOUR, "x01:00:00"),
        ("x", DATE, "x01/31/2024 00:00:00"),
        ("x", UUID(int=0), "x00000000-0000-0000-0000-000000000000"),
    ],
)
def test_a_text_on_either_side_joins(a: Any, b: Any, text: str) -> None:
    check(add(a, b), text)


@pytest.mark.parametrize(
    ("a", "b"), [("5", "7"), ("1.5", "-2"), (" 5", "1e3"), ("1,000", ".5")]
)
def test_two_texts_that_look_like_numbers_are_refused(a: str, b: str) -> None:
    with pytest.raises(OperandError) as caught:
        add(a, b)
    assert caught.value.help is not None
    assert ":int:5" in caught.value.help


@pytest.mark.parametrize("operation", OPERATIONS.values())
@pytest.mark.parametrize("value", [1, 1.5, Decimal(1), DATE, HOUR, Long(1)])
def test_a_null_operand_is_an_error(
    operation: Callable[[Any, Any], Any], value: Any
) -> None:
    for a, b in ((value, None), (None, value)):
        with pytest.raises(ArgumentError, match="operand"):
            operation(a, b)


@pytest.mark.parametrize(
    ("operation", "a", "b", "result"),
    [
        ("subtract", 10, 3, 7),
        ("multiply", 10, Long(3), Long(30)),
        ("divide", 10, 4, 2),
        ("divide", -10, 4, -2),
        ("divide", 10, -4, -2),
        ("divide", -10, -4, 2),
        ("modulo", 10, 4, 2),
        ("modulo", -7, 3, -1),
        ("modulo", 7, -3, 1),
        ("modulo", -7.5, 3, -1.5),
        ("multiply", Decimal("1.10"), 2, Decimal("2.20")),
        ("divide", Decimal(1), 3, Decimal("0." + "3" * 28)),
        ("divide", Decimal(2), 3, Decimal("0." + "6" * 27 + "7")),
        ("divide", Decimal(10), 4, Decimal("2.5")),
        ("divide", Decimal(10), Decimal("0.5"), Decimal(20)),
        ("add", Decimal("1.10"), Decimal("1.9"), Decimal("3.00")),
        ("subtract", Decimal("1.0"), Decimal("1.00"), Decimal("0.00")),
        ("modulo", Decimal("-7.5"), 2, Decimal("-1.5")),
        ("multiply", Decimal(0), -1, Decimal(0)),
        ("multiply", Decimal("1e-20"), Decimal("1e-20"), Decimal("0E-28")),
        ("divide", 7.0, 0, math.inf),
        ("divide", -7.0, 0, -math.inf),
        ("divide", 7.0, -0.0, -math.inf),
        ("divide", 0.0, 0, math.nan),
        ("divide", math.nan, 0.0, math.nan),
        ("divide", Single(7), 0, Single(math.inf)),
        ("modulo", 7.0, 0, math.nan),
        ("modulo", math.inf, 2.0, math.nan),
        ("modulo", 2.0, math.inf, 2.0),
        ("multiply", 1e300, 1e300, math.inf),
        ("multiply", Single(1e30), Single(1e30), Single(math.inf)),
        ("add", Single(0.1), Single(0.2), Single(0.3)),
        ("subtract", Char("b"), Char("a"), 1),
    ],
)
def test_results(operation: str, a: Any, b: Any, result: Any) -> None:
    check(OPERATIONS[operation](a, b), result)


@pytest.mark.parametrize(
    ("operation", "a", "b"),
    [
        ("add", 2**31 - 1, 1),
        ("subtract", -(2**31), 1),
        ("multiply", 2**16, 2**16),
        ("divide", -(2**31), -1),
        ("modulo", -(2**31), -1),
        ("divide", Long(-(2**63)), -1),
        ("modulo", Long(-(2**63)), Long(-1)),
        ("add", Long(2**63 - 1), 1),
        ("subtract", UInt(1), UInt(2)),
        ("subtract", ULong(1), ULong(2)),
        ("add", ULong(2**64 - 1), Byte(1)),
        ("add", Decimal(2**96 - 1), 1),
        ("multiply", Decimal(2**95), 4),
        ("divide", Decimal(2**95), Decimal("1e-28")),
        ("add", Time(2**63 - 1), Time(1)),
        ("add", datetime.max, HOUR),
        ("subtract", datetime.min, HOUR),
        ("divide", HOUR, 0),
        ("multiply", HOUR, 1e300),
        ("multiply", math.nan, HOUR),
        ("add", 10**40, 1),
    ],
)
def test_overflow_is_an_error(operation: str, a: Any, b: Any) -> None:
    with pytest.raises(OutOfRangeError):
        OPERATIONS[operation](a, b)


@pytest.mark.parametrize("operation", [divide, modulo])
@pytest.mark.parametrize(
    ("a", "b"), [(7, 0), (Long(7), 0), (UInt(7), UInt(0)), (Decimal(7), 0)]
)
def test_exact_numbers_are_not_divided_by_zero(
    operation: Callable[[Any, Any], Any], a: Any, b: Any
) -> None:
    with pytest.raises(DivisionByZeroError):
        operation(a, b)


@pytest.mark.parametrize(
    ("operation", "a", "b", "result"),
    [
        ("add", DATE, HOUR, DATE + timedelta(hours=1)),
        ("subtract", DATE, HOUR, DATE - timedelta(hours=1)),
        ("subtract", DATE, datetime(2024, 1, 30, 12), Time(432_000_000_000)),
        ("subtract", DATE, DATE, Time(0)),
        ("add", DATE, Time(9), DATE),
        ("subtract", DATE, Time(9), DATE),
        ("add", HOUR, HOUR, Time(72_000_000_000)),
        ("subtract", HOUR, HOUR, Time(0)),
        ("multiply", HOUR, 2, Time(72_000_000_000)),
        ("multiply", 0.5, HOUR, Time(18_000_000_000)),
        ("multiply", Time(5), 0.5, Time(2)),
        ("divide", HOUR, 2, Time(18_000_000_000)),
        ("divide", HOUR, Single(0.5), Time(72_000_000_000)),
        ("divide", HOUR, Time(18_000_000_000), 2.0),
        ("divide", HOUR, Time(0), math.inf),
    ],
)
def test_dates_and_times(operation: str, a: Any, b: Any, result: Any) -> None:
    found = OPERATIONS[operation](a, b)
    check(found, result)
    if isinstance(result, datetime):
        assert found.tzinfo is UTC


@pytest.mark.parametrize(
    ("operation", "a", "b"),
    [
        ("subtract", HOUR, DATE),
        ("multiply", HOUR, HOUR),
        ("multiply", HOUR, Decimal(2)),
        ("divide", HOUR, Decimal(2)),
        ("divide", 2, HOUR),
        ("modulo", HOUR, HOUR),
        ("modulo", HOUR, 2),
        ("multiply", DATE, 2),
        ("divide", DATE, DATE),
    ],
)
def test_what_dates_and_times_cannot_do(operation: str, a: Any, b: Any) -> None:
    with pytest.raises(OperandError):
        OPERATIONS[operation](a, b)


def test_promotion_is_available_to_comparisons() -> None:
    assert promote(1, 2.5) == (1.0, 2.5, "double")
    assert promote(Char("a"), Short(1)) == (97, 1, "int")
    with pytest.raises(OperandError, match="'max' is not defined"):
        promote("a", "b", "max")
    with pytest.raises(OperandError):
        promote(Decimal(1), 1.0)


INTS = st.integers(-(2**31), 2**31 - 1)


@given(INTS, INTS)
def test_integers_agree_with_mathematics_or_overflow(a: int, b: int) -> None:
    truth: dict[str, int] = {"add": a + b, "subtract": a - b, "multiply": a * b}
    if b:
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        truth |= {"divide": quotient, "modulo": a - b * quotient}
    for name, expected in truth.items():
        for kind, bits in ((int, 31), (Long, 63)):
            fits = -(2**bits) <= expected < 2**bits
            if name == "modulo" and kind is int and (a, b) == (-(2**31), -1):
                fits = False
            try:
                found = OPERATIONS[name](kind(a), b)
            except OutOfRangeError:
                assert not fits
            else:
                check(found, kind(expected))


VALUES = st.one_of(
    st.none(),
    st.text(max_size=5),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.booleans(),
    st.binary(max_size=3),
    st.datetimes(),
    st.integers(-(2**63), 2**63 - 1).map(Time),
    st.integers(-(2**63), 2**63 - 1).map(Long),
    st.floats().map(Single),
    st.characters(max_codepoint=0xFFFF).map(Char),
)


@given(a=VALUES, b=VALUES, name=st.sampled_from([*OPERATIONS]))
def test_nothing_but_our_errors_ever_leaves(a: Any, b: Any, name: str) -> None:
    try:
        OPERATIONS[name](a, b)
    except HyperlambdaError as error:
        message = error.message
    else:
        message = ""
    assert "\n" not in message
