"""
Checking e-mail addresses and URLs that clients send (spec 03 §6, §15 Q24).

The rules are those of the reference, which knows neither comments nor display names here,
except that an address may not have two dots side by side, or one at an end. The patterns
decide at each character, and so take time in proportion to the text.
"""

from __future__ import annotations

import re
from functools import cache

from hyperlambda import Evaluator, Node, slot

from .checking import check_texts, field_of, rejection
from .texts import shortened

# Letters beyond ASCII are allowed, white space and controls are not.
_ATOM = (
    r"(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]|(?![\x80-\x9f])[^\x00-\x7f\s\ud800-\udfff])+"
)
_DOT_ATOM = rf"{_ATOM}(?:\.{_ATOM})*"
_QUOTED = r'"(?:[^"\\\r\n]|\\[^\r\n])*"'
_LITERAL = r"\[[!-Z^-~]+\]"
_EMAIL = rf"(?:{_DOT_ATOM}|{_QUOTED})@(?:{_DOT_ATOM}|{_LITERAL})"

_URL = r"[Hh][Tt][Tt][Pp][Ss]?:[/\\]{2}([^/\\?#]*)"
_AUTHORITY = r"(?s:.*@)?(\[[^\]]*\]|[^:@]*)(?::([0-9]*))?"
_LABEL = r"[\w-]{1,63}"
# Compiled when they are first used: most programs check no addresses.
_compiled = cache(re.compile)


@slot("validators.email")
def email(evaluator: Evaluator, node: Node) -> None:
    """
    Reject what is no e-mail address.

    An address without a dot in its domain is one, for there are local networks.

    Reads:
        value: an expression whose results are all checked, or the address itself. Null
            is not checked.
    Leaves:
        value: null, also when it is rejected. Children are removed.
    Raises:
        ArgumentError: An address is rejected; public, with status 400 and the field.
        ConversionError: A value cannot be read as text.
    Source:
        Spec 03 §6, §15 Q24.

    Example::

        .args
           mail:mia@tea.io
        validators.email:x:@.args/*/mail
        // becomes
        .args
           mail:mia@tea.io
        validators.email
    """

    def check(text: str) -> None:
        if not _is_email(text):
            raise rejection(
                f"'{shortened(text)}' is no e-mail address, in '{field}'", field
            )

    field = field_of(node)
    check_texts(node, check)


@slot("validators.url")
def url(evaluator: Evaluator, node: Node) -> None:
    """
    Reject what is no absolute URL of http or https.

    Reads:
        value: an expression whose results are all checked, or the URL itself. Null is
            not checked.
    Leaves:
        value: null, also when it is rejected. Children are removed.
    Raises:
        ArgumentError: A URL is rejected; public, with status 400 and the field.
        ConversionError: A value cannot be read as text.
    Source:
        Spec 03 §6.

    Example::

        .args
           site:"https://tea.io"
        validators.url:x:@.args/*/site
        // becomes
        .args
           site:"https://tea.io"
        validators.url
    """

    def check(text: str) -> None:
        if not _is_url(text):
            raise rejection(
                f"'{shortened(text)}' is no URL of http or https, in '{field}'", field
            )

    field = field_of(node)
    check_texts(node, check)


def _is_email(text: str) -> bool:
    """Return whether a text is an e-mail address, and nothing besides."""
    return _compiled(_EMAIL).fullmatch(text) is not None


def _is_url(text: str) -> bool:
    """Return whether a text is an absolute URL of http or https."""
    match = _compiled(_URL).match(text.strip())
    if match is None:
        return False
    authority = _compiled(_AUTHORITY).fullmatch(match[1])
    if authority is None:
        return False
    host, port = authority.groups()
    if port and (len(port.lstrip("0")) > 5 or int(port) > 65535):
        return False
    if host.startswith("["):
        return _is_ipv6(host[1:-1])
    labels = host.removesuffix(".").split(".")
    return all(_compiled(_LABEL).fullmatch(label) for label in labels)


def _is_ipv6(text: str) -> bool:
    # Only addresses in brackets pay for loading this.
    from ipaddress import AddressValueError, IPv6Address

    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True
