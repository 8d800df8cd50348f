"""
Upper and lower case (spec 03 §2.3).

The mapping is that of single characters, whatever the language: no character becomes
two, and none depends on its neighbours.
"""

from __future__ import annotations

from hyperlambda import Evaluator, Node, slot

from .texts import own_text


class _Upper(dict[int, int]):
    """The upper case of each character, found when it is first asked for."""

    def __missing__(self, code: int) -> int:
        character = chr(code)
        upper = character.upper()
        if len(upper) > 1:
            # Greek letters with iota have one of their own, which Python calls title.
            upper = character.title()
        self[code] = ord(upper) if len(upper) == 1 else code
        return self[code]


class _Lower(dict[int, int]):
    """The lower case of each character, found when it is first asked for."""

    def __missing__(self, code: int) -> int:
        lower = chr(code).lower()
        self[code] = ord(lower) if len(lower) == 1 else code
        return self[code]


_UPPER = _Upper({0x131: 0x131})  # the dotless i has no upper case outside of Turkish
_LOWER = _Lower()


@slot("strings.to-upper")
def to_upper(evaluator: Evaluator, node: Node) -> None:
    """
    Put a text into capital letters.

    Reads:
        value: str, or an expression that leads to it.
    Leaves:
        value: str, as long as it was; a letter without a capital of its own, such as ß,
            stays as it is.
        children: as they are.
    Raises:
        ArgumentError: There is no text.
    Source:
        Spec 03 §2.3.

    Example::

        .word:té Noir
        strings.to-upper:x:@.word
        // becomes
        .word:té Noir
        strings.to-upper:TÉ NOIR
    """
    text = own_text(node)
    evaluator.charge_text(len(text))
    node.value = text.upper() if text.isascii() else text.translate(_UPPER)


@slot("strings.to-lower")
def to_lower(evaluator: Evaluator, node: Node) -> None:
    """
    Put a text into small letters.

    Reads:
        value: str, or an expression that leads to it.
    Leaves:
        value: str, as long as it was.
        children: as they are.
    Raises:
        ArgumentError: There is no text.
    Source:
        Spec 03 §2.3.

    Example::

        .word:té Noir
        strings.to-lower:x:@.word
        // becomes
        .word:té Noir
        strings.to-lower:té noir
    """
    text = own_text(node)
    evaluator.charge_text(len(text))
    node.value = text.lower() if text.isascii() else text.translate(_LOWER)


@slot("strings.capitalize")
def capitalize(evaluator: Evaluator, node: Node) -> None:
    """
    Put the first letter of a text into a capital one, and leave the rest.

    Reads:
        value: str, or an expression that leads to it.
    Leaves:
        value: str.
        children: as they are.
    Raises:
        ArgumentError: There is no text.
    Source:
        Spec 03 §2.3, §15 Q10.

    Example::

        .word:té Noir
        strings.capitalize:x:@.word
        // becomes
        .word:té Noir
        strings.capitalize:Té Noir
    """
    text = own_text(node)
    evaluator.charge_text(len(text))
    first = text[:1]
    # Beyond U+FFFF the reference sees half a character, which has no capital.
    node.value = (
        first.translate(_UPPER) + text[1:] if first and first <= "\uffff" else text
    )
