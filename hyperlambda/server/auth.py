"""
Who somebody is: JSON Web Tokens in, identities out (spec 05 §5).

The algorithm is HS256, always: what the token says about it is never asked. A token
without an end (`exp`) is no token.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jwt

from ..errors import HyperlambdaError

__all__ = [
    "ANONYMOUS",
    "SHORT_SECRET",
    "AuthError",
    "Identity",
    "issue_token",
    "signing_key",
    "verify_token",
]

ALGORITHM = "HS256"

SHORT_SECRET = 50
"""Secrets with fewer characters are lengthened."""

_FILLING = "abcdefghijklmnopqrstuvwxyz1234567890"

# What other issuers write is understood too; the first that is present counts.
_NAME_CLAIMS = (
    "unique_name",
    "name",
    "sub",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
)
_ROLE_CLAIMS = (
    "role",
    "roles",
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
)

# Times are checked here, so that the clock and the leeway are the caller's.
_OPTIONS: Any = {
    f"verify_{claim}": False
    for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")
}


class AuthError(HyperlambdaError):
    """A token proves nothing; ``message`` may be shown to whoever sent it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, public=True, status=401)


@dataclass(frozen=True, slots=True)
class Identity:
    """
    What a token says about its bearer.

    Attributes:
        username: None for anonymous connections only.
        roles: A snapshot: later changes need a new token.
        groups: Groups that the bearer is in from the start.
        expires_at: Unix time in seconds; None for anonymous connections only.
    """

    username: str | None = None
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    expires_at: float | None = None


ANONYMOUS = Identity()


def signing_key(secret: str) -> bytes:
    """
    Return the bytes that sign and verify.

    A short secret is lengthened as the reference does it, so that tokens of older
    systems stay valid (spec 05 §5.3 and §22 row 26).

    Raises:
        HyperlambdaError: The secret is empty, or a key of another algorithm.
    """
    if not secret.strip():
        raise HyperlambdaError("the secret is empty")
    if "-----BEGIN" in secret:
        raise HyperlambdaError("the secret is a key in PEM form, not a plain text")
    try:
        return (secret if len(secret) >= SHORT_SECRET else secret + _FILLING).encode()
    except UnicodeEncodeError:
        raise HyperlambdaError("the secret is no Unicode text") from None


def issue_token(
    secret: str,
    username: str,
    roles: Iterable[str] = (),
    groups: Iterable[str] = (),
    lifetime_seconds: float = 12 * 3600,
    *,
    now: float | None = None,
) -> str:
    """
    Return a signed token.

    Args:
        now: Unix time in seconds at which the lifetime starts; the clock's by default.

    Raises:
        HyperlambdaError: The secret or the username is empty.
    """
    if not username:
        raise HyperlambdaError("a token needs a username")
    start = time.time() if now is None else now
    claims: dict[str, Any] = {
        "unique_name": username,
        "nbf": int(start),
        "iat": int(start),
        "exp": math.ceil(start + lifetime_seconds),
    }
    role_names, group_names = list(roles), list(groups)
    if role_names:
        claims["role"] = role_names[0] if len(role_names) == 1 else role_names
    if group_names:
        claims["groups"] = group_names
    return jwt.encode(claims, signing_key(secret), algorithm=ALGORITHM)


def verify_token(
    token: str, secret: str, *, now: float | None = None, leeway: float = 30
) -> Identity:
    """
    Return whose token this is.

    Args:
        now: Unix time in seconds; the clock's by default.
        leeway: By how many seconds the clocks of issuer and server may differ.

    Raises:
        AuthError: The token is malformed, not signed with this secret, has no end, has
            expired, is not valid yet, or names nobody.
    """
    key = signing_key(secret)
    try:
        claims = jwt.decode(token, key, algorithms=[ALGORITHM], options=_OPTIONS)
    except Exception as error:
        # Whatever the library meets in bytes from a stranger, the answer is the same.
        raise AuthError(_reason(error)) from error
    expires_at = _check_times(claims, time.time() if now is None else now, leeway)
    return Identity(
        username=_username(claims),
        roles=frozenset(
            name for claim in _ROLE_CLAIMS for name in _names(claims, claim)
        ),
        groups=frozenset(_names(claims, "groups")),
        expires_at=expires_at,
    )


def _reason(error: Exception) -> str:
    if isinstance(error, jwt.InvalidSignatureError):
        return "the token is signed with another secret"
    if isinstance(error, jwt.InvalidAlgorithmError):
        return f"the token is not signed with {ALGORITHM}"
    return "the token is malformed"


def _check_times(claims: dict[str, Any], now: float, leeway: float) -> float:
    if claims.get("exp") is None:
        raise AuthError("the token has no end ('exp')")
    expires_at = _seconds(claims, "exp")
    if now >= expires_at + leeway:
        raise AuthError("the token has expired")
    if claims.get("nbf") is not None and now < _seconds(claims, "nbf") - leeway:
        raise AuthError("the token is not valid yet")
    return expires_at


def _seconds(claims: dict[str, Any], claim: str) -> float:
    value = claims[claim]
    if type(value) is int or type(value) is float:
        try:
            seconds = float(value)
        except OverflowError:
            seconds = math.inf
        if math.isfinite(seconds):
            return seconds
    raise _unexpected(claim)


def _username(claims: dict[str, Any]) -> str:
    for claim in _NAME_CLAIMS:
        value = claims.get(claim)
        if value is None:
            continue
        if type(value) is not str or not value:
            raise _unexpected(claim)
        return value
    raise AuthError("the token names no user")


def _names(claims: dict[str, Any], claim: str) -> list[str]:
    value = claims.get(claim)
    if value is None:
        return []
    if type(value) is str:
        value = [value]
    if type(value) is list and all(type(name) is str for name in value):
        # An empty name is nobody's: an empty audience must not find it (spec 05 §2.1).
        return [name for name in value if name]
    raise _unexpected(claim)


def _unexpected(claim: str) -> AuthError:
    return AuthError(f"the claim '{claim}' of the token has an unexpected form")
