"""
Whose requests they are that a reverse proxy passes on.

A proxy adds to the header `X-Forwarded-For`, or to `Forwarded` (RFC 7239), from where it got
a request. What stands further left was there before: other proxies wrote it, or the client
did, who may write anything. So the headers are read from the right, and each address is
believed only because a proxy that is trusted has said it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeAlias

from websockets.datastructures import Headers

from ..errors import HyperlambdaError

__all__ = ["Proxies", "parse_address"]

_Address: TypeAlias = IPv4Address | IPv6Address
_Network: TypeAlias = IPv4Network | IPv6Network

_MOST_HOPS = 100
"""So many entries are looked at; no request comes through as many proxies."""

# A port, or the name that a proxy has for one (RFC 7239 §6.2).
_PORT = re.compile(r"(:[A-Za-z0-9._-]{1,64})?")

# name=value of the header Forwarded (RFC 7239 §4). No quoted value of an address has a
# comma, a semicolon or a backslash in it.
_PAIR = re.compile(r"""\s*([\w!#$%&'*+.^`|~-]+)=(?:"([^"\\]*)"|([^"\s]*))\s*""")


class Proxies:
    """
    Proxies that are trusted to say from where they got a request.

    Args:
        trusted: Their addresses and networks: "127.0.0.1", "10.0.0.0/8", "::1".

    Raises:
        HyperlambdaError: One of these is none, or is everything.
    """

    def __init__(self, trusted: Collection[str]) -> None:
        self._networks = [_network(text) for text in trusted]

    def client(self, peer: str, headers: Headers) -> str:
        """
        Return the address of the client whose request came from an address.

        It is the first from the right that is not trusted itself. Where what a trusted
        proxy says is no address, that proxy is the nearest that is known; so is the
        first one if the two headers disagree, for it has written one of them only, and
        the client may have written the other.
        """
        address = parse_address(peer)
        if address is None or not self._trusts(address):
            return peer
        listed = headers.get_all("X-Forwarded-For")
        described = headers.get_all("Forwarded")
        if not described:
            return str(self._follow(address, _listed(listed)))
        found = self._follow(address, _described(described))
        if listed and found != self._follow(address, _listed(listed)):
            return str(address)
        return str(found)

    def _follow(
        self, address: _Address, senders: Iterator[_Address | None]
    ) -> _Address:
        """Go from proxy to proxy, as long as they are trusted."""
        for _, sender in zip(range(_MOST_HOPS), senders, strict=False):
            if sender is None:
                break
            address = sender
            if not self._trusts(address):
                break
        return address

    def _trusts(self, address: _Address) -> bool:
        return any(address in network for network in self._networks)


def parse_address(text: str) -> _Address | None:
    """
    Return an address as it stands in a header, maybe with a port; None if it is none.

    An IPv4 address that is written as one of IPv6 (RFC 4291 §2.5.5.2) is what it is.
    """
    if text.startswith("["):
        host, end, port = text[1:].partition("]")
        if not end:
            return None
    elif text.count(":") == 1:
        host, colon, port = text.partition(":")
        port = colon + port
    else:
        host, port = text, ""
    if not _PORT.fullmatch(port):
        return None
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _listed(headers: list[str]) -> Iterator[_Address | None]:
    """Yield what stands in headers X-Forwarded-For, from the right."""
    for header in reversed(headers):
        for entry in reversed(header.split(",")):
            yield parse_address(entry.strip())


def _described(headers: list[str]) -> Iterator[_Address | None]:
    """
    Yield what stands behind "for=" in headers Forwarded, from the right.

    Commas part the entries even where a client has opened a quote further left, which
    would otherwise swallow what a proxy has written behind it.
    """
    for header in reversed(headers):
        for entry in reversed(header.split(",")):
            yield _sender(entry)


def _sender(entry: str) -> _Address | None:
    """Return whom an entry of the header Forwarded is for; None if it does not tell."""
    found = None
    for part in entry.split(";"):
        if not part.strip():
            continue
        pair = _PAIR.fullmatch(part)
        if pair is None:
            return None
        name, quoted, plain = pair.groups()
        if name.lower() == "for":
            if found is not None:
                return None
            found = plain if quoted is None else quoted
    return None if found is None else parse_address(found)


def _network(text: str) -> _Network:
    """Return a network, or an address as the network that is only that."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise HyperlambdaError(
            f"'{text}' is no address and no network of proxies, such as '10.0.0.0/8'"
        ) from None
    if "/" in text and network.network_address != ip_address(text.partition("/")[0]):
        raise HyperlambdaError(f"'{text}' is no network; did you mean '{network}'?")
    if isinstance(network, IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            network = IPv4Network((int(mapped), network.prefixlen - 96))
    if network.prefixlen == 0:
        raise HyperlambdaError(f"'{text}' is everybody, whose word cannot be trusted")
    return network
