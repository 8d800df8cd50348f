"""Composite formatting (spec 02 §3.7, `format`)."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperlambda.cultures import _CULTURES
from hyperlambda.dates import LOCAL
from hyperlambda.errors import (
    ArgumentError,
    HyperlambdaError,
    LiteralError,
    OutOfRangeError,
)
from hyperlambda.formatting import composite
from hyperlambda.node import Node
from hyperlambda.values import (
    Byte,
    Char,
    Long,
    SByte,
    Short,
    Single,
    Time,
    ULong,
    literal_text,
)

DATE = datetime(2031, 7, 9, 8, 5, 3, 120_000)
EVENING = datetime(2031, 7, 9, 20, 5, 3)
DAY = 864_000_000_000
GUID = UUID("0f8fad5b-d9cb-469f-a165-70867728950e")


@pytest.mark.parametrize(
    ("pattern", "value", "text"),
    [
        ("", 5, ""),
        ("plain", 5, "plain"),
        ("{0}", 5, "5"),
        ("<{0}{0}>", 5, "<55>"),
        ("<{0,4}>", 42, "<  42>"),
        ("<{0,-4}>", 42, "<42  >"),
        ("<{0,1}>", 42, "<42>"),
        ("<{0 , 4 :D3}>", 42, "< 042>"),
        ("{00}", 5, "5"),
        ("{{0}}", 5, "{0}"),
        ("{{{0}}}", 5, "{5}"),
        ("{0:}", 5, "5"),
        ("<{0,3}>", None, "<   >"),
        ("{0:N2}", None, ""),
        ("{0}", True, "True"),
        ("{0:x}", False, "False"),
        ("{0:N2}", "text", "text"),
        ("{0}", Char("c"), "c"),
        ("{0}", b"Hi", "Hi"),
        ("{0}", 1e20, "1E+20"),
        ("{0}", 0.1, "0.1"),
        ("{0}", Decimal("1.50"), "1.50"),
        ("{0}", DATE, "07/09/2031 08:05:03"),
        ("{0}", Time(50_000_000), "00:00:05"),
        ("{0}", GUID, str(GUID)),
    ],
)
def test_patterns(pattern: str, value: Any, text: str) -> None:
    assert composite(pattern, value) == text


@pytest.mark.parametrize(
    "pattern",
    [
        *("{", "}", "{}", "{x}", "{0", "{0,}", "{0,x}", "{-1}", "{0:{}", "a}b", "{ 0}"),
        *("{1}", "{0}{12}", "{0,1000000}", "{0,99999999999}", "{0:F99999}", "{0:Q}"),
        *("{0:D99999999}", "{0:Y2}", "{" * 1001, "{0}}}}", "{0:x}}"),
    ],
)
def test_malformed_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(LiteralError):
        composite(pattern, 5)


def test_a_pattern_cannot_make_an_endless_text() -> None:
    with pytest.raises(LiteralError):
        composite("{0,999999}" * 50, 5)


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        ("C", 1234.5, "¤1,234.50"),
        ("C", -1234.5, "(¤1,234.50)"),
        ("C0", 1234, "¤1,234"),
        ("D", -42, "-42"),
        ("d5", -42, "-00042"),
        ("D3", Byte(7), "007"),
        ("E", 12345.678, "1.234568E+004"),
        ("e2", 12345, "1.23e+004"),
        ("E0", -0.00015, "-1E-004"),
        ("E2", 0, "0.00E+000"),
        ("F", 1234.567, "1234.57"),
        ("F0", 2.5, "2"),
        ("F0", Decimal("2.5"), "3"),
        ("F1", Decimal("-0.04"), "0.0"),
        ("F1", -0.04, "-0.0"),
        ("F20", 0.1, "0.10000000000000000555"),
        ("F2", 5, "5.00"),
        ("F2", Decimal(2**96 - 1), "79228162514264337593543950335.00"),
        (
            "F1",
            Decimal("1234567890123456789012345678.9"),
            "1234567890123456789012345678.9",
        ),
        ("G", 12345, "12345"),
        ("G", Decimal("1.50"), "1.50"),
        ("G", 1e20, "1E+20"),
        ("g", 1e20, "1e+20"),
        ("G3", 12345, "1.23E+04"),
        ("G5", 12345, "12345"),
        ("G2", 0.00001234, "1.2E-05"),
        ("G2", 0.001234, "0.0012"),
        ("G17", 0.1, "0.10000000000000001"),
        ("G4", -1.5, "-1.5"),
        ("G3", 0, "0"),
        ("N", 1234567.891, "1,234,567.89"),
        ("N0", 999, "999"),
        ("N0", -1234567, "-1,234,567"),
        ("N1", Long(1000), "1,000.0"),
        ("P", 0.1234, "12.34 %"),
        ("P0", Decimal("0.125"), "13 %"),
        ("P1", -0.5, "-50.0 %"),
        ("P1", Decimal("0.0012"), "0.1 %"),
        ("R", 0.1, "0.1"),
        ("R", Single(0.1), "0.1"),
        ("X", 255, "FF"),
        ("x4", 255, "00ff"),
        ("X", -1, "FFFFFFFF"),
        ("X", SByte(-1), "FF"),
        ("X", Short(-2), "FFFE"),
        ("X", Long(-1), "F" * 16),
        ("X2", ULong(10), "0A"),
        ("B8", 5, "00000101"),
        ("F2", math.nan, "NaN"),
        ("0.0", math.inf, "Infinity"),
        ("N", -math.inf, "-Infinity"),
        # custom
        ("0.00", Decimal("1.5"), "1.50"),
        ("0.00", 1.005, "1.01"),
        ("0", 2.5, "3"),
        ("#", 0, ""),
        ("#.##", 0, ""),
        ("#.##", 1.5, "1.5"),
        ("0.##", 3, "3"),
        (".00", 0.5, ".50"),
        ("000", 5, "005"),
        ("000", -5, "-005"),
        ("0000.0", 1.25, "0001.3"),
        ("#,##0", 1234567, "1,234,567"),
        ("#,0.00", 1234567.891, "1,234,567.89"),
        ("#,##0", 999.5, "1,000"),
        ("0,000", 12, "0,012"),
        ("###-##-####", 123456789, "123-45-6789"),
        ("##-##", 12345, "123-45"),
        ("(###) ###-####", 5551234567, "(555) 123-4567"),
        ("#,", 1234567, "1235"),
        ("0,,.0", 123456789, "123.5"),
        ("0.0%", 0.1234, "12.3%"),
        ("0.0‰", 0.1234, "123.4‰"),
        ("00E+0", 12345, "12E+3"),
        ("0.0e00", 12345, "1.2e04"),
        ("0.0E-0", 0.00012, "1.2E-4"),
        ("0.00E+00", 0, "0.00E+00"),
        ("0E", 5, "5E"),
        ("0;(0)", -5, "(5)"),
        ("0;(0)", 5, "5"),
        ("0;(0);nothing", 0, "nothing"),
        ("0;;nothing", -5, "-5"),
        ("0;(0);zip", Decimal("0.1"), "zip"),
        ("0;(0);zip", Decimal("-0.1"), "zip"),
        ("0 'zeros: 0'", 5, "5 zeros: 0"),
        ('"a;b"0', 5, "a;b5"),
        (r"\#0", 5, "#5"),
        ("0 kr", 5, "5 kr"),
        ("text", 5, "text"),
        ("0.0.0", 1.25, "1.25"),
        ("0", 0.4, "0"),
        ("0", -0.4, "0"),
        ("0.000", 9.9996, "10.000"),
        ("0.0", Decimal("1.95"), "2.0"),
        ("0.00", Decimal("1.295"), "1.30"),
        ("0.0", Decimal("0.05"), "0.1"),
        ("#.#", 0.04, ""),
        ("00000000000000000000", 123456789012345678, "00123456789012345678"),
    ],
)
def test_numbers(form: str, value: Any, text: str) -> None:
    assert composite(f"{{0:{form}}}", value) == text


@pytest.mark.parametrize(
    ("form", "value"),
    [
        *(("D", 1.5), ("D", Decimal(1)), ("X", 1.5), ("R", 5), ("R", Decimal(1))),
        *(("Z", 5), ("Q2", 1.5), ("B", 1.5), ("X", 2**70), ("F10001", 5)),
    ],
)
def test_formats_that_a_number_does_not_have(form: str, value: Any) -> None:
    with pytest.raises(LiteralError):
        composite(f"{{0:{form}}}", value)


@pytest.mark.parametrize("form", ["F10000", "D", "N2", "0.00", "0,"])
@pytest.mark.parametrize(
    "value", [10**20_000, Decimal("1e50000")], ids=["int", "decimal"]
)
def test_a_number_beyond_all_types_has_few_formats(form: str, value: Any) -> None:
    try:
        text = composite(f"{{0:{form}}}", value)
    except (OutOfRangeError, LiteralError):
        return
    assert len(text) > 19_000


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        ("d", DATE, "07/09/2031"),
        ("D", DATE, "Wednesday, 09 July 2031"),
        ("f", DATE, "Wednesday, 09 July 2031 08:05"),
        ("F", DATE, "Wednesday, 09 July 2031 08:05:03"),
        ("g", DATE, "07/09/2031 08:05"),
        ("G", DATE, "07/09/2031 08:05:03"),
        ("m", DATE, "July 09"),
        ("M", DATE, "July 09"),
        ("o", DATE, "2031-07-09T08:05:03.1200000"),
        ("O", DATE.replace(tzinfo=UTC), "2031-07-09T08:05:03.1200000Z"),
        ("o", DATE.replace(tzinfo=LOCAL), "2031-07-09T08:05:03.1200000+00:00"),
        ("r", DATE, "Wed, 09 Jul 2031 08:05:03 GMT"),
        ("R", DATE, "Wed, 09 Jul 2031 08:05:03 GMT"),
        ("s", DATE, "2031-07-09T08:05:03"),
        ("t", DATE, "08:05"),
        ("T", DATE, "08:05:03"),
        ("u", DATE, "2031-07-09 08:05:03Z"),
        ("U", DATE, "Wednesday, 09 July 2031 08:05:03"),
        ("y", DATE, "2031 July"),
        ("Y", DATE, "2031 July"),
        ("yyyy-MM-dd HH:mm:ss.fff", DATE, "2031-07-09 08:05:03.120"),
        ("%d", DATE, "9"),
        ("d/M/y", DATE, "9/7/31"),
        ("ddd dddd MMM MMMM", DATE, "Wed Wednesday Jul July"),
        ("yy yyy yyyyy", DATE, "31 2031 02031"),
        ("h:m:s tt", EVENING, "8:5:3 PM"),
        ("hh t", DATE, "08 A"),
        ("%H", EVENING, "20"),
        ("hh", datetime(2031, 7, 9), "12"),
        ("ss.FFF", DATE, "03.12"),
        ("ss.FFF", EVENING, "03"),
        ("zzz zz %z", DATE, "+00:00 +00 +0"),
        ("gg", DATE, "A.D."),
        ("'day' d\\d", DATE, "day 9d"),
        ('"it is" %d', DATE, "it is 9"),
        ("yyyy'-'MM", DATE, "2031-07"),
        ("KK", DATE, ""),
        ("d, M", DATE, "9, 7"),
        ("S ", DATE, "S "),
    ],
)
def test_dates(form: str, value: datetime, text: str) -> None:
    assert composite(f"{{0:{form}}}", value) == text


@pytest.mark.parametrize(
    "form", ["x", "fffffffff", "'open", '"open', "yyyy\\", "yyyy%", "%%d", "i"]
)
def test_formats_that_a_date_does_not_have(form: str) -> None:
    with pytest.raises(LiteralError):
        composite(f"{{0:{form}}}", DATE)


@pytest.mark.parametrize(
    ("form", "ticks", "text"),
    [
        ("c", 50_000_000, "00:00:05"),
        ("t", DAY, "1.00:00:00"),
        ("T", -5, "-00:00:00.0000005"),
        ("g", 50_000_000, "0:00:05"),
        ("g", DAY + 1_200_000, "1:0:00:00.12"),
        ("g", -50_000_000, "-0:00:05"),
        ("G", 50_000_000, "0:00:00:05.0000000"),
        (r"h\:mm", 36_610_000_000, "1:01"),
        ("dd'd 'hh'h'", DAY, "01d 00h"),
        (r"ss\.ff", 51_200_000, "05.12"),
        (r"ss\.FF", 50_000_000, "05"),
        ("%m", 36_610_000_000, "1"),
        ("mm", -36_610_000_000, "01"),
    ],
)
def test_times(form: str, ticks: int, text: str) -> None:
    assert composite(f"{{0:{form}}}", Time(ticks)) == text


@pytest.mark.parametrize("form", ["x", "hh:mm", "HH", "hhh", "C", "sss", "d h"])
def test_formats_that_a_time_does_not_have(form: str) -> None:
    with pytest.raises(LiteralError):
        composite(f"{{0:{form}}}", Time(5))


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("D", str(GUID)),
        ("d", str(GUID)),
        ("N", GUID.hex),
        ("P", f"({GUID})"),
        ("X", "{0x0f8fad5b,0xd9cb,0x469f,{0xa1,0x65,0x70,0x86,0x77,0x28,0x95,0x0e}}"),
    ],
)
def test_guids(form: str, text: str) -> None:
    assert composite(f"{{0:{form}}}", GUID) == text
    assert composite("{0:B}", GUID) == f"{{{GUID}}}"
    with pytest.raises(LiteralError):
        composite("{0:C}", GUID)


@pytest.mark.parametrize(
    ("culture", "pattern", "value", "text"),
    [
        ("de-DE", "{0:0.00}", Decimal("1.5"), "1,50"),
        ("de-DE", "{0:N2}", 1234567.891, "1.234.567,89"),
        ("de-DE", "{0:C}", -5, "-5,00\xa0€"),
        ("de-DE", "{0}", 1.5, "1,5"),
        ("de-DE", "{0:d}", DATE, "09.07.2031"),
        ("de-DE", "{0:dd/MM/yyyy}", DATE, "09.07.2031"),
        ("en-US", "{0:C}", 1234.5, "$1,234.50"),
        ("en-US", "{0:C}", -5, "-$5.00"),
        ("en-US", "{0:P0}", 0.5, "50%"),
        ("en-US", "{0:g}", EVENING, "7/9/2031 8:05 PM"),
        ("en-GB", "{0:C}", 5, "£5.00"),
        ("EN-gb", "{0:d}", DATE, "09/07/2031"),
        ("nb-NO", "{0:N1}", -1234.5, "\u22121\xa0234,5"),
        ("nn-NO", "{0:#,0}", 1234567, "1\xa0234\xa0567"),
        ("no", "{0:0.0}", 0.5, "0,5"),
        ("sv-SE", "{0:d}", DATE, "2031-07-09"),
        ("fi-FI", "{0:t}", DATE, "8.05"),
        ("da-DK", "{0:HH:mm}", DATE, "08.05"),
        ("fr-FR", "{0:N0}", 1234, "1\u202f234"),
        ("ja-JP", "{0:C}", 1234.5, "￥1,234"),
        ("pt-BR", "{0:C}", 5, "R$\xa05,00"),
        ("de-DE", "{0:N}", math.inf, "∞"),
        ("nb-NO", "{0}", -math.inf, "\u2212∞"),
        ("", "{0:N1}", 1234.5, "1,234.5"),
        ("de", "{0:N1}", 1.5, "1,5"),
        ("de-DE", "{0:o}", DATE, "2031-07-09T08:05:03.1200000"),
    ],
)
def test_cultures(culture: str, pattern: str, value: Any, text: str) -> None:
    assert composite(pattern, value, culture) == text


@pytest.mark.parametrize("name", _CULTURES)
def test_every_culture_has_every_standard_format(name: str) -> None:
    for form in "CEFGNP":
        assert "5" in composite(f"{{0:{form}}}", 5, name)
    for form in "dDfFgGmMtTUyY":
        text = composite(f"{{0:{form}}}", datetime(2035, 5, 5, 5, 5, 5), name)
        assert "5" in text


def test_an_unknown_culture_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ArgumentError) as caught:
        composite("{0}", 5, "nb-N0")
    assert caught.value.help == "did you mean 'nb-NO'?"
    with pytest.raises(ArgumentError):
        composite("{0}", 5, "klingon")


def test_a_value_without_formats_is_written_as_it_is() -> None:
    assert composite("{0:N2}", Node("a")) == literal_text(Node("a"))


VALUES = st.one_of(
    st.none(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.datetimes(),
    st.integers(-(2**63), 2**63 - 1).map(Time),
    st.uuids(),
    st.floats().map(Single),
)


@given(
    form=st.text(alphabet="0#.,;%E+-'\"\\dfFghHKmMstyzCNPXG%‰ 2a", max_size=12),
    value=VALUES,
    culture=st.sampled_from([None, "de-DE", "nb-NO", "en-US"]),
)
def test_any_format_is_used_or_refused(form: str, value: Any, culture: Any) -> None:
    try:
        text = composite(f"{{0:{form}}}", value, culture)
    except HyperlambdaError as error:
        text = error.message
        assert "\n" not in text
    assert isinstance(text, str)


@given(st.text(alphabet="{}0,:-1N2 a", max_size=20), VALUES)
def test_any_pattern_is_used_or_refused(pattern: str, value: Any) -> None:
    try:
        composite(pattern, value)
    except (LiteralError, OutOfRangeError) as error:
        assert "\n" not in str(error)  # noqa: PT017 – both outcomes are right


@given(st.decimals(-(10**12), 10**12, places=3))
def test_fixed_and_custom_formats_agree(value: Decimal) -> None:
    assert composite("{0:F2}", value) == composite("{0:0.00}", value)
    assert composite("{0:N2}", value) == composite("{0:#,0.00}", value)
