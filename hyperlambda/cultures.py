"""
How numbers and dates are punctuated around the world.

Only what formatting needs, from the Unicode Common Locale Data Repository: separators,
signs and the orders of dates. Names of months and days are English in every culture.
"""

from __future__ import annotations

from typing import NamedTuple

from .errors import ArgumentError, nearest

__all__ = ["INVARIANT", "Culture", "find_culture"]

_NO_BREAK, _NARROW = "\xa0", "\u202f"
_MINUS = "\u2212"


class Culture(NamedTuple):
    """
    The punctuation of one culture.

    Attributes:
        point: Between the whole number and its fraction.
        group: Between groups of three digits.
        minus: Before a negative number.
        currency: Where the symbol and the number ``n`` stand, such as ``$n``.
        negative_currency: The same for negative amounts.
        percent: Where the sign and the number stand, such as ``n %``.
        short_date, long_date, short_time, long_time: .NET custom date formats.
        currency_digits: How many decimals amounts have.
        infinity: The symbol of what is larger than all numbers.
    """

    point: str = "."
    group: str = ","
    minus: str = "-"
    currency: str = "¤n"
    negative_currency: str = "(¤n)"
    percent: str = "n %"
    short_date: str = "MM/dd/yyyy"
    long_date: str = "dddd, dd MMMM yyyy"
    short_time: str = "HH:mm"
    long_time: str = "HH:mm:ss"
    currency_digits: int = 2
    infinity: str = "Infinity"


INVARIANT = Culture()


def _culture(
    point: str,
    group: str,
    currency: str,
    percent: str,
    short_date: str,
    long_date: str,
    *,
    minus: str = "-",
    short_time: str = "HH:mm",
    long_time: str = "HH:mm:ss",
    currency_digits: int = 2,
) -> Culture:
    return Culture(
        point,
        group,
        minus,
        currency,
        minus + currency,
        percent,
        short_date,
        long_date,
        short_time,
        long_time,
        currency_digits,
        "∞",
    )


_SPACED = f"n{_NO_BREAK}%"
_DOTTED = "d. MMMM yyyy"

_CULTURES = {
    "en-US": _culture(
        ".",
        ",",
        "$n",
        "n%",
        "M/d/yyyy",
        "dddd, MMMM d, yyyy",
        short_time="h:mm tt",
        long_time="h:mm:ss tt",
    ),
    "en-GB": _culture(".", ",", "£n", "n%", "dd/MM/yyyy", "dddd, d MMMM yyyy"),
    "de-DE": _culture(
        ",", ".", f"n{_NO_BREAK}€", _SPACED, "dd.MM.yyyy", f"dddd, {_DOTTED}"
    ),
    "fr-FR": _culture(
        ",", _NARROW, f"n{_NO_BREAK}€", f"n{_NARROW}%", "dd/MM/yyyy", "dddd d MMMM yyyy"
    ),
    "nb-NO": _culture(
        ",",
        _NO_BREAK,
        f"n{_NO_BREAK}kr",
        _SPACED,
        "dd.MM.yyyy",
        f"dddd {_DOTTED}",
        minus=_MINUS,
    ),
    "sv-SE": _culture(
        ",",
        _NO_BREAK,
        f"n{_NO_BREAK}kr",
        _SPACED,
        "yyyy-MM-dd",
        "'den' d MMMM yyyy",
        minus=_MINUS,
    ),
    "da-DK": _culture(
        ",",
        ".",
        f"n{_NO_BREAK}kr.",
        _SPACED,
        "dd.MM.yyyy",
        f"dddd 'den' {_DOTTED}",
        short_time="HH.mm",
        long_time="HH.mm.ss",
    ),
    "fi-FI": _culture(
        ",",
        _NO_BREAK,
        f"n{_NO_BREAK}€",
        _SPACED,
        "d.M.yyyy",
        f"dddd {_DOTTED}",
        minus=_MINUS,
        short_time="H.mm",
        long_time="H.mm.ss",
    ),
    "es-ES": _culture(
        ",",
        ".",
        f"n{_NO_BREAK}€",
        _SPACED,
        "d/M/yyyy",
        "dddd, d 'de' MMMM 'de' yyyy",
        short_time="H:mm",
        long_time="H:mm:ss",
    ),
    "it-IT": _culture(
        ",", ".", f"n{_NO_BREAK}€", "n%", "dd/MM/yyyy", "dddd d MMMM yyyy"
    ),
    "pt-BR": _culture(
        ",", ".", f"R${_NO_BREAK}n", "n%", "dd/MM/yyyy", "dddd, d 'de' MMMM 'de' yyyy"
    ),
    "pt-PT": _culture(
        ",",
        _NO_BREAK,
        f"n{_NO_BREAK}€",
        "n%",
        "dd/MM/yyyy",
        "dddd, d 'de' MMMM 'de' yyyy",
    ),
    "nl-NL": _culture(
        ",", ".", f"€{_NO_BREAK}n", "n%", "dd-MM-yyyy", "dddd d MMMM yyyy"
    ),
    "pl-PL": _culture(
        ",", _NO_BREAK, f"n{_NO_BREAK}zł", "n%", "d.MM.yyyy", "dddd, d MMMM yyyy"
    ),
    "cs-CZ": _culture(
        ",",
        _NO_BREAK,
        f"n{_NO_BREAK}Kč",
        _SPACED,
        "dd.MM.yyyy",
        f"dddd {_DOTTED}",
        short_time="H:mm",
        long_time="H:mm:ss",
    ),
    "ru-RU": _culture(
        ",",
        _NO_BREAK,
        f"n{_NO_BREAK}₽",
        _SPACED,
        "dd.MM.yyyy",
        "dddd, d MMMM yyyy 'г'.",
    ),
    "ja-JP": _culture(
        ".",
        ",",
        "￥n",
        "n%",
        "yyyy/MM/dd",
        "yyyy'年'M'月'd'日'dddd",
        short_time="H:mm",
        long_time="H:mm:ss",
        currency_digits=0,
    ),
    "zh-CN": _culture(".", ",", "¥n", "n%", "yyyy/M/d", "yyyy'年'M'月'd'日'dddd"),
    "ko-KR": _culture(
        ".",
        ",",
        "₩n",
        "n%",
        "yyyy. M. d.",
        "yyyy'년' M'월' d'일' dddd",
        short_time="tt h:mm",
        long_time="tt h:mm:ss",
        currency_digits=0,
    ),
}
_CULTURES["nn-NO"] = _CULTURES["nb-NO"]

_BY_NAME = {name.lower(): culture for name, culture in _CULTURES.items()}
# A language alone means the country that is first above; "no" is an old name of "nb".
for _name in reversed(_CULTURES):
    _BY_NAME[_name[:2]] = _CULTURES[_name]
_BY_NAME.update({"": INVARIANT, "invariant": INVARIANT, "no": _CULTURES["nb-NO"]})


def find_culture(name: str | None) -> Culture:
    """
    Return the culture of a name such as ``nb-NO``, in any case; None is the invariant.

    Raises:
        ArgumentError: No culture known here has that name.
    """
    if name is None:
        return INVARIANT
    culture = _BY_NAME.get(name.lower())
    if culture is None:
        near = nearest(name, _CULTURES)
        raise ArgumentError(
            f"no culture is named '{name[:40]}'",
            help=f"did you mean '{near}'?" if near else None,
        )
    return culture
