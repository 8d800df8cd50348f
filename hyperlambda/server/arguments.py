"""
The arguments of a file that a client runs: JSON, checked against what it declares.

A file says what it takes in a top-level node `.arguments`, whose children have a type as
value: ``age:int``. Below a declared object stand its own declarations. ``*`` takes anything
(spec 05 §4).
"""

from __future__ import annotations

from ..conversions import coerce
from ..errors import HyperlambdaError, nearest
from ..json_reader import read_json
from ..node import Node

__all__ = ["attach_arguments"]

_ANYTHING = "*"


def attach_arguments(program: Node, json: str | None) -> None:
    """
    Put what a client sent first in a program, as `.arguments`; nothing if it is nothing.

    Args:
        program: Its own declaration is taken out of it.
        json: The JSON of an object or array; None and "" are no arguments.

    Raises:
        HyperlambdaError: It is no JSON, or not what the program declares; public.
    """
    declared = program.child(".arguments")
    if declared is not None:
        declared.untie()
    given = _read(json) if json else []
    if not given:
        return
    if declared is not None and declared.value != _ANYTHING:
        _check(given, declared, "")
        order = {
            child.name: at for at, child in reversed([*enumerate(declared.children)])
        }
        given.sort(key=lambda node: order[node.name])
    program.insert(0, Node(".arguments", None, given))


def _read(json: str) -> list[Node]:
    try:
        return list(read_json(json).take_children())
    except HyperlambdaError as error:
        raise _refusal(f"the arguments cannot be read: {error.message}") from error


def _check(given: list[Node], declared: Node, above: str) -> None:
    """Give arguments their types; the depth is bounded by that of the JSON."""
    for node in given:
        path = f"{above}{node.name}"
        declaration = declared.child(node.name)
        if declaration is None:
            near = nearest(node.name, [child.name for child in declared.children])
            hint = f"; did you mean '{near}'?" if near else ""
            raise _refusal(f"no argument is named '{_shown(path)}' here{hint}")
        wanted = declaration.value
        if wanted == _ANYTHING:
            continue
        if wanted is not None and node.value is not None:
            try:
                node.value = coerce(node.value, str(wanted))
            except HyperlambdaError as error:
                raise _refusal(
                    f"the argument '{_shown(path)}' is no '{wanted}': {error.message}"
                ) from error
        if node.children:
            _check(list(node.children), declaration, f"{path}/")


def _refusal(sentence: str) -> HyperlambdaError:
    return HyperlambdaError(sentence, public=True, status=400)


def _shown(text: str) -> str:
    return text if len(text) <= 80 else text[:80] + "…"
