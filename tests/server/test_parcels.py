"""What a turn sends: whoever gets the same frames gets them in one parcel."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from hyperlambda.server.auth import ANONYMOUS
from hyperlambda.server.connection import Connection
from hyperlambda.server.parcels import Receivers, Turn
from hyperlambda.sockets import Message


def plain(message: Message) -> bytes:
    return b"p:" + message.name.encode()


def other(message: Message) -> bytes:
    return b"o:" + message.name.encode()


def connections(count: int) -> list[Connection]:
    return [
        Connection(str(n), ANONYMOUS, other if n % 3 == 0 else plain)
        for n in range(count)
    ]


ALL = connections(7)
SETS = st.lists(st.sets(st.sampled_from(range(7))), min_size=1, max_size=4)


def frames(receivers: Receivers, name: str) -> dict[object, bytes]:
    return {encode: encode(Message(name)) for encode in receivers.by_encode}


@given(SETS, st.lists(st.integers(0, 9), max_size=20))
def test_everybody_gets_their_frames_in_order_and_in_one_parcel(
    sets: list[set[int]], steps: list[int]
) -> None:
    known = [Receivers(ALL[n] for n in sorted(each)) for each in sets]
    turn = Turn()
    expected: defaultdict[Connection, list[bytes]] = defaultdict(list)
    for number, step in enumerate(steps):
        if step < 7:
            frame = b"reply %d" % number
            turn.add_to(ALL[step], frame)
            expected[ALL[step]].append(frame)
            continue
        index = step % len(sets)
        turn.add(known[index], frames(known[index], str(number)))  # type: ignore[arg-type]
        for n in sets[index]:
            expected[ALL[n]].append(ALL[n].encode(Message(str(number))))
    got: dict[Connection, list[bytes]] = {}
    seen = set()
    for parcel in turn.parcels():
        assert len({each.encode for each in parcel.connections}) <= 1
        for connection in parcel.connections:
            assert connection not in got
            got[connection] = parcel.frames
        # Whoever gets the same is together.
        key = (parcel.connections[0].encode, *parcel.frames)
        assert len(sets) > 1 or key not in seen
        seen.add(key)
    assert got == expected


def test_messages_to_the_same_receivers_are_one_parcel_a_protocol() -> None:
    turn = Turn()
    receivers = Receivers(ALL)
    for name in ("a", "b", "c"):
        turn.add(receivers, frames(receivers, name))  # type: ignore[arg-type]
    parcels = turn.parcels()
    assert [parcel.data() for parcel in parcels] == [b"o:ao:bo:c", b"p:ap:bp:c"]
    assert [each.id for each in parcels[0].connections] == ["0", "3", "6"]
    assert [each.id for each in parcels[1].connections] == ["1", "2", "4", "5"]


def test_messages_to_two_audiences_are_joined_once_for_those_in_both() -> None:
    one, two, both = ALL[1], ALL[2], ALL[4:6]
    turn = Turn()
    first, second = Receivers([one, *both]), Receivers([two, *both])
    for number in range(3):
        for receivers in (first, second):
            turn.add(receivers, frames(receivers, str(number)))  # type: ignore[arg-type]
    assert {
        tuple(each.id for each in parcel.connections): parcel.data()
        for parcel in turn.parcels()
    } == {
        ("1",): b"p:0p:1p:2",
        ("2",): b"p:0p:1p:2",
        ("4", "5"): b"p:0p:0p:1p:1p:2p:2",
    }


def test_nothing_is_no_parcel() -> None:
    assert Turn().parcels() == []
