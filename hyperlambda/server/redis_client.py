"""
How Redis is reached: its URL, the names of what is ours there, and what goes wrong.

docs/scaling.md shows the names to people who look into their Redis.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from ..errors import HyperlambdaError, nearest

__all__ = [
    "PREFIX",
    "TIMEOUT",
    "Client",
    "Keys",
    "Redis",
    "explain",
    "import_redis",
    "open_blocking_redis",
    "open_redis",
    "patience",
]

PREFIX = "hyperlambda"
"""What the names of keys and channels begin with, unless another prefix is given."""

TIMEOUT = 5.0
"""Seconds for a connection, and for one answer."""

_TURNS = 50
"""Turns of the event loop that an answer gets at least: it may take several to be read."""

_QUERY = {"db", "username", "password", "client_name", "socket_keepalive"}
"""
What the query of a URL may set, besides what begins with ``ssl_``: where it is, and who we
are. How it is asked is ours, and answers in another form would not be understood.
"""

_SECRETS = re.compile(r"//[^/@\s]*@")

Client: TypeAlias = Any
"""Of the library, whose own annotations mix clients that block with those that do not."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The names of our keys and channels; clusters with different prefixes are apart."""

    prefix: str = PREFIX

    @property
    def messages(self) -> str:
        """The channel of all batches."""
        return f"{self.prefix}:messages"

    @property
    def nodes(self) -> str:
        """The set of the ids of nodes; some may have died."""
        return f"{self.prefix}:nodes"

    def node(self, id: str) -> str:
        """The hash of a node: its connections by id, and its version under ``""``."""
        return f"{self.prefix}:node:{id}"

    @property
    def memberships(self) -> str:
        """The set of memberships that last, each ``[username, group]``."""
        return f"{self.prefix}:memberships"

    def claim(self, id: str) -> str:
        """What says that a negotiated connection id was used."""
        return f"{self.prefix}:claim:{id}"


@dataclass(frozen=True, slots=True)
class Redis:
    """
    Which Redis, as the command line and the configuration say it.

    Attributes:
        url: ``redis://``, ``rediss://`` (TLS) or ``unix://``, with user and password
            if it needs them.
        prefix: What our names there begin with.

    Raises:
        HyperlambdaError: The URL is none of these, or the package is not installed.
    """

    url: str
    prefix: str = PREFIX

    def __post_init__(self) -> None:
        if not self.url.startswith(("redis://", "rediss://", "unix://")):
            raise HyperlambdaError(
                "the URL of a Redis begins with redis://, rediss:// or unix://"
            )
        if not self.prefix:
            raise HyperlambdaError("the prefix of Redis' keys is empty")
        _check_query(self.url)
        open_blocking_redis(self)

    def __str__(self) -> str:
        """Return where it is: without a password, and the query may hold one too."""
        url = urlsplit(self.url)
        return f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"

    __repr__ = __str__

    @property
    def keys(self) -> Keys:
        """The names of what is ours there."""
        return Keys(self.prefix)


def import_redis() -> Any:
    """
    Return the package `redis`.

    Raises:
        HyperlambdaError: It is not installed.
    """
    # An extra: whoever has one node needs none of it.
    try:
        import redis.asyncio
    except ImportError:
        raise HyperlambdaError(
            "Redis needs an extra: pip install 'pyhyperlambda[redis]'"
        ) from None
    return redis


def open_redis(target: Redis) -> Client:
    """
    Return a client for an event loop; it connects when it is used.

    Nothing that it does ends by itself when Redis hangs: `TIMEOUT` is for who calls it.

    Raises:
        HyperlambdaError: The URL cannot be understood.
    """
    package = import_redis()
    from redis.asyncio.retry import Retry  # as in `import_redis`

    # With a timeout of its own, the library waits in a way that swallows cancellations
    # (`asyncio.wait_for` before Python 3.12). Who calls it uses `patience`.
    return _open(package.asyncio.Redis, target, Retry, timeout=None)


@asynccontextmanager
async def patience(seconds: float = TIMEOUT) -> AsyncIterator[None]:
    """
    Raise TimeoutError if a block takes so long, and the event loop had time for it.

    Turns that send much to many clients may take a second each; then Redis has answered
    long before we look.
    """
    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle | None = None
    async with asyncio.timeout(None) as scope:

        def wait(turns: int) -> None:
            nonlocal timer
            if turns:
                timer = loop.call_later(seconds / _TURNS, wait, turns - 1)
            else:
                scope.reschedule(loop.time())

        wait(_TURNS)
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()


def open_blocking_redis(target: Redis) -> Client:
    """Return a client whose calls block; see `open_redis`."""
    package = import_redis()
    from redis.retry import Retry  # as in `import_redis`

    return _open(package.Redis, target, Retry, timeout=TIMEOUT)


def _open(kind: Any, target: Redis, retry: Any, timeout: float | None) -> Client:
    from redis.backoff import NoBackoff  # as in `import_redis`

    options: dict[str, Any] = {"socket_timeout": timeout, "protocol": 2}
    if not target.url.startswith("unix:"):
        options |= {"socket_connect_timeout": TIMEOUT, "socket_keepalive": True}
    try:
        # The library would connect anew by itself, and we must know of every gap.
        client = kind.from_url(target.url, retry=retry(NoBackoff(), 0), **options)
        # Connects to nothing, and finds options that there are not.
        client.connection_pool.make_connection()
    except (ValueError, TypeError, import_redis().RedisError) as error:
        raise HyperlambdaError(
            f"the URL of the Redis is wrong: {explain(error)}"
        ) from None
    return client


def _check_query(url: str) -> None:
    try:
        query = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    except ValueError as error:
        raise HyperlambdaError(
            f"the URL of the Redis is wrong: {explain(error)}"
        ) from None
    for name, _ in query:
        if name not in _QUERY and not name.startswith("ssl_"):
            near = nearest(name, _QUERY)
            hint = f"; did you mean '{near}'?" if near else ""
            raise HyperlambdaError(
                f"the URL of the Redis is wrong: '{name}' cannot be set there{hint}"
            )


def explain(error: BaseException) -> str:
    """Return what went wrong (first, of several) in one line, without a password."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    text = " ".join(str(error).split()) or type(error).__name__
    return _SECRETS.sub("//", text)
