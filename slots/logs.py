"""
Logging (spec 03 §9.1): entries go to Python's logger ``hyperlambda``.

One call is one line, whatever the texts contain; only a stack trace has more.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from hyperlambda import Evaluator, Node, slot
from hyperlambda.expressions import resolve_text

from .settings import setting
from .texts import join

if TYPE_CHECKING:
    from logging import Logger

_LEVEL_KEY = "magic:logging:level"
_LEVELS = {"debug": 10, "info": 20, "error": 40, "fatal": 50}  # as in `logging`


@slot("log.debug")
def debug(evaluator: Evaluator, node: Node) -> None:
    """
    Log a message that helps to find mistakes.

    Reads:
        value: str, the message, or an expression that leads to it.
        children: with a value, meta data: texts by name, of equal names the last. They
            are not run. Without a value, they are run and their texts joined are the
            message.
    Leaves:
        value: null. Children are removed.
    Raises:
        ConversionError: A value, such as a time or a node, cannot be read as text.
    Source:
        Spec 03 §9.1.

    Example::

        log.debug
           .:"rows: "
           .:int:5
        // becomes
        log.debug
    """
    _log(evaluator, node, "debug")


@slot("log.info")
def info(evaluator: Evaluator, node: Node) -> None:
    """
    Log a message about what happens.

    Reads:
        value: str, the message, or an expression that leads to it.
        children: with a value, meta data: texts by name, of equal names the last. They
            are not run. Without a value, they are run and their texts joined are the
            message.
    Leaves:
        value: null. Children are removed.
    Raises:
        ConversionError: A value, such as a time or a node, cannot be read as text.
    Source:
        Spec 03 §9.1.

    Example::

        log.info:tea is ready
           cups:int:2
        // becomes
        log.info
    """
    _log(evaluator, node, "info")


@slot("log.error")
def error(evaluator: Evaluator, node: Node) -> None:
    """
    Log that something failed.

    Reads:
        value: str, the message, or an expression that leads to it.
        exception: str, a stack trace, written on lines of its own.
        children: with a value, meta data: texts by name, of equal names the last. They
            are not run. Without a value, they are run and their texts joined are the
            message.
    Leaves:
        value: null. Children are removed.
    Raises:
        ConversionError: A value, such as a time or a node, cannot be read as text.
    Source:
        Spec 03 §9.1.

    Example::

        log.error:the kettle is empty
           exception:in the kitchen
        // becomes
        log.error
    """
    _log(evaluator, node, "error")


@slot("log.fatal")
def fatal(evaluator: Evaluator, node: Node) -> None:
    """
    Log that something failed and nothing can go on.

    Reads:
        value: str, the message, or an expression that leads to it.
        exception: str, a stack trace, written on lines of its own.
        children: with a value, meta data: texts by name, of equal names the last. They
            are not run. Without a value, they are run and their texts joined are the
            message.
    Leaves:
        value: null. Children are removed.
    Raises:
        ConversionError: A value, such as a time or a node, cannot be read as text.
    Source:
        Spec 03 §9.1.

    Example::

        log.fatal:the kitchen burns
        // becomes
        log.fatal
    """
    _log(evaluator, node, "fatal")


def _log(evaluator: Evaluator, node: Node, level: str) -> None:
    trace = _take_trace(node) if level in ("error", "fatal") else None
    meta: dict[str, str | None] = {}
    if node.value is None:
        evaluator.run_children(node)
        message = join(evaluator, [resolve_text(each) or "" for each in node.children])
    else:
        message = resolve_text(node) or ""
        meta = {child.name: resolve_text(child) for child in node.children}
    texts = [message, trace or "", *[text or "" for text in meta.values()]]
    evaluator.charge_text(sum(map(len, texts)))
    node.value = None
    node.clear()
    if _LEVELS[level] >= _threshold(evaluator):
        _logger().log(
            _LEVELS[level], _entry(message, meta, trace), extra={"meta": meta}
        )


def _take_trace(node: Node) -> str | None:
    child = node.child("exception")
    if child is None:
        return None
    trace = resolve_text(child)
    child.untie()
    return trace


def _entry(message: str, meta: dict[str, str | None], trace: str | None) -> str:
    details = [f" {_line(name)}={_line(text or '')}" for name, text in meta.items()]
    entry = _line(message) + "".join(details)
    return entry if trace is None else f"{entry}\n{_TERMINAL.sub(_escape, trace)}"


# What ends a line, moves a cursor, or cannot be written at all.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_TERMINAL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def _line(text: str) -> str:
    return text if text.isprintable() else _CONTROL.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return repr(match[0])[1:-1]


def _threshold(evaluator: Evaluator) -> int:
    return _level(str(setting(evaluator, _LEVEL_KEY, "debug")))


@cache
def _level(name: str) -> int:
    """Return the number of a level; an unknown one is told once, and lets all pass."""
    level = _LEVELS.get(name.lower())
    if level is None:
        known = ", ".join(_LEVELS)
        _logger().warning(
            "%s is '%s', which is none of %s", _LEVEL_KEY, _line(name), known
        )
        return _LEVELS["debug"]
    return level


@cache
def _logger() -> Logger:
    # Only programs that log pay for loading the module.
    from logging import getLogger

    return getLogger("hyperlambda")
