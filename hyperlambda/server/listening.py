"""Opening the port."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from typing import Any, cast

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from ..errors import HyperlambdaError
from .links import Link

__all__ = ["listen"]

_log = logging.getLogger("hyperlambda.server")

# Its debug lines would show request targets and headers, and with them tokens.
_wire_log = logging.getLogger("hyperlambda.server.wire")
_wire_log.setLevel(logging.WARNING)


async def listen(
    handle: Callable[[Link], Any],
    host: str,
    port: int,
    *,
    gate: Callable[..., Any],
    make_link: Callable[..., Link],
    open_timeout: float,
    max_size: int,
    shares_port: bool = False,
) -> Server:
    """
    Return a server that has its port, and accepts nobody yet.

    Args:
        shares_port: Whether other processes listen on the port too.

    Raises:
        HyperlambdaError: The port is taken, or there is no such host.
    """
    try:
        return await serve(
            cast("Any", handle),
            host,
            port,
            process_request=cast("Any", gate),
            process_response=cast("Any", _note_refusal),
            # It is called like a class.
            create_connection=cast("type[ServerConnection]", make_link),
            compression=None,
            ping_interval=None,
            open_timeout=open_timeout,
            max_size=max_size,
            logger=_wire_log,
            server_header=None,
            backlog=1024,
            # Nobody may come in before everything is there.
            start_serving=False,
            reuse_port=shares_port or None,
        )
    except (OSError, OverflowError) as error:
        raise HyperlambdaError(_reason(error, host, port)) from error


def _note_refusal(link: Link, request: Request, response: Response) -> None:
    """Let the log tell who is not served, and why; without the query."""
    if response.status_code >= 400 and _log.isEnabledFor(logging.DEBUG):
        path = ascii(request.path.partition("?")[0][:200])
        why = ascii(response.body.decode(errors="replace").partition("\n")[0][:200])
        _log.debug(
            "refused %s a request for %s with %d: %s",
            *(link.address, path, response.status_code, why),
        )


def _reason(error: OSError | OverflowError, host: str, port: int) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is already taken"
    return f"cannot listen on port {port} of '{host}': {error}"
