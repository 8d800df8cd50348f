"""Tokens: what proves an identity, and everything that does not."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest

from hyperlambda import errors
from hyperlambda.server.auth import (
    AuthError,
    Identity,
    issue_token,
    signing_key,
    verify_token,
)

SECRET = "an-example-secret-that-is-longer-than-fifty-and-than-sixty-four-characters!!"
NOW = 1_700_000_000


def signed(
    claims: dict[str, Any], secret: str = SECRET, algorithm: str = "HS256"
) -> str:
    return jwt.encode(claims, signing_key(secret), algorithm=algorithm)


def claims(**changes: Any) -> dict[str, Any]:
    whole = {"unique_name": "ada", "exp": NOW + 60, **changes}
    return {name: value for name, value in whole.items() if value is not ...}


def unsigned(header: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(part).encode() for part in (header, claims())]
    return ".".join(
        base64.urlsafe_b64encode(part).rstrip(b"=").decode()
        for part in (*parts, signature)
    )


def test_what_is_issued_is_verified() -> None:
    token = issue_token(SECRET, "ada", ["root", "editor"], ["g1"], 60, now=NOW)
    assert verify_token(token, SECRET, now=NOW) == Identity(
        "ada", frozenset({"root", "editor"}), frozenset({"g1"}), NOW + 60
    )


def test_the_token_of_the_specification_is_valid() -> None:
    token = (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1bmlxdWVfbmFtZSI6ImFkYSIsInJvbGUiOlsicm9v"
        "dCIsImVkaXRvciJdLCJuYmYiOjE3MDAwMDAwMDAsImV4cCI6NDEwMjQ0NDgwMCwiaWF0IjoxNzAwMDAwM"
        "DAwfQ.zpSh7v6QuhLLpeACGDAnk9-CBCVeJyqBJDygpUeydF8"
    )
    secret = "an-example-secret-that-is-longer-than-fifty-characters!!"
    identity = verify_token(token, secret)
    assert identity.username == "ada"
    assert identity.roles == {"root", "editor"}


def test_a_token_lives_no_shorter_than_it_should() -> None:
    token = issue_token(SECRET, "ada", lifetime_seconds=1, now=NOW + 0.9)
    assert verify_token(token, SECRET, now=NOW + 1.89, leeway=0).username == "ada"
    assert verify_token(token, SECRET, now=NOW, leeway=0).username == "ada"


@pytest.mark.parametrize(
    ("roles", "written"),
    [((), None), (("root",), "root"), (("root", "admin"), ["root", "admin"])],
)
def test_roles_are_written_as_the_reference_does(
    roles: tuple[str, ...], written: Any
) -> None:
    token = issue_token(SECRET, "ada", roles, lifetime_seconds=60, now=NOW)
    found = jwt.decode(token, options={"verify_signature": False})
    assert found.pop("role", None) == written
    assert found == {"unique_name": "ada", "nbf": NOW, "iat": NOW, "exp": NOW + 60}


NAMESPACE = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
ROLE_NAMESPACE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"


@pytest.mark.parametrize(
    ("changes", "username", "roles", "groups"),
    [
        ({}, "ada", set(), set()),
        ({"unique_name": ..., "name": "bo"}, "bo", set(), set()),
        ({"unique_name": ..., "sub": "cy"}, "cy", set(), set()),
        ({"unique_name": ..., NAMESPACE: "di"}, "di", set(), set()),
        ({"name": "bo", "sub": "cy"}, "ada", set(), set()),
        ({"role": "root"}, "ada", {"root"}, set()),
        ({"roles": ["a", "b"]}, "ada", {"a", "b"}, set()),
        ({"role": "a", "roles": ["b"]}, "ada", {"a", "b"}, set()),
        ({ROLE_NAMESPACE: ["a"]}, "ada", {"a"}, set()),
        ({"role": "a, b"}, "ada", {"a, b"}, set()),
        ({"role": ["", "a"]}, "ada", {"a"}, set()),
        ({"groups": ["g"]}, "ada", set(), {"g"}),
        ({"iss": "x", "aud": "y", "jti": 1, "iat": NOW + 999}, "ada", set(), set()),
    ],
)
def test_claims_of_other_issuers_are_understood(
    changes: dict[str, Any], username: str, roles: set[str], groups: set[str]
) -> None:
    identity = verify_token(signed(claims(**changes)), SECRET, now=NOW)
    assert identity == Identity(username, frozenset(roles), frozenset(groups), NOW + 60)


REFUSED: dict[str, tuple[str, str]] = {
    "empty": ("", "the token is malformed"),
    "no token": ("hello", "the token is malformed"),
    "wrong key": (signed(claims(), SECRET + "x"), "signed with another secret"),
    "none": (unsigned({"alg": "none"}), "not signed with HS256"),
    "None": (unsigned({"alg": "NONE"}), "not signed with HS256"),
    "says RS256": (unsigned({"alg": "RS256"}, b"x" * 32), "not signed with HS256"),
    "HS512": (signed(claims(), algorithm="HS512"), "not signed with HS256"),
    "no algorithm": (unsigned({"typ": "JWT"}), "the token"),
    "no signature": (signed(claims()).rpartition(".")[0] + ".", "another secret"),
    "no end": (signed(claims(exp=...)), "the token has no end"),
    "null end": (signed(claims(exp=None)), "the token has no end"),
    "end in words": (signed(claims(exp="soon")), "the claim 'exp'"),
    "end is true": (signed(claims(exp=True)), "the claim 'exp'"),
    "infinite end": (signed(claims(exp=float("inf"))), "the claim 'exp'"),
    "endless end": (signed(claims(exp=10**400)), "the claim 'exp'"),
    "expired": (signed(claims(exp=NOW - 30)), "the token has expired"),
    "not yet": (signed(claims(nbf=NOW + 31)), "the token is not valid yet"),
    "nbf in words": (signed(claims(nbf="now")), "the claim 'nbf'"),
    "nobody": (signed(claims(unique_name=...)), "the token names no user"),
    "empty name": (signed(claims(unique_name="")), "the claim 'unique_name'"),
    "name is a number": (signed(claims(unique_name=5)), "the claim 'unique_name'"),
    "role is a number": (signed(claims(role=5)), "the claim 'role'"),
    "role in roles is one": (signed(claims(roles=["a", 5])), "the claim 'roles'"),
    "groups is an object": (signed(claims(groups={})), "the claim 'groups'"),
    "deep": (
        base64.urlsafe_b64encode(b'{"a":' + b"[" * 5_000).decode() + ".e30.e30",
        "the token is malformed",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_token_proves_nothing(case: str) -> None:
    token, reason = REFUSED[case]
    with pytest.raises(AuthError, match=reason) as caught:
        verify_token(token, SECRET, now=NOW)
    assert caught.value.status == 401
    assert caught.value.public


def test_a_public_key_cannot_be_used_as_a_secret() -> None:
    pem = "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n"
    with pytest.raises(errors.HyperlambdaError, match="PEM"):
        signing_key(pem)


@pytest.mark.parametrize("secret", ["", "  "])
def test_an_empty_secret_is_refused(secret: str) -> None:
    with pytest.raises(errors.HyperlambdaError, match="the secret is empty"):
        issue_token(secret, "ada")


def test_a_token_needs_a_username() -> None:
    with pytest.raises(errors.HyperlambdaError, match="a token needs a username"):
        issue_token(SECRET, "")


@pytest.mark.parametrize(
    ("changes", "leeway"),
    [
        ({"exp": NOW - 29}, 30),
        ({"nbf": NOW + 30}, 30),
        ({"exp": NOW + 1}, 0),
        ({"exp": NOW + 0.5}, 0),
    ],
)
def test_clocks_may_differ_by_the_leeway(
    changes: dict[str, Any], leeway: float
) -> None:
    token = signed(claims(**changes))
    assert verify_token(token, SECRET, now=NOW, leeway=leeway).username == "ada"


def test_without_leeway_a_token_is_over_at_its_end() -> None:
    with pytest.raises(AuthError, match="expired"):
        verify_token(signed(claims(exp=NOW)), SECRET, now=NOW, leeway=0)


@pytest.mark.filterwarnings("error")
def test_a_short_secret_is_lengthened_as_in_the_reference() -> None:
    token = issue_token("short", "ada", lifetime_seconds=60, now=NOW)
    key = b"shortabcdefghijklmnopqrstuvwxyz1234567890"
    assert signing_key("short") == key
    assert jwt.decode(token, key, algorithms=["HS256"], options={"verify_exp": False})
    assert verify_token(token, "short", now=NOW).username == "ada"
    assert signing_key("x" * 50) == b"x" * 50
