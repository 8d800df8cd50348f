"""Texts in URLs and in HTML (spec 03 §2.8)."""

from __future__ import annotations

import re
from functools import cache

from hyperlambda import Evaluator, Node, slot
from hyperlambda.conversions import to_bytes
from hyperlambda.expressions import resolve_text

_LETTERS_AND_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_URL_PLAIN = (_LETTERS_AND_DIGITS + "-_.!*()").encode()
_URL_FORMS = [chr(i) if i in _URL_PLAIN else f"%{i:02X}" for i in range(256)]
_URL_FORMS[0x20] = "+"
_URL_BYTES = r"(?:%[0-9A-Fa-f]{2})+"

_HTML_SPECIAL = "[&<>\"'\xa0-\xff\ud800-\udfff\U00010000-\U0010ffff]"
_HTML_NAMES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
# More digits than any character has are none, and slow to read.
_HTML_ENTITY = (
    r"&(?:#0*([0-9]{1,7})|#[xX]0*([0-9A-Fa-f]{1,6})|([A-Za-z][A-Za-z0-9]{1,30}));"
)


@slot("strings.url-encode")
def url_encode(evaluator: Evaluator, node: Node) -> None:
    """
    Write a text as it stands in the query of a URL: as a form does.

    Reads:
        value: str, or an expression that leads to it.
    Leaves:
        value: str; null stays null.
        children: as they are.
    Raises:
        ConversionError: The value cannot be read as text.
        LimitError: The text would be longer than it may be.
    Source:
        Spec 03 §2.8.

    Example::

        strings.url-encode:"tea & co/é"
        // becomes
        strings.url-encode:tea+%26+co%2F%C3%A9
    """
    data = to_bytes(resolve_text(node))
    if data is None:
        node.value = None
        return
    pieces = [_URL_FORMS[byte] for byte in data]
    evaluator.charge_text(sum(map(len, pieces)))
    node.value = "".join(pieces)


@slot("strings.url-decode")
def url_decode(evaluator: Evaluator, node: Node) -> None:
    """
    Read a text that stands in the query of a URL.

    Reads:
        value: str, or an expression that leads to it. What is no escape stays as it is.
    Leaves:
        value: str; null stays null, and bytes that are no UTF-8 become U+FFFD.
        children: as they are.
    Raises:
        ConversionError: The value cannot be read as text.
    Source:
        Spec 03 §2.8.

    Example::

        strings.url-decode:tea+%26+co%2F%C3%A9
        // becomes
        strings.url-decode:tea & co/é
    """
    text = resolve_text(node)
    if text is not None:
        text = re.sub(_URL_BYTES, _decoded, text.replace("+", " "))
        evaluator.charge_text(len(text))
    node.value = text


def _decoded(match: re.Match[str]) -> str:
    return bytes.fromhex(match[0].replace("%", "")).decode("utf-8", "replace")


@slot("strings.html-encode")
def html_encode(evaluator: Evaluator, node: Node) -> None:
    """
    Write a text so that HTML shows it as it is.

    Reads:
        value: str, or an expression that leads to it.
    Leaves:
        value: str; null stays null.
        children: as they are.
    Raises:
        ConversionError: The value cannot be read as text.
        LimitError: The text would be longer than it may be.
    Source:
        Spec 03 §2.8.

    Example::

        strings.html-encode:"<i>\\"Tom's\\" café</i>"
        // becomes
        strings.html-encode:&lt;i&gt;&quot;Tom&#39;s&quot; caf&#233;&lt;/i&gt;
    """
    text = resolve_text(node)
    if text is not None:
        text = re.sub(_HTML_SPECIAL, _escaped, text)
        evaluator.charge_text(len(text))
    node.value = text


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if "\ud800" <= character <= "\udfff":
        return "\N{REPLACEMENT CHARACTER}"
    return _HTML_NAMES.get(character) or f"&#{ord(character)};"


@slot("strings.html-decode")
def html_decode(evaluator: Evaluator, node: Node) -> None:
    """
    Read a text that stands in HTML: its character references become characters.

    Reads:
        value: str, or an expression that leads to it. References are numbers and the
            names of HTML 4, with their semicolon; others stay as they are.
    Leaves:
        value: str; null stays null.
        children: as they are.
    Raises:
        ConversionError: The value cannot be read as text.
    Source:
        Spec 03 §2.8.

    Example::

        strings.html-decode:"&lt;caf&eacute;&gt; &#9749;"
        // becomes
        strings.html-decode:<café> ☕
    """
    text = resolve_text(node)
    if text is not None and "&" in text:
        text = re.sub(_HTML_ENTITY, _unescaped, text)
        evaluator.charge_text(len(text))
    node.value = text


def _unescaped(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if name:
        return _entities().get(name) or match[0]
    code = int(decimal) if decimal else int(hexadecimal, 16)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        return match[0]
    return chr(code)


@cache
def _entities() -> dict[str, str]:
    # Thousands of names, which only programs that decode HTML pay for.
    from html.entities import name2codepoint

    return {"apos": "'", **{name: chr(code) for name, code in name2codepoint.items()}}
