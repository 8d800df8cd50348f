"""What nodes tell of themselves is believed in order, and read anew after a gap."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hyperlambda.server.cluster_view import ClusterTables
from hyperlambda.server.envelope import encode_entry
from hyperlambda.server.redis_client import Keys
from hyperlambda.server.redis_presence import Peers


class Hashes:
    """The hashes of nodes, as Redis would give them; each answer waits until it may."""

    def __init__(self) -> None:
        self.fields: dict[bytes, bytes] = {}
        self.questions = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def write(self, version: int, *ids: str) -> None:
        own = {id.encode(): encode_entry([f"user of {id}", 1.0, []]) for id in ids}
        self.fields = {b"": b"%d" % version, **own}

    async def hgetall(self, key: str) -> dict[bytes, bytes]:
        self.questions += 1
        fields = dict(self.fields)
        await self.may_answer.wait()
        return fields


@pytest.fixture
async def peers() -> Peers:
    return Peers(ClusterTables(), Keys(), timeout=60)


@pytest.fixture
async def hashes() -> Hashes:
    return Hashes()


def change(version: int, id: str, *, is_here: bool = True) -> list[Any]:
    return ["p", version, [[id, [f"user of {id}", 1.0, []] if is_here else None]]]


def known(peers: Peers) -> list[str]:
    return sorted(peers.tables.of_node("n"))


async def test_a_node_that_is_heard_for_the_first_time_is_read(
    peers: Peers, hashes: Hashes
) -> None:
    hashes.write(7, "c1", "c2")
    peers.hear(hashes, "n", ["a", 7])
    await peers.settle()
    assert (known(peers), len(peers)) == (["c1", "c2"], 1)


async def test_changes_that_follow_each_other_are_not_read_again(
    peers: Peers, hashes: Hashes
) -> None:
    hashes.write(1, "c1")
    peers.hear(hashes, "n", ["a", 1])
    await peers.settle()
    peers.hear(hashes, "n", change(2, "c2"))
    peers.hear(hashes, "n", change(3, "c1", is_here=False))
    peers.hear(hashes, "n", ["a", 3])
    assert (known(peers), hashes.questions) == (["c2"], 1)


@pytest.mark.parametrize("entry", [change(4, "c4"), ["a", 4], ["a", 1]])
async def test_after_a_gap_the_node_is_read_again(
    peers: Peers, hashes: Hashes, entry: list[Any]
) -> None:
    hashes.write(2, "c1")
    peers.hear(hashes, "n", ["a", 2])
    await peers.settle()
    hashes.write(entry[1], "c3", "c4")
    peers.hear(hashes, "n", entry)
    await peers.settle()
    assert (known(peers), hashes.questions) == (["c3", "c4"], 2)


async def test_what_is_told_while_a_node_is_read_is_applied_after_it(
    peers: Peers, hashes: Hashes
) -> None:
    """Also when some of it stands in what was read already."""
    hashes.write(5, "c1", "c5")
    hashes.may_answer.clear()
    peers.hear(hashes, "n", ["a", 4])
    await asyncio.sleep(0)
    for version in (5, 6, 7):
        peers.hear(hashes, "n", change(version, f"c{version}"))
    hashes.may_answer.set()
    await peers.settle()
    assert (known(peers), hashes.questions) == (["c1", "c5", "c6", "c7"], 1)


async def test_a_node_is_read_once_more_when_it_ran_ahead_meanwhile(
    peers: Peers, hashes: Hashes
) -> None:
    hashes.write(1, "c1")
    hashes.may_answer.clear()
    peers.hear(hashes, "n", ["a", 1])
    await asyncio.sleep(0)
    peers.hear(hashes, "n", change(9, "c9"))
    hashes.write(9, "c8", "c9")
    hashes.may_answer.set()
    await peers.settle()
    assert (known(peers), hashes.questions) == (["c8", "c9"], 2)


async def test_a_node_that_leaves_while_it_is_read_stays_away(
    peers: Peers, hashes: Hashes
) -> None:
    hashes.write(1, "c1")
    hashes.may_answer.clear()
    peers.hear(hashes, "n", ["a", 1])
    await asyncio.sleep(0)
    peers.hear(hashes, "n", ["b"])
    hashes.may_answer.set()
    await peers.settle()
    assert (known(peers), len(peers)) == ([], 0)


async def test_a_node_whose_hash_is_gone_has_nobody(
    peers: Peers, hashes: Hashes
) -> None:
    hashes.write(1, "c1")
    peers.hear(hashes, "n", ["a", 1])
    await peers.settle()
    hashes.fields = {}
    peers.hear(hashes, "n", ["a", 3])
    await peers.settle()
    assert (known(peers), len(peers)) == ([], 0)


async def test_a_silent_node_is_forgotten(hashes: Hashes) -> None:
    peers = Peers(ClusterTables(), Keys(), timeout=-1)
    hashes.write(1, "c1")
    peers.hear(hashes, "n", ["a", 1])
    await peers.settle()
    assert peers.drop_silent() == ["n"]
    assert (known(peers), "n" in peers) == ([], False)
