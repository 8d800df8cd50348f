"""Functions of one number (spec 03 §3.4); see also conformance/math_scalars.txt."""

from __future__ import annotations

import decimal
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperlambda import Evaluator, Node
from hyperlambda.errors import HyperlambdaError, OutOfRangeError, SlotError
from hyperlambda.numerals import fit_decimal

EVALUATOR = Evaluator()
NAMES = ("abs", "ceil", "floor", "round", "sqrt", "sin", "cos")


def apply(name: str, value: Any) -> Any:
    node = Node(f"math.{name}", value)
    EVALUATOR.signal(f"math.{name}", node)
    return node.value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_rounding_agrees_with_that_of_python(number: float) -> None:
    for name, expected in (
        ("ceil", math.ceil(number)),
        ("floor", math.floor(number)),
        ("round", round(number)),
    ):
        result = apply(name, number)
        assert type(result) is float
        assert result == expected
        assert math.copysign(1, result) == math.copysign(1, number) or result > 0


decimals = st.decimals(
    -(2**96) + 1, 2**96 - 1, allow_nan=False, allow_infinity=False, places=6
)


@given(decimals)
def test_rounded_decimals_are_decimals_of_the_language(number: Decimal) -> None:
    try:
        number = fit_decimal(number)
    except OutOfRangeError:
        return
    for name in ("ceil", "floor", "round"):
        result = apply(name, number)
        assert type(result) is Decimal
        assert result == int(result)
        # Exactly: the difference of the two may need more digits than a decimal has.
        with decimal.localcontext(prec=60):
            assert abs(result - number) < 1
        assert fit_decimal(result) == result


def test_the_precision_of_the_thread_does_not_matter() -> None:
    number = Decimal("-79228162514264337593543950335")
    with decimal.localcontext(prec=3):
        assert apply("abs", number) == number.copy_abs()
        assert apply("ceil", number) == number


EXTREMES = [
    *(2**64, -(2**63), 10**400, -(10**400), Decimal("1E+999999"), Decimal("1E-999999")),
    *(Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"), math.nan, -math.inf),
    *(5e-324, 1.7976931348623157e308, Decimal("-0"), "9" * 100_000, [], object()),
]


@pytest.mark.parametrize("value", EXTREMES, ids=lambda value: repr(value)[:30])
@pytest.mark.parametrize("name", NAMES)
def test_whatever_python_puts_there_is_computed_or_refused(
    name: str, value: Any
) -> None:
    try:
        result = apply(name, value)
    except SlotError:  # an error of Python's
        raise
    except HyperlambdaError:
        return
    assert isinstance(result, (int, float, Decimal))
