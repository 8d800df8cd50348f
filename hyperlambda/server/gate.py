"""
Who may come in: routes, pages, origins and tokens, before a WebSocket opens.

Requests are answered here with whole responses; None lets the WebSocket handshake go on.
Query strings and headers carry tokens: nothing here logs them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from pathlib import Path
from typing import TypeAlias
from urllib.parse import SplitResult, parse_qs, urlsplit

from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.protocol import State

from ..errors import HyperlambdaError
from .auth import ANONYMOUS, AuthError, Identity, verify_token
from .links import Link
from .metrics import CONTENT_TYPE, Refusals
from .negotiation import (
    Negotiator,
    Refusal,
    connection_token,
    cors_headers,
    preflight_headers,
)
from .pace import Addresses
from .proxies import Proxies
from .responses import refuse_method, refuse_token, respond, respond_text, show

__all__ = ["Gate", "is_loopback", "require_free"]

_PAGES = Path(__file__).with_name("pages")

_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/style.css": ("style.css", "text/css; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    **{
        f"/{path.name}": (path.name, "text/javascript; charset=utf-8")
        for path in sorted(_PAGES.glob("*.js"))
    },
}

# Everything that the page needs comes from here, and nothing stands inline in it.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_NO_SOCKETS = "sockets are not enabled here: 'magic:sockets:url' is empty"

_Answer: TypeAlias = Response | None


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def require_free(path: str, *taken: str) -> None:
    """
    Accept a path where sockets may be opened.

    Raises:
        HyperlambdaError: It is none, or something else is there.
    """
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", path):
        raise HyperlambdaError(f"'{path}' is no path for sockets, such as '/sockets'")
    if path in (*taken, *_FILES, "/health", "/metrics"):
        raise HyperlambdaError(f"sockets cannot be at '{path}', which is taken")


class Gate:
    """
    Answers requests, or lets them become WebSockets.

    Args:
        secret: Verifies tokens.
        socket_paths: Where WebSockets may be opened.
        negotiators: Of those of these paths whose clients ask first, at the path with
            ``/negotiate`` behind it.
        origins: Origins of pages that may connect, besides our own: "https://a.example";
            "*" allows all.
        is_local: Whether the server is for this machine only: then pages from any
            port of it may connect.
        leeway: By how many seconds clocks may differ.
        is_full: Whether no further client can be served.
        claim: Takes a negotiated connection id, which other processes may have taken;
            None if there are none.
        health: What ``/health`` tells.
        metrics: What ``/metrics`` tells.
        addresses: How many sockets each address has, and how many requests it makes.
        proxies: Those that say whose requests they pass on; None: nobody is asked.
        refusals: Where those are counted who do not come in.
        require_auth: Whether nobody may connect anonymously.
        reject_invalid_token: Whether who shows a bad token is refused; else it counts
            as none.
    """

    def __init__(
        self,
        secret: str,
        *,
        socket_paths: Collection[str],
        negotiators: Mapping[str, Negotiator] | None = None,
        origins: Collection[str] = (),
        is_local: bool = True,
        leeway: float = 30,
        is_full: Callable[[], bool] = lambda: False,
        claim: Callable[[str], Awaitable[bool]] | None = None,
        health: Callable[[], Mapping[str, object]] = dict,
        metrics: Callable[[], bytes] = bytes,
        addresses: Addresses | None = None,
        proxies: Proxies | None = None,
        refusals: Refusals | None = None,
        require_auth: bool = False,
        reject_invalid_token: bool = True,
    ) -> None:
        self._secret = secret
        self._socket_paths = frozenset(socket_paths)
        self._negotiators = dict(negotiators or {})
        self._negotiations = {
            f"{path}/negotiate": each for path, each in self._negotiators.items()
        }
        self._origins = frozenset(map(_as_sent, origins))
        self._is_local = is_local
        self._leeway = leeway
        self._is_full = is_full
        self._claim = claim
        self._health = health
        self._metrics = metrics
        self._addresses = Addresses(None) if addresses is None else addresses
        self._proxies = proxies
        self._refusals = Refusals() if refusals is None else refusals
        self._requires_auth = require_auth
        self._rejects_invalid = reject_invalid_token
        self._files = {
            path: ((_PAGES / name).read_bytes(), kind)
            for path, (name, kind) in _FILES.items()
        }

    def __call__(self, link: Link, request: Request) -> _Answer | Awaitable[_Answer]:
        """Return the answer to a request, or None to open the WebSocket."""
        try:
            url = urlsplit(request.path)
        except ValueError:
            return respond_text(HTTPStatus.BAD_REQUEST, "this is no path")
        is_socket = url.path in self._socket_paths
        is_negotiation = url.path in self._negotiations
        is_file = url.path in self._files
        if is_socket or is_negotiation or is_file:
            if self._proxies is not None:
                self._find_client(link, request.headers, self._proxies)
            refusal = self._refuse_address(link, is_file)
            if refusal is not None:
                return refusal
        if is_socket:
            return self._admit(link, request, url)
        if is_negotiation:
            return self._negotiate(request, url)
        if is_file:
            body, kind = self._files[url.path]
            return show(
                request, body, kind, [("Content-Security-Policy", _PAGE_POLICY)]
            )
        if url.path == "/health":
            body = json.dumps({"status": "ok", **self._health()}).encode()
            return show(request, body, "application/json")
        if url.path == "/metrics":
            return show(request, self._metrics(), CONTENT_TYPE)
        if not self._socket_paths:
            return respond_text(HTTPStatus.NOT_FOUND, _NO_SOCKETS)
        return respond_text(HTTPStatus.NOT_FOUND, "there is nothing here")

    def _find_client(self, link: Link, headers: Headers, proxies: Proxies) -> None:
        """Count a socket as that of the client whom a proxy serves with it."""
        if link.protocol.state is not State.CONNECTING:
            return  # it has ended while its request waited, and counts no longer
        address = proxies.client(link.address, headers)
        if address != link.address:
            self._addresses.discard(link.address)
            self._addresses.add(address)
            link.address = address

    def _refuse_address(self, link: Link, is_file: bool) -> Response | None:
        """Refuse an address that has, or asks for, too much; its own page it may see."""
        if self._addresses.is_too_fast(link.address, link.loop.time()):
            self._refusals.rate += 1
            return respond_text(
                HTTPStatus.TOO_MANY_REQUESTS,
                "this address makes too many requests",
                [("Retry-After", "1")],
            )
        if not is_file and self._addresses.is_over(link.address):
            self._refusals.address += 1
            return respond_text(
                HTTPStatus.TOO_MANY_REQUESTS, "this address has too many connections"
            )
        return None

    def _admit(
        self, link: Link, request: Request, url: SplitResult
    ) -> _Answer | Awaitable[_Answer]:
        if request.method != "GET":
            return self._refuse_request(request.method, url)
        if self._is_full():
            self._refusals.full += 1
            return respond_text(HTTPStatus.SERVICE_UNAVAILABLE, "the server is full")
        own_page = self._is_own_page(request.headers)
        if own_page is None:
            self._refusals.origin += 1
            return respond_text(HTTPStatus.FORBIDDEN, "this origin is not allowed")
        try:
            link.identity = self._identify(request.headers, url.query, own_page)
        except AuthError as error:
            self._refusals.token += 1
            return refuse_token(error)
        link.path = url.path
        negotiator = self._negotiators.get(url.path)
        if negotiator is None:
            return None
        answer = self._attach(link, request, url, negotiator)
        if answer is not None or link.connection_id is None or self._claim is None:
            return answer
        return self._claimed(self._claim(link.connection_id))

    def _attach(
        self, link: Link, request: Request, url: SplitResult, negotiator: Negotiator
    ) -> Response | None:
        """Find the connection that was negotiated; without an id it is a new one."""
        token = connection_token(url.query)
        link.resumes = "&resume=" in f"&{url.query}"
        if "websocket" not in ",".join(request.headers.get_all("Upgrade")).lower():
            # Server-sent events and long polling, which are not offered.
            status = HTTPStatus.BAD_REQUEST if token is None else HTTPStatus.NOT_FOUND
            return respond_text(status, "connect with a WebSocket")
        if token is None:
            return None
        try:
            link.connection_id = negotiator.claim(token)
        except Refusal as refusal:
            self._refusals.negotiation += 1
            return respond_text(refusal.status, str(refusal))
        return None

    def _refuse_request(self, method: str, url: SplitResult) -> Response:
        """Refuse what belongs to transports that are not offered (spec 05 §7.3)."""
        negotiator = self._negotiators.get(url.path)
        if negotiator is not None and method in ("POST", "DELETE"):
            token = connection_token(url.query)
            if token is None:
                return respond_text(HTTPStatus.BAD_REQUEST, "connect with a WebSocket")
            if not negotiator.is_open(token):
                return respond_text(HTTPStatus.NOT_FOUND, "No Connection with that ID")
        return refuse_method("GET")

    async def _claimed(self, claim: Awaitable[bool]) -> Response | None:
        """Let a negotiated connection be opened once, by whatever process."""
        if await claim:
            return None
        self._refusals.negotiation += 1
        return respond_text(HTTPStatus.NOT_FOUND, "No Connection with that ID")

    def _negotiate(self, request: Request, url: SplitResult) -> Response:
        """Answer what SignalR clients ask before they connect (spec 05 §7)."""
        own_page = self._is_own_page(request.headers)
        if own_page is None:
            self._refusals.origin += 1
            return respond_text(HTTPStatus.FORBIDDEN, "this origin is not allowed")
        cors = cors_headers(request.headers.get("Origin"))
        if request.method == "OPTIONS":
            preflight = preflight_headers(request.headers)
            return respond_text(HTTPStatus.OK, "POST", cors + preflight)
        if request.method != "POST":
            return refuse_method("POST, OPTIONS", cors)
        if self._is_full():
            self._refusals.full += 1
            return respond_text(
                HTTPStatus.SERVICE_UNAVAILABLE, "the server is full", cors
            )
        try:
            self._identify(request.headers, url.query, own_page)
        except AuthError as error:
            self._refusals.token += 1
            return refuse_token(error, cors)
        body = self._negotiations[url.path].answer(url.query)
        return respond(HTTPStatus.OK, body, "application/json", cors)

    def _is_own_page(self, headers: Headers) -> bool | None:
        """Return whether cookies can be trusted; None if the origin is not allowed."""
        origins = headers.get_all("Origin")
        if not origins:
            # Only browsers send it, and with it every cookie.
            return False
        if len(origins) > 1:
            return None
        origin = origins[0]
        if origin in self._origins or _is_same(origin, headers.get_all("Host")):
            return True
        if "*" in self._origins or (self._is_local and _is_local_page(origin)):
            return False
        return None

    def _identify(self, headers: Headers, query: str, trusts_cookie: bool) -> Identity:
        identity = self._identity(headers, query, trusts_cookie)
        if self._requires_auth and identity.username is None:
            raise AuthError("this server asks for a token")
        return identity

    def _identity(self, headers: Headers, query: str, trusts_cookie: bool) -> Identity:
        try:
            token = _find_token(headers, query)
            if token is not None:
                return verify_token(token, self._secret, leeway=self._leeway)
        except AuthError:
            if self._rejects_invalid:
                raise
            return ANONYMOUS
        cookie = _find_cookie(headers) if trusts_cookie else None
        if cookie is None:
            return ANONYMOUS
        try:
            return verify_token(cookie, self._secret, leeway=self._leeway)
        except AuthError:
            # Nobody chose to send it: a stale cookie is as good as none (spec 05 §5.4).
            return ANONYMOUS


def _find_token(headers: Headers, query: str) -> str | None:
    """Return the token of the header, else of the query; None if there is neither."""
    schemes = [value.partition(" ") for value in headers.get_all("Authorization")]
    found = [rest for scheme, _, rest in schemes if scheme.lower() == "bearer"]
    if not found:
        try:
            fields = parse_qs(query, keep_blank_values=True, max_num_fields=100)
        except ValueError:
            raise AuthError("the query has too many fields") from None
        found = fields.get("access_token", [])
    if len(found) > 1:
        raise AuthError("there is more than one token")
    return found[0].strip() if found else None


def _find_cookie(headers: Headers) -> str | None:
    try:
        cookie = SimpleCookie("; ".join(headers.get_all("Cookie")))
    except CookieError:
        return None
    return cookie["ticket"].value if "ticket" in cookie else None


def _as_sent(origin: str) -> str:
    """Return a listed origin as browsers write it (RFC 6454 §6.2), not as people do."""
    text = origin.strip().rstrip("/").lower()
    port = {"http": ":80", "https": ":443"}.get(text.partition("://")[0])
    return text.removesuffix(port) if port else text


def _is_same(origin: str, hosts: list[str]) -> bool:
    """Return whether a page comes from the host that it talks to (RFC 6454 §4)."""
    page = _split(origin)
    if page is None or len(hosts) != 1:
        return False
    host = _split(f"{page.scheme}://{hosts[0]}")
    return host is not None and (page.hostname, _port(page)) == (
        host.hostname,
        _port(host),
    )


def _is_local_page(origin: str) -> bool:
    page = _split(origin)
    return page is not None and is_loopback(page.hostname or "")


def _split(origin: str) -> SplitResult | None:
    try:
        url = urlsplit(origin)
        _ = url.port  # raises, as urlsplit itself does, for what is none
    except ValueError:
        return None
    return url if url.scheme in ("http", "https") and url.hostname else None


def _port(url: SplitResult) -> int:
    # A proxy in front may end TLS: the page's own scheme tells the port.
    return url.port or (443 if url.scheme == "https" else 80)
