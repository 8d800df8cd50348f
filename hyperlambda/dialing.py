"""How a client finds the socket server, and why it does not."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .errors import SocketError

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

__all__ = ["RefusedError", "dial", "is_final", "why_closed"]


class RefusedError(SocketError):
    """The server will not take us, however often we ask."""


def dial(url: str, token: str | None, timeout: float) -> ClientConnection:
    """
    Connect to a server.

    Raises:
        RefusedError: The server refuses us.
        SocketError: No server answers, it has no room, or the url is none.
    """
    # Imported here: only programs that talk to a server should pay for it.
    from websockets.exceptions import (
        InvalidHandshake,
        InvalidStatus,
        InvalidURI,
    )
    from websockets.sync.client import connect

    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    try:
        return connect(
            url,
            additional_headers=headers,
            compression=None,
            open_timeout=timeout,
            close_timeout=2,
            max_size=None,
            # Messages are read at once and wait in our own queue.
            max_queue=None,
            # A proxy of the environment leads away from this machine, not back to it.
            proxy=None if _is_this_machine(url) else True,
        ).__enter__()
    except InvalidURI as error:
        raise SocketError(f"'{url}' is no address of a socket server") from error
    except InvalidStatus as error:
        status = error.response.status_code
        kind = RefusedError if status in (401, 403) else SocketError
        why = "" if status != 401 else _first_line(error.response.body)
        raise kind(_refusal(url, status, why, token is not None)) from error
    except ImportError as error:  # a SOCKS proxy, for which websockets needs a package
        raise SocketError(
            f"the proxy on the way to {url} cannot be used: {error}"
        ) from error
    except (InvalidHandshake, EOFError) as error:
        raise SocketError(f"what answers at {url} is no socket server") from error
    except (OSError, TimeoutError) as error:
        raise SocketError(f"no server answers at {url}") from error


def _is_this_machine(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _first_line(body: bytes | bytearray | None) -> str:
    return (body or b"").decode(errors="replace").strip().partition("\n")[0][:100]


def _refusal(url: str, status: int, why: str, has_token: bool) -> str:
    if status == 401:
        if not has_token:
            return f"the server at {url} lets nobody in without a token"
        return f"the server refused the token: {why or 'it does not say why'}"
    if status == 429:
        return f"the server at {url} has too many connections from this address"
    if status == 503:
        return f"the server at {url} takes no more connections now"
    return f"there is no socket server at {url}: it answers with status {status}"


def why_closed(url: str, error: Any) -> str:
    """Return why a connection is closed, from what `websockets` raised."""
    close = error.rcvd
    if close is None:
        return f"the connection to {url} was lost"
    return f"the server at {url} closed the connection: {close.reason or close.code}"


def is_final(error: Any) -> bool:
    """Return whether the server wants us to stay away, from what `websockets` raised."""
    # Our own codes below 3500 invite a client to come back (docs/sockets.md).
    return error.rcvd is not None and 3500 <= error.rcvd.code < 4000
