"""What nodes send each other comes back as it was, and nothing else is believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperlambda.server.backplane import DisconnectCommand, GroupCommand, Item
from hyperlambda.server.envelope import (
    EnvelopeError,
    decode_entry,
    encode_entry,
    encode_item,
    join_batch,
    split_batch,
)
from hyperlambda.sockets import Audience, AudienceKind, Message

# Half surrogate pairs too: a token may hold them.
TEXTS = st.text(st.characters(), max_size=20)
NAMES = st.lists(TEXTS, max_size=4).map(tuple)

MESSAGES = st.builds(
    Message,
    TEXTS.filter(bool),
    st.none() | TEXTS,
    st.builds(Audience, st.sampled_from(AudienceKind), NAMES),
    NAMES,
    st.none() | st.tuples(TEXTS, st.integers(0)),
)
ITEMS: st.SearchStrategy[Item] = st.one_of(
    MESSAGES,
    st.builds(GroupCommand, TEXTS, TEXTS, st.booleans()),
    st.builds(DisconnectCommand, TEXTS, st.booleans(), TEXTS, st.booleans()),
)


@given(st.lists(ITEMS, max_size=5), st.integers(1, 10**12))
def test_a_batch_comes_back_as_it_was(items: list[Item], first: int) -> None:
    data = join_batch("node", first, map(encode_item, items))
    batch = split_batch(data)
    assert (batch.node, batch.first) == ("node", first)
    assert [decode_entry(line) for line in batch.lines] == items


def test_entries_of_the_backplane_itself_come_back_as_fields() -> None:
    assert decode_entry(encode_entry(["p", 3, [["é", None]]])) == [
        "p",
        3,
        [["é", None]],
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"hello",
        b"[]",
        b"{}",
        b"[1,2,3]",
        b'[2,"node",1]',
        b'[1,"node","1"]',
        b'[1,"node"]',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_what_is_no_batch_is_refused(data: bytes) -> None:
    with pytest.raises(EnvelopeError):
        split_batch(data)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"3",
        b'"text"',
        b"[]",
        b'["m"]',
        b'["m","name",null,"everyone",[],[],null,0]',
        b'["m","name",null,"nobody",[],[],null]',
        b'["m",3,null,"everyone",[],[],null]',
        b'["m","name",{},"everyone",[],[],null]',
        b'["m","name",null,"everyone",3,[],null]',
        b'["m","name",null,"everyone",[],[],[1]]',
        b'["g","user"]',
        b'["d","user",true]',
        b'{"m":1}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_what_is_no_entry_is_refused(line: bytes) -> None:
    with pytest.raises(EnvelopeError):
        decode_entry(line)
