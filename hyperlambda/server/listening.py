"""How the server gets its port."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable
from typing import Any, cast

from websockets.asyncio.server import Server, ServerConnection, serve

from ..errors import HyperlambdaError
from .links import Link

__all__ = ["listen"]


async def listen(
    handle: Callable[[Link], Awaitable[None]],
    host: str,
    port: int,
    *,
    factory: Callable[..., Link],
    **options: Any,
) -> Server:
    """
    Take a port, and let nobody in before `start_serving` is called.

    Args:
        handle: Serves an open WebSocket.
        factory: Makes what stands for a socket.
        options: Those of `websockets.serve`.

    Raises:
        HyperlambdaError: The port is taken, or there is no such host.
    """
    try:
        return await serve(
            cast("Any", handle),
            host,
            port,
            create_connection=cast("type[ServerConnection]", factory),
            compression=None,
            ping_interval=None,
            server_header=None,
            backlog=1024,
            start_serving=False,
            **options,
        )
    except (OSError, OverflowError) as error:
        raise HyperlambdaError(_reason(host, port, error)) from error


def _reason(host: str, port: int, error: OSError | OverflowError) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is already taken"
    return f"cannot listen on port {port} of '{host}': {error}"
