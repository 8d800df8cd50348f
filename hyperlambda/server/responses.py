"""The answers to requests that do not become WebSockets."""

from __future__ import annotations

from http import HTTPStatus
from typing import TypeAlias

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from .auth import AuthError

__all__ = ["refuse_method", "refuse_token", "respond", "respond_text", "show"]

_Headers: TypeAlias = list[tuple[str, str]]


def show(
    request: Request, body: bytes, kind: str, extra: _Headers | None = None
) -> Response:
    """Return what there is to see, to those who only look."""
    if request.method not in ("GET", "HEAD"):
        return refuse_method("GET, HEAD")
    response = respond(HTTPStatus.OK, body, kind, extra or [])
    if request.method == "HEAD":
        response.body = b""
    return response


def refuse_method(methods: str, extra: _Headers | None = None) -> Response:
    """Say which methods there are."""
    return respond_text(
        HTTPStatus.METHOD_NOT_ALLOWED,
        f"use {methods}",
        [("Allow", methods), *(extra or [])],
    )


def refuse_token(error: AuthError, extra: _Headers | None = None) -> Response:
    """Say what is wrong with a token (RFC 6750 §3)."""
    return respond_text(
        HTTPStatus.UNAUTHORIZED,
        error.message,
        [("WWW-Authenticate", 'Bearer error="invalid_token"'), *(extra or [])],
    )


def respond_text(
    status: HTTPStatus, text: str, extra: _Headers | None = None
) -> Response:
    """Return a sentence."""
    return respond(
        status, f"{text}\n".encode(), "text/plain; charset=utf-8", extra or []
    )


def respond(status: HTTPStatus, body: bytes, kind: str, extra: _Headers) -> Response:
    """Return a body, and the headers that everything has here."""
    headers = Headers(
        [
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Connection", "close"),
            *extra,
        ]
    )
    return Response(status.value, status.phrase, headers, body)
