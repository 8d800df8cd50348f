"""The socket server: who is connected, and whom a message reaches."""

from .app import SocketServer
from .auth import AuthError, Identity, issue_token, verify_token
from .background import BackgroundServer
from .hub import Connection, SocketHub

__all__ = [
    "AuthError",
    "BackgroundServer",
    "Connection",
    "Identity",
    "SocketHub",
    "SocketServer",
    "issue_token",
    "verify_token",
]
