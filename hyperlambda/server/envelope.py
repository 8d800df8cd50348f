"""
How what one node sends to the others is written.

A *batch* is UTF-8 text whose lines are JSON arrays. The first line is its head, each
further line an *entry*; JSON holds no line ends, so that a batch is split without reading
it. Half surrogate pairs, which UTF-8 forbids and JSON does not, pass as they are.

======  ==================================================================================
line    fields
======  ==================================================================================
head    version (1), node id, number of the first item
"m"     name, argument (JSON text or null), kind of the audience, its names, excluded
        ids, position (``[epoch, offset]`` or null)
"g"     username, group, whether its connections enter it; and ``true`` if this goes for
        later ones too: a batch has only such, or none
"d"     target, whether it may be a username, reason, whether its clients may return
other   for the backplane itself, see redis_backplane.py
======  ==================================================================================

Items of a node are numbered 1, 2, …: number and node id are the id of a message. A node
drops a number that it has had already, so that a batch may be sent twice; but not what
lasts, which each sending writes to Redis. Other entries have no number: the head says 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from json import JSONEncoder, loads
from types import NoneType
from typing import Any, NamedTuple, TypeAlias

from ..sockets import Audience, AudienceKind, Message
from .backplane import DisconnectCommand, GroupCommand, Item

__all__ = [
    "Batch",
    "Entry",
    "EnvelopeError",
    "decode_entry",
    "encode_entry",
    "encode_item",
    "join_batch",
    "split_batch",
]

Entry: TypeAlias = "list[Any]"
"""The fields of a line; the first one tells what it is."""

_VERSION = 1

_KINDS = {kind.value: kind for kind in AudienceKind}

_encode = JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class EnvelopeError(ValueError):
    """What came is no batch of ours."""


class Batch(NamedTuple):
    """
    Entries of one node, encoded.

    Attributes:
        node: Whose they are.
        first: The number of the first one.
        lines: The entries, in order.
    """

    node: str
    first: int
    lines: list[bytes]


def encode_item(item: Item) -> bytes:
    """Return the line of what a hub has forwarded."""
    if item.__class__ is Message:
        return encode_entry(
            [
                "m",
                item.name,
                item.argument,
                item.audience.kind.value,
                item.audience.names,
                item.excluded,
                item.position,
            ]
        )
    if isinstance(item, GroupCommand):
        lasting = [True] if item.persists else []
        return encode_entry(["g", item.username, item.group, item.is_member, *lasting])
    assert isinstance(item, DisconnectCommand)
    return encode_entry(["d", item.target, item.is_user, item.reason, item.may_return])


def encode_entry(fields: Entry) -> bytes:
    """Return the line of some fields."""
    return _encode(fields).encode("utf-8", "surrogatepass")


def decode_entry(line: bytes) -> Item | Entry:
    """
    Return what a line says: an item for the hub, or the fields of another entry.

    Raises:
        EnvelopeError: It is none of ours.
    """
    try:
        fields = loads(line.decode("utf-8", "surrogatepass"))
        tag = fields[0]
        if tag == "m":
            _, name, argument, kind, names, excluded, position = fields
            if type(name) is not str or type(argument) not in (str, NoneType):
                raise EnvelopeError("a message has an unknown form")
            return Message(
                name,
                argument,
                Audience(_KINDS[kind], tuple(names)),
                tuple(excluded),
                None if position is None else (position[0], position[1]),
            )
        if tag == "g":
            return GroupCommand(*fields[1:])
        if tag == "d":
            return DisconnectCommand(*fields[1:])
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise EnvelopeError("an entry has an unknown form") from error
    if type(fields) is not list:
        raise EnvelopeError("an entry has an unknown form")
    return fields


def join_batch(node: str, first: int, lines: Iterable[bytes]) -> bytes:
    """Return the batch of some encoded entries."""
    return b"\n".join((encode_entry([_VERSION, node, first]), *lines))


def split_batch(data: bytes) -> Batch:
    """
    Return the parts of a batch, whose entries are not read yet.

    Raises:
        EnvelopeError: It has no head, or one of another version.
    """
    head, *lines = data.split(b"\n")
    try:
        version, node, first = loads(head)
    except (TypeError, ValueError, RecursionError) as error:
        raise EnvelopeError("a batch has no head") from error
    if version != _VERSION:
        raise EnvelopeError(f"a batch has version {version!r}, and we know {_VERSION}")
    if type(node) is not str or type(first) is not int:
        raise EnvelopeError("a batch has no head")
    return Batch(node, first, lines)
