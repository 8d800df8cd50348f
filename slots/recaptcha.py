"""Asking Google whether a client is a person (spec 03 §6, §15 Q26)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hyperlambda import ArgumentError, Evaluator, HyperlambdaError, Node, slot
from hyperlambda.errors import ConversionError
from hyperlambda.expressions import resolve, resolve_text

from .settings import setting
from .texts import shortened

_URL_KEY = "magic:recaptcha:url"
_URL = "https://www.google.com/recaptcha/api/siteverify"
_TIMEOUT = 10.0
_LONGEST_ANSWER = 1 << 16
_FIELD = "recaptcha"


@slot("validators.recaptcha")
def recaptcha(evaluator: Evaluator, node: Node) -> None:
    """
    Reject a client that is probably no person.

    The service is asked over the network, for up to 10 seconds. Its address is the
    setting `magic:recaptcha:url`, by default that of Google.

    Reads:
        value: str, the token that the client got, or an expression that leads to it.
        secret: str, the secret key of the site.
        min: decimal, the least score that passes, from 0 to 1.
        site-key: nothing of it; the service does not ask for it.
    Leaves:
        value: null, also when it is rejected. Children are removed.
    Raises:
        ArgumentError: The score is too small; public, with status 400 and the field
            `recaptcha`. Or the token, [secret] or [min] is missing.
        ConversionError: [min] is no decimal.
        HyperlambdaError: The service refused the token, or could not be asked.
    Source:
        Spec 03 §6, §15 Q26.

    Example::

        try
           validators.recaptcha:token-from-client
              secret:secret-of-the-site
        .catch
           get-value:x:@.arguments/*/message
        // becomes
        try
           validators.recaptcha:token-from-client
              secret:secret-of-the-site
        .catch
           .arguments
              message:"'validators.recaptcha' needs a [min]"
              type:magic.node.extensions.HyperlambdaException
              status:int:500
              public:bool:false
              field:
           get-value:"'validators.recaptcha' needs a [min]"
    """
    secret = resolve_text(_parameter(node, "secret"))
    least = resolve(_parameter(node, "min"))
    token = resolve_text(node)
    if not secret or not token:
        raise ArgumentError(f"'{node.name}' needs a token and a [secret]")
    if least is None:
        raise ArgumentError(f"[min] of '{node.name}' has no value")
    if type(least) is not Decimal:
        raise ConversionError(f"[min] of '{node.name}' must be a decimal")
    node.value = None
    node.clear()
    answer = _ask(evaluator, secret, token)
    score = answer.get("score")
    if answer.get("success") is not True or not isinstance(score, int | Decimal):
        raise _failure(f"the token was refused{_reason(answer)}", public=True)
    if score < least:
        raise ArgumentError(
            f"the score of {score} is less than the {least} that is needed",
            public=True,
            status=400,
            field=_FIELD,
        )


def _parameter(node: Node, name: str) -> Node:
    child = node.child(name)
    if child is None:
        raise ArgumentError(f"'{node.name}' needs a [{name}]")
    return child


def _ask(evaluator: Evaluator, secret: str, token: str) -> dict[str, Any]:
    """Return what the service says about a token."""
    # A network client is more than most programs want to load.
    import json
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.parse import urlencode
    from urllib.request import urlopen

    left = evaluator.time_left()
    timeout = _TIMEOUT if left is None else min(_TIMEOUT, left)
    query = urlencode({"secret": secret, "response": token}, errors="replace")
    try:
        with urlopen(f"{_url(evaluator)}?{query}", timeout=timeout) as response:
            status, body = response.status, response.read(_LONGEST_ANSWER)
            answer = json.loads(body, parse_float=Decimal)
    except HTTPError as error:
        error.close()
        raise _failure(f"the service answered with status {error.code}") from None
    # No message may name the URL, which holds the secret.
    except (OSError, HTTPException):
        raise _failure("the service could not be asked") from None
    except ValueError:
        raise _failure("the service gave no answer that can be read") from None
    if status != 200 or not isinstance(answer, dict):
        raise _failure(f"the service answered with status {status}")
    return answer


def _url(evaluator: Evaluator) -> str:
    return str(setting(evaluator, _URL_KEY, _URL))


def _reason(answer: dict[str, Any]) -> str:
    codes = answer.get("error-codes")
    return f": {shortened(str(codes[0]))}" if isinstance(codes, list) and codes else ""


def _failure(message: str, *, public: bool = False) -> HyperlambdaError:
    return HyperlambdaError(f"recaptcha: {message}", public=public, field=_FIELD)
