"""
What SignalR clients ask before they open a WebSocket (spec 05 §7).

A connection token holds all that is to be known about the connection that it is for, and is
signed: nothing is kept between the answer and the connection, so that any process with the
same secret can take the connection up. A token opens one WebSocket, within a minute.

    base64url( connection id, 16 bytes | Unix time of its end, 8 | version, 1 | HMAC, 32 )
"""

from __future__ import annotations

import hmac
import json
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from http import HTTPStatus
from struct import error as StructError
from struct import pack, unpack
from urllib.parse import parse_qs

from websockets.datastructures import Headers

from .auth import signing_key

__all__ = [
    "Negotiator",
    "Refusal",
    "connection_token",
    "cors_headers",
    "new_id",
    "preflight_headers",
]

LIFETIME = 60
"""Seconds within which a token must be used."""

_NEWEST_VERSION = 1
_PURPOSE = b"hyperlambda: tokens of SignalR connections"
_TRANSPORTS = [{"transport": "WebSockets", "transferFormats": ["Text"]}]

# What SignalR's clients send, and a page of another origin must ask leave for.
_ALLOWED_HEADERS = frozenset(
    ("authorization", "content-type", "x-requested-with", "x-signalr-user-agent")
)


def new_id() -> str:
    """Return a connection id: 16 random bytes, as 22 characters that URLs can hold."""
    return secrets.token_urlsafe(16)


def connection_token(query: str) -> str | None:
    """Return the connection token of a transport's query; None if there is none."""
    return _first(query, "id")


class Refusal(Exception):
    """A connection token opens nothing; ``status`` is the answer."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Negotiator:
    """
    Makes connection tokens, and takes each of them once.

    Args:
        secret: The server's.
        is_connected: Returns whether a connection id is in use.
        clock: Returns Unix time in seconds.
    """

    def __init__(
        self,
        secret: str,
        *,
        is_connected: Callable[[str], bool] = lambda id: False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._key = hmac.digest(signing_key(secret), _PURPOSE, sha256)
        self._is_connected = is_connected
        self._clock = clock
        # Connection ids by the end of their tokens: in this order, since all last as long.
        self._used: dict[str, int] = {}

    def answer(self, query: str) -> bytes:
        """Return the JSON that answers a request; what is wrong with one is in it too."""
        asked = _first(query, "negotiateVersion") or "0"
        try:
            version = max(0, min(int(asked), _NEWEST_VERSION))
        except ValueError:
            return json.dumps(
                {"error": "'negotiateVersion' must be an integer"}
            ).encode()
        id, token = self._issue(version)
        fields: dict[str, object] = {"negotiateVersion": version, "connectionId": id}
        if version:
            fields["connectionToken"] = token
        fields["availableTransports"] = _TRANSPORTS
        return json.dumps(fields, separators=(",", ":")).encode()

    def claim(self, token: str) -> str:
        """
        Return the id of the connection that a token is for.

        Raises:
            Refusal: There is no such connection, or it is open already.
        """
        found = self._verify(token)
        if found is None or self._clock() > found[1]:
            raise _unknown()
        id, end = found
        if id in self._used:
            if self._is_connected(id):
                raise Refusal(HTTPStatus.CONFLICT, "this connection is open already")
            raise _unknown()
        self._forget_old()
        self._used[id] = end
        return id

    def is_open(self, token: str) -> bool:
        """Return whether the connection that a token is for is there."""
        found = self._verify(token)
        return found is not None and self._is_connected(found[0])

    def _issue(self, version: int) -> tuple[str, str]:
        """Return connection id and token, which are the same for version 0."""
        raw = secrets.token_bytes(16)
        body = raw + pack("!QB", int(self._clock()) + LIFETIME, version)
        token = _text(body + hmac.digest(self._key, body, sha256))
        return (_text(raw) if version else token), token

    def _verify(self, token: str) -> tuple[str, int] | None:
        """Return connection id and end of a token, None if it is none."""
        try:
            data = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
            body, mark = data[:-32], data[-32:]
            raw, end, version = unpack("!16sQB", body)
        except (ValueError, StructError):
            return None
        if not hmac.compare_digest(mark, hmac.digest(self._key, body, sha256)):
            return None
        # Spelled anew: base64 lets one thing be written in several ways.
        return (_text(raw) if version else _text(data)), end

    def _forget_old(self) -> None:
        now = self._clock()
        for id, end in list(self._used.items()):
            if end >= now:
                break
            del self._used[id]


def cors_headers(origin: str | None) -> list[tuple[str, str]]:
    """Return what lets a page of an allowed origin read the answer, with credentials."""
    if origin is None:
        return [("Vary", "Origin")]
    return [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Vary", "Origin"),
    ]


def preflight_headers(headers: Headers) -> list[tuple[str, str]]:
    """Return what a browser wants to know before it sends the request itself."""
    asked = ",".join(headers.get_all("Access-Control-Request-Headers")).split(",")
    names = [name.strip().lower() for name in asked]
    allowed = [name for name in names if name in _ALLOWED_HEADERS]
    return [
        ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
        *([("Access-Control-Allow-Headers", ", ".join(allowed))] if allowed else []),
        ("Access-Control-Max-Age", "600"),
    ]


def _unknown() -> Refusal:
    return Refusal(HTTPStatus.NOT_FOUND, "No Connection with that ID")


def _first(query: str, name: str) -> str | None:
    try:
        found = parse_qs(query, keep_blank_values=True, max_num_fields=100).get(name)
    except ValueError:  # too many fields
        return None
    return found[0] if found else None


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
