"""
Hyperlambda: programs that are trees, and sockets that reach the right browsers.

    from hyperlambda import Evaluator

    result = Evaluator().run("return:hello")
    result.value == "hello"
"""

from .compiled import IS_COMPILED as is_accelerated
from .errors import (
    ArgumentError,
    HyperlambdaError,
    HyperlambdaSyntaxError,
    LimitError,
    UnknownSlotError,
)
from .evaluator import Evaluator
from .expressions import Expression
from .generator import generate
from .limits import Limits
from .node import Node
from .parser import parse
from .registry import slot
from .sockets import Audience, AudienceKind, Hub, Message, SocketGroup, SocketUser

__all__ = [
    "ArgumentError",
    "Audience",
    "AudienceKind",
    "Evaluator",
    "Expression",
    "Hub",
    "HyperlambdaError",
    "HyperlambdaSyntaxError",
    "LimitError",
    "Limits",
    "Message",
    "Node",
    "SocketGroup",
    "SocketUser",
    "UnknownSlotError",
    "generate",
    "is_accelerated",
    "parse",
    "slot",
]
