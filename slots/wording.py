"""Numbers in words: [int2words]."""

from __future__ import annotations

from hyperlambda import Evaluator, Node, slot
from hyperlambda.conversions import to_int
from hyperlambda.expressions import resolve_node

_SMALL = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"),
    *("seventeen", "eighteen", "nineteen"),
]
_TENS = [
    *("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty"),
    "ninety",
]
_GROUPS = (
    (10**12, "trillion"),
    (10**9, "billion"),
    (10**6, "million"),
    (1000, "thousand"),
    (100, "hundred"),
)


@slot("int2words")
def int_to_words(evaluator: Evaluator, node: Node) -> None:
    """
    Spell a number in English.

    Reads:
        value: an integer of up to 64 bits, or an expression that leads to one.
    Leaves:
        value: str. Children are kept.
    Raises:
        ConversionError: There is no number.
        LiteralError, OutOfRangeError: It is a text that spells no such number.
    Source:
        Spec 02 §3.7.

    Example::

        int2words:int:-1021
        // becomes
        int2words:minus one thousand and twenty-one
    """
    holder = resolve_node(node)
    number = 0 if holder is None else int(to_int(holder.value, "long"))
    node.value = f"minus {_words(-number)}" if number < 0 else _words(number)


def _words(number: int) -> str:
    if number < 20:
        return _SMALL[number]
    words = []
    for size, name in _GROUPS:
        count, number = divmod(number, size)
        if count:
            words.append(f"{_words(count)} {name}")
    if number:
        if words:
            words.append("and")
        words.append(_below_hundred(number))
    return " ".join(words)


def _below_hundred(number: int) -> str:
    if number < 20:
        return _SMALL[number]
    tens, ones = divmod(number, 10)
    return f"{_TENS[tens]}-{_SMALL[ones]}" if ones else _TENS[tens]
