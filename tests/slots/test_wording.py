"""Numbers in words: what tables cannot show (spec 02 §3.7)."""

from __future__ import annotations

from hyperlambda.slots import wording
from hypothesis import example, given
from hypothesis import strategies as st

from hyperlambda import Evaluator, Node
from hyperlambda.values import Long

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen "
    "fourteen fifteen sixteen seventeen eighteen nineteen"
)
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
PLAIN = {
    **{word: number for number, word in enumerate(ONES.split(" "))},
    **{word: 10 * number for number, word in enumerate(TENS.split(" "), start=2)},
}
GROUPS = {
    "hundred": 100,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
}


def number_of(words: str) -> int:
    """Read words as a person does: a group counts all smaller ones before it."""
    parts: list[int] = []
    for word in words.replace("-", " ").split():
        size = GROUPS.get(word)
        if size is None:
            if word not in ("and", "minus"):
                parts.append(PLAIN[word])
            continue
        count = 0
        while parts and parts[-1] < size:
            count += parts.pop()
        # `one thousand trillion`: a group that is counted by another one.
        if word == "trillion":
            count, parts = count + sum(parts), []
        parts.append(count * size)
    return -sum(parts) if words.startswith("minus ") else sum(parts)


@given(st.integers(-(2**63), 2**63 - 1) | st.integers(-10_000, 10_000))
@example(-(2**63))
@example(10**15)
def test_words_say_their_number(number: int) -> None:
    node = Node("int2words", Long(number))
    wording.int_to_words(Evaluator(), node)
    assert number_of(node.value) == number
