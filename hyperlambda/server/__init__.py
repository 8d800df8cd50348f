"""The socket server: who is connected, and whom a message reaches."""

from .app import SocketServer
from .auth import AuthError, Identity, issue_token, verify_token
from .background import BackgroundServer
from .execution import FILE_LIMITS, FileExecutor
from .history import History
from .hub import Connection, SocketHub
from .retention import Rule

__all__ = [
    "FILE_LIMITS",
    "AuthError",
    "BackgroundServer",
    "Connection",
    "FileExecutor",
    "History",
    "Identity",
    "Rule",
    "SocketHub",
    "SocketServer",
    "issue_token",
    "verify_token",
]
