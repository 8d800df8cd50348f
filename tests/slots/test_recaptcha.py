"""The slot validators.recaptcha, against a service of our own (spec 03 §6)."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from hyperlambda import Evaluator, HyperlambdaError, Limits, Node, parse

PROGRAM = """
validators.recaptcha:the token & more
   site-key:ignored
   secret:a/secret+=
   min:decimal:0.3
"""


@contextmanager
def service(body: bytes, status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """Answer every request alike; yield the address and the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/verify", asked
        finally:
            server.shutdown()
            thread.join()


def validate(url: str, **limits: Any) -> Node:
    root = parse(PROGRAM)
    evaluator = Evaluator(
        config={"Magic:Recaptcha:URL": url}, limits=Limits(**limits) if limits else None
    )
    try:
        evaluator.evaluate(root)
    finally:
        node = root.children[0]
        assert node.value is None
        assert not node.children
    return node


def answer(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize("score", [0.3, 0.9, 1])
def test_score_that_is_large_enough_passes(score: float) -> None:
    with service(answer(success=True, score=score)) as (url, asked):
        validate(url)
    [path] = asked
    query = parse_qs(urlsplit(path).query)
    assert query == {"secret": ["a/secret+="], "response": ["the token & more"]}


def test_score_that_is_too_small_is_rejected() -> None:
    with (
        service(answer(success=True, score=0.29)) as (url, _),
        pytest.raises(HyperlambdaError, match=r"0\.29") as caught,
    ):
        validate(url)
    error = caught.value
    assert (error.public, error.status, error.field) == (True, 400, "recaptcha")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            answer(success=False, **{"error-codes": ["timeout-or-duplicate"]}),
            "timeout-or",
        ),
        (answer(success=False, score=0.9), "refused"),
        (answer(success=True), "refused"),
        (answer(success=True, score="0.9"), "refused"),
        (b'{"success": true, "score": NaN}', "refused"),
        (b'{"success": 1, "score": 0.9}', "refused"),
    ],
)
def test_token_that_is_refused_is_a_public_error(body: bytes, words: str) -> None:
    with (
        service(body) as (url, _),
        pytest.raises(HyperlambdaError, match=words) as caught,
    ):
        validate(url)
    error = caught.value
    assert (error.public, error.status, error.field) == (True, 500, "recaptcha")


@pytest.mark.parametrize(
    ("body", "status"), [(b"{}", 503), (b"no json", 200), (b"[]", 200), (b"\xff", 200)]
)
def test_service_that_fails_is_an_error_that_hides_the_secret(
    body: bytes, status: int
) -> None:
    with (
        service(body, status) as (url, _),
        pytest.raises(HyperlambdaError, match="service") as caught,
    ):
        validate(url)
    error = caught.value
    assert not error.public
    assert "secret" not in str(error)
    assert error.__cause__ is None


def test_service_that_is_not_there_is_an_error() -> None:
    with service(b"") as (url, _):
        pass
    with pytest.raises(HyperlambdaError, match="could not be asked"):
        validate(url)


def test_service_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(HyperlambdaError, match="could not be asked"):
            validate(f"http://127.0.0.1:{port}/", timeout=0.5)
