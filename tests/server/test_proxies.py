"""Whose requests they are that proxies pass on."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.datastructures import Headers
from websockets.http11 import Request

from hyperlambda import HyperlambdaError
from hyperlambda.server import SocketServer
from hyperlambda.server.proxies import Proxies

from .clients import PATIENCE, Connect, StartServer, until_count
from .test_gate import fetch, status_of

TRUSTED = ("127.0.0.1", "10.0.0.0/8", "::1", "2001:db8:5::/48")
PROXIES = Proxies(TRUSTED)


def client_of(
    *listed: str, forwarded: tuple[str, ...] = (), peer: str = "127.0.0.1"
) -> str:
    headers = Headers([("X-Forwarded-For", each) for each in listed])
    for each in forwarded:
        headers["forwarded"] = each
    return PROXIES.client(peer, headers)


@pytest.mark.parametrize(
    ("listed", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("  192.0.2.1\t", "192.0.2.1"),
        ("6.6.6.6, 192.0.2.1", "192.0.2.1"),
        ("6.6.6.6,192.0.2.1, 10.1.2.3", "192.0.2.1"),
        ("6.6.6.6, 192.0.2.1, 10.1.2.3,127.0.0.1", "192.0.2.1"),
        ("192.0.2.1, 6.6.6.6", "6.6.6.6"),
        ("10.9.9.9, 10.1.2.3", "10.9.9.9"),
        # Ports and brackets.
        ("192.0.2.1:4711", "192.0.2.1"),
        ("192.0.2.1:_port", "192.0.2.1"),
        ("2001:db8::17", "2001:db8::17"),
        ("2001:DB8:0::17", "2001:db8::17"),
        ("[2001:db8::17]", "2001:db8::17"),
        ("[2001:db8::17]:4711", "2001:db8::17"),
        ("fe80::1%eth0", "fe80::1"),
        ("192.0.2.1, [2001:db8:5::1]:80", "192.0.2.1"),
        # IPv4 in IPv6.
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:80", "192.0.2.1"),
        ("192.0.2.1, ::ffff:10.1.1.1", "192.0.2.1"),
        ("192.0.2.1, ::ffff:a01:101", "192.0.2.1"),
        # What is none: the nearest address that is known.
        ("", "127.0.0.1"),
        (",", "127.0.0.1"),
        ("192.0.2.1,", "127.0.0.1"),
        ("192.0.2.1, unknown", "127.0.0.1"),
        ("192.0.2.1, _hidden, 10.1.2.3", "10.1.2.3"),
        ("192.0.2.1, unknown, 10.1.2.3, 10.4.5.6", "10.1.2.3"),
        ("192.0.2.1, 10.1.2.3 10.4.5.6", "127.0.0.1"),
        ("localhost", "127.0.0.1"),
        ("192.0.2.256", "127.0.0.1"),
        ("192.0.2", "127.0.0.1"),
        ("192.0.2.01", "127.0.0.1"),
        ("192.0.2.1:", "127.0.0.1"),
        ("192.0.2.1:80:81", "127.0.0.1"),
        ("192.0.2.1:8 0", "127.0.0.1"),
        ("[192.0.2.1", "127.0.0.1"),
        ("[2001:db8::17]x", "127.0.0.1"),
        ("[]", "127.0.0.1"),
        ("]", "127.0.0.1"),
        (":", "127.0.0.1"),
        ("%", "127.0.0.1"),
        ("é\xff", "127.0.0.1"),
        ("¹92.0.2.1", "127.0.0.1"),
        ("192.0.2.0/24", "127.0.0.1"),
        ('"192.0.2.1"', "127.0.0.1"),
        ("3232235777", "127.0.0.1"),
    ],
)
def test_the_client_is_the_right_most_that_is_not_trusted(
    listed: str, address: str
) -> None:
    assert client_of(listed) == address


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("for=192.0.2.1", "192.0.2.1"),
        ("For=192.0.2.1;proto=https;by=203.0.113.43", "192.0.2.1"),
        ('proto=http ; FOR="192.0.2.1:80" ;', "192.0.2.1"),
        ('for="[2001:db8::17]:4711"', "2001:db8::17"),
        ('for="[::ffff:192.0.2.1]";host="a.example:443"', "192.0.2.1"),
        ("for=6.6.6.6, for=192.0.2.1, for=10.1.2.3;x1_y=z", "192.0.2.1"),
        # Quotes that a client has left open swallow nothing.
        ('for="6.6.6.6, for=192.0.2.1', "192.0.2.1"),
        ('for=6.6.6.6;x="\\", for=192.0.2.1', "192.0.2.1"),
        # What does not tell.
        ("", "127.0.0.1"),
        ("for=192.0.2.1,", "127.0.0.1"),
        ("for=unknown", "127.0.0.1"),
        ('for="_gazonk"', "127.0.0.1"),
        ("for=192.0.2.1, for=_SEVKISEK, for=10.1.2.3", "10.1.2.3"),
        ("proto=https", "127.0.0.1"),
        ("192.0.2.1", "127.0.0.1"),
        ("for=192.0.2.1;for=192.0.2.2", "127.0.0.1"),
        ('for="192.0.2.1', "127.0.0.1"),
        ('for=192.0.2.1"', "127.0.0.1"),
        ('for="192.0.2.1";host="a,b"', "127.0.0.1"),
        ("for=192.0.2.1;?", "127.0.0.1"),
        ("for = 192.0.2.1", "127.0.0.1"),
        ("=;=", "127.0.0.1"),
    ],
)
def test_the_standard_header_says_the_same(forwarded: str, address: str) -> None:
    assert client_of(forwarded=(forwarded,)) == address


def test_several_headers_are_one() -> None:
    assert client_of("6.6.6.6", "192.0.2.1, 10.1.1.1", "10.2.2.2") == "192.0.2.1"
    described = ("for=6.6.6.6", "for=192.0.2.1", "for=10.2.2.2")
    assert client_of(forwarded=described) == "192.0.2.1"


def test_headers_that_disagree_are_both_not_believed() -> None:
    # A proxy writes one of them, and lets through what clients write into the other.
    assert client_of("192.0.2.1", forwarded=("for=6.6.6.6",)) == "127.0.0.1"
    assert client_of("192.0.2.1", forwarded=("?",)) == "127.0.0.1"
    assert client_of("192.0.2.1, 10.1.1.1", forwarded=("for=192.0.2.1",)) == "192.0.2.1"


@pytest.mark.parametrize("peer", ["192.0.2.9", "::ffff:192.0.2.9", "2001:db8::9", ""])
def test_who_is_not_trusted_is_not_asked(peer: str) -> None:
    assert client_of("6.6.6.6", forwarded=("for=6.6.6.6",), peer=peer) == peer


@pytest.mark.parametrize(
    "peer", ["127.0.0.1", "::ffff:127.0.0.1", "10.255.0.1", "::1", "2001:db8:5:1::"]
)
def test_who_is_trusted_is_asked(peer: str) -> None:
    assert client_of("192.0.2.1", peer=peer) == "192.0.2.1"
    assert client_of(peer=peer) == peer.removeprefix("::ffff:")


def test_networks_of_ipv4_in_ipv6_are_of_ipv4() -> None:
    proxies = Proxies(["::ffff:10.0.0.0/104", "::ffff:192.0.2.7"])
    headers = Headers([("X-Forwarded-For", "6.6.6.6, 192.0.2.7")])
    assert proxies.client("10.1.1.1", headers) == "6.6.6.6"
    assert proxies.client("11.1.1.1", headers) == "11.1.1.1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("localhost", "'localhost' is no address and no network of proxies, such"),
        ("10.0.0.0/33", "'10.0.0.0/33' is no address"),
        ("", "'' is no address"),
        ("10.0.0.1/8", "'10.0.0.1/8' is no network; did you mean '10.0.0.0/8'?"),
        ("::1/64", "'::1/64' is no network; did you mean '::/64'?"),
        ("0.0.0.0/0", "'0.0.0.0/0' is everybody"),
        ("::/0", "'::/0' is everybody"),
        ("::ffff:0:0/96", "'::ffff:0:0/96' is everybody"),
    ],
)
def test_what_is_no_proxy_is_told(text: str, message: str) -> None:
    with pytest.raises(HyperlambdaError) as raised:
        SocketServer(trusted_proxies=["127.0.0.1", text])
    assert raised.value.message.startswith(message)
    assert "\n" not in raised.value.message


def test_only_so_many_entries_are_looked_at() -> None:
    assert client_of("192.0.2.1" + ", 10.1.1.1" * 99) == "192.0.2.1"
    assert client_of("192.0.2.1" + ", 10.1.1.1" * 100) == "10.1.1.1"
    assert client_of(*["?," * 10_000 + "192.0.2.1"] * 100) == "192.0.2.1"
    assert client_of(*["192.0.2.1"] * 10_000) == "192.0.2.1"


# Properties.

UNTRUSTED = st.sampled_from(["192.0.2.1", "6.6.6.6", "2001:db8::1", "172.16.0.1"])
TRUSTED_ONES = st.sampled_from(["127.0.0.1", "10.1.1.1", "10.2.2.2", "::1"])
NONE = st.sampled_from(["", "unknown", "_hidden", "10.1.1", "[::1", "::1]", '"', "é"])
RUBBISH = st.text(st.sampled_from('0123456789.:[]",;=\\ forunk_%é'), max_size=30)


def shown(address: str, style: int) -> str:
    """Return an address in one of the ways in which proxies write it."""
    is_long = ":" in address
    return [
        address,
        f"[{address}]" if is_long else address,
        f"[{address}]:80" if is_long else f"{address}:80",
        address if is_long else f"::ffff:{address}",
    ][style]


@st.composite
def chains(draw: st.DrawFn) -> list[tuple[str, str | None]]:
    """Return entries as they are written, with their addresses, from the left."""
    found: list[tuple[str, str | None]] = []
    for address in draw(st.lists(UNTRUSTED | TRUSTED_ONES | NONE, max_size=8)):
        try:
            ip_address(address)
        except ValueError:
            found.append((address, None))
        else:
            found.append((shown(address, draw(st.integers(0, 3))), address))
    return found


def headers_of(draw: st.DrawFn, entries: list[str]) -> Headers:
    """Return entries in one kind of header, which may be given several times."""
    is_standard = draw(st.booleans())
    name = "Forwarded" if is_standard else "X-Forwarded-For"
    headers = Headers()
    while entries:
        count = draw(st.integers(1, len(entries)))
        now, entries = entries[:count], entries[count:]
        if is_standard:
            now = [f'for="{each}"' for each in now]
        headers[name] = draw(st.sampled_from([",", ", "])).join(now)
    return headers


def is_trusted(address: str | None) -> bool:
    return address in ("127.0.0.1", "10.1.1.1", "10.2.2.2", "::1")


@given(chains(), TRUSTED_ONES | UNTRUSTED, st.data())
def test_who_is_found_stood_left_of_who_is_trusted(
    chain: list[tuple[str, str | None]], peer: str, data: st.DataObject
) -> None:
    headers = headers_of(data.draw, [text for text, _ in chain])
    expected = peer
    left = [address for _, address in chain]
    while left and is_trusted(expected):
        before = left.pop()
        if before is None:
            break
        expected = before
    assert PROXIES.client(peer, headers) == expected


@given(st.lists(RUBBISH, max_size=5), UNTRUSTED, st.lists(TRUSTED_ONES), st.data())
def test_what_a_client_writes_changes_nothing(
    forged: list[str], client: str, proxies: list[str], data: st.DataObject
) -> None:
    headers = headers_of(data.draw, [client, *proxies])
    name, first = next(iter(headers.raw_items()))
    values = headers.get_all(name)
    separator = data.draw(st.sampled_from([",", ", "]))
    with_forged = Headers()
    if forged and data.draw(st.booleans()):
        # The first proxy has added to the last header of the client.
        first = separator.join((forged.pop(), first))
    for value in (*forged, first, *values[1:]):
        with_forged[name] = value
    found = PROXIES.client("127.0.0.1", with_forged)
    assert found == PROXIES.client("127.0.0.1", headers) == client


@given(st.lists(RUBBISH), st.lists(RUBBISH), TRUSTED_ONES | UNTRUSTED)
def test_whatever_the_headers_are_there_is_an_answer(
    listed: list[str], described: list[str], peer: str
) -> None:
    found = client_of(*listed, forwarded=tuple(described), peer=peer)
    assert ip_address(found) == ip_address(peer) or is_trusted(peer)


# Over the wire.


@pytest.fixture
async def behind(start_server: StartServer) -> SocketServer:
    """Return a server behind a proxy, where each client may have one connection."""
    return await start_server(trusted_proxies=["127.0.0.1"], max_per_address=1)


async def test_clients_of_a_proxy_are_counted_apart(
    behind: SocketServer, join: Connect
) -> None:
    first = await join(behind, headers={"X-Forwarded-For": "192.0.2.1"})
    await join(behind, headers={"X-Forwarded-For": "192.0.2.2"})
    await join(behind, headers={"Forwarded": "for=192.0.2.3"})
    for header in ("X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.3"):
        for target, method in (("/ws", "GET"), ("/sockets/negotiate", "POST")):
            assert (await fetch(behind, target, method, header))[0] == 429
    # Who lies gets nothing by it: what it wrote stands left of its own address.
    lie = "X-Forwarded-For: 6.6.6.6, 192.0.2.2"
    assert (await fetch(behind, "/sockets/negotiate", "POST", lie))[0] == 429
    await first.socket.close()
    await until_count(behind, 2)
    await join(behind, headers={"X-Forwarded-For": "192.0.2.1"})


async def test_requests_of_a_client_are_counted_apart(
    start_server: StartServer,
) -> None:
    server = await start_server(trusted_proxies=["127.0.0.1"], request_rate=1e-6)
    for _ in range(20):
        assert (await fetch(server, "/", "GET", "X-Forwarded-For: 192.0.2.1"))[0] == 200
    assert (await fetch(server, "/", "GET", "X-Forwarded-For: 192.0.2.1"))[0] == 429
    assert (await fetch(server, "/", "GET", "X-Forwarded-For: 192.0.2.2"))[0] == 200
    assert (await fetch(server, "/", "GET", "X-Forwarded-For: unknown"))[0] == 200


async def test_without_trust_headers_are_nothing(
    start_server: StartServer, join: Connect
) -> None:
    for trusted in ([], ["192.0.2.0/24"]):
        server = await start_server(trusted_proxies=trusted, max_per_address=1)
        await join(server, headers={"X-Forwarded-For": "192.0.2.1"})
        assert await status_of(server, **{"X-Forwarded-For": "192.0.2.2"}) == 429


async def until_nobody(server: SocketServer) -> None:
    async with asyncio.timeout(PATIENCE):
        while server._reception.sockets or len(server._reception._addresses):
            await asyncio.sleep(0)


async def test_nothing_is_kept_of_clients_that_are_gone(
    behind: SocketServer, join: Connect
) -> None:
    client = await join(behind, headers={"X-Forwarded-For": "192.0.2.1"})
    assert list(behind._reception._addresses._counts) == ["192.0.2.1"]
    await client.socket.close()
    await until_nobody(behind)
    # One that ends while its request waits to be looked at.
    hasty = socket.create_connection((behind.host, behind.port))
    async with asyncio.timeout(PATIENCE):
        while not behind._reception.sockets:
            await asyncio.sleep(0)
    [link] = behind._reception.sockets
    hasty.close()
    await until_nobody(behind)
    headers = Headers([("X-Forwarded-For", "192.0.2.1")])
    behind._gate(link, Request("/ws", headers))
    assert len(behind._reception._addresses) == 0


async def test_behind_a_proxy_pages_of_loopback_are_those_of_others(
    start_server: StartServer,
) -> None:
    server = await start_server(trusted_proxies=["127.0.0.1"])
    for origin, status in (("http://localhost:3000", 403), ("https://x", 200)):
        negotiate = ("/sockets/negotiate", "POST", f"Origin: {origin}")
        assert (await fetch(server, *negotiate))[0] == status
