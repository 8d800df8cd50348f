"""Groups that users are in for good: on all nodes, and when these fail (spec 05 §21.4)."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from hyperlambda.server.envelope import encode_entry
from hyperlambda.server.negotiation import new_id
from hyperlambda.server.outbox import Sending
from hyperlambda.server.redis_backplane import MISSED
from hyperlambda.server.redis_client import Client, Redis
from hyperlambda.server.redis_hub import RedisHub
from hyperlambda.sockets import Audience, AudienceKind, Message

from ..commands.process import hyperlambda
from ..server.clients import Connect
from . import cluster as helpers
from .cluster import SHORT_HEARTBEAT, Cluster
from .cluster import until as until_now
from .nodes import Node, StartNode, listening, numbers, until
from .redis_server import RedisServer

NAMES = {'-a"[b]*?\\^': '-a\\"[b]*?\\\\^', "-ü": "-ü", "": ""}
"""Ends of usernames, and how these are written between quotes."""

TO_GROUP = Audience(AudienceKind.GROUPS, ("g",))


def all_know(nodes: list[Node], username: str, *groups: str) -> bool:
    return all(node.hub.lasting_groups_of(username) == sorted(groups) for node in nodes)


async def kept(client: Client, target: Redis) -> set[bytes]:
    return set(await client.smembers(target.keys.memberships))


def test_a_user_is_in_the_group_wherever_they_connect(three: Cluster) -> None:
    ada, group = f"ada-{new_id()}", new_id()
    with helpers.Audience(three) as people:
        pat = people.add("pat", 0, "pat", ("root",))
        watchers = [people.add(f"w{node}", node, "w", ("root",)) for node in range(3)]
        pat.add_to_group(ada, group, persist=True)
        for watcher in watchers:
            until_now(lambda each=watcher: each.lasting_groups_of(ada) == [group])
        for node in range(3):
            people.add(f"ada at {node}", node, ada)
        people.add("bo", 1, "bo")
        pat.publish(Message("in", None, Audience(AudienceKind.GROUPS, (group,))))
        got = people.hear(pat)
        names = {label: [each.name for each in found] for label, found in got.items()}
        assert [names[f"ada at {node}"] for node in range(3)] == [["in"]] * 3
        assert names["bo"] == []
        # It may end anywhere, and ends for those who are there and for those to come.
        watchers[2].remove_from_group(ada, group)
        until_now(lambda: pat.lasting_groups_of(ada) == [])
        until_now(lambda: watchers[1].lasting_groups_of(ada) == [])
        later = people.add("ada later", 1, ada)
        for client in (later, people.clients["ada at 0"]):
            until_now(lambda each=client: pat.groups_of(each.connection_id) == [])


def test_a_program_without_a_server_says_what_lasts(
    three: Cluster, tmp_path: Path
) -> None:
    """Whatever a user is named: names that begin alike, and what means something."""
    id = new_id()
    users = {f"{id}{rest}": f'"{id}{text}"' for rest, text in NAMES.items()}
    add = "sockets.user.add-to-group:{}\n   group:g\n   persist:bool:true\n"
    remove = "sockets.user.remove-from-group:{}\n   group:g\n"
    first, *_ = quoted = list(users.values())
    program = "".join(
        [
            *(add.format(user) for user in quoted),
            *(f"sockets.user.groups:{user}\n" for user in quoted),
            remove.format(first),
            f"sockets.user.groups:{first}\n",
        ]
    )
    (tmp_path / "program.hl").write_text(program)
    outcome = hyperlambda(
        "run", "--tree", str(tmp_path / "program.hl"), *three.redis_arguments
    )
    assert (outcome.stderr, outcome.returncode) == (b"", 0)
    tree = outcome.stdout.decode()
    assert tree.count("sockets.user.groups\n   .:g\n") == len(users)
    assert tree.endswith("sockets.user.groups\n")
    with helpers.Audience(three) as people:
        watcher = people.add("watcher", 0, "w", ("root",))
        for user, groups in zip(users, [[], ["g"], ["g"]], strict=True):
            until_now(lambda u=user, g=groups: watcher.lasting_groups_of(u) == g)


def test_it_outlives_all_servers(redis: RedisServer) -> None:
    with Cluster(redis, 1) as cluster, helpers.Audience(cluster) as people:
        people.add("pat", 0, "pat", ("root",)).add_to_group("ada", "g", persist=True)
        prefix = cluster.prefix
        with RedisHub(Redis(redis.url, prefix)) as hub:
            # It was answered before Redis had it, and the server is killed.
            until_now(lambda: hub.lasting_groups_of("ada") == ["g"])
    again = Cluster(redis, 2, *SHORT_HEARTBEAT)
    again.prefix = prefix
    with again, helpers.Audience(again) as people:
        pat = people.add("pat", 0, "pat", ("root",))
        people.add("ada", 1, "ada")
        pat.publish(Message("in", None, TO_GROUP))
        assert [each.name for each in people.hear(pat)["ada"]] == ["in"]


async def test_a_node_that_was_cut_off_makes_up_for_it(
    start_node: StartNode, target: Redis, join: Connect
) -> None:
    """What was said meanwhile, and what it has said itself, also of who is connected."""
    first, second = nodes = [await start_node(target) for _ in range(2)]
    first.hub.add_to_group("ada", "old", persist=True)
    await until(lambda: all_know(nodes, "ada", "old"))
    ada = await listening(join, second, "*", user="ada")
    await second.go_away()
    first.hub.add_to_group("ada", "g", persist=True)
    first.hub.remove_from_group("ada", "old")
    first.hub.add_to_group("bo", "g", persist=True)
    second.hub.add_to_group("ada", "own", persist=True)
    assert second.hub.lasting_groups_of("ada") == ["old", "own"]
    await until(lambda: not len(first.backplane._outbox))
    second.come_back()
    await until(lambda: all_know(nodes, "ada", "g", "own"))
    await until(lambda: all_know(nodes, "bo", "g"))
    first.publish("m", 1, audience=TO_GROUP)
    first.publish("m", 2, audience=Audience(AudienceKind.GROUPS, ("own",)))
    assert await numbers(ada, 2) == [1, 2]
    [id] = first.hub.users("ada")[0].connections
    await until(lambda: first.hub.groups_of(id) == ["g", "own"])


async def test_what_comes_while_it_is_read_is_not_forgotten(
    start_node: StartNode, target: Redis, join: Connect
) -> None:
    """Who connects then gets the groups, and what programs say then stays said."""
    first, second = nodes = [await start_node(target) for _ in range(2)]
    first.hub.add_to_group("ada", "old", persist=True)
    await until(lambda: all_know(nodes, "ada", "old"))
    await second.go_away()
    first.hub.add_to_group("bo", "g", persist=True)
    await until(lambda: len(first.backplane._outbox) == 0)
    shared = second.backplane.memberships
    read_all, was_read, end = shared._read_all, asyncio.Event(), asyncio.Event()

    async def read(redis: Client) -> dict[str, set[str]]:
        found = await read_all(redis)
        was_read.set()
        await end.wait()
        # It stands in the hub's inbox, and nowhere else yet.
        second.hub.remove_from_group("ada", "old")
        return found

    shared._read_all = read  # type: ignore[method-assign]
    ada = await listening(join, second, "*", user="ada")
    second.come_back()
    await was_read.wait()
    bo = await listening(join, second, "*", user="bo")
    end.set()
    await until(lambda: all_know(nodes, "ada") and all_know(nodes, "bo", "g"))
    await until(lambda: second.hub.groups_of(bo.id) == ["g"])
    assert second.hub.groups_of(ada.id) == []


async def test_who_reads_for_long_counts_as_there(
    start_node: StartNode, target: Redis, join: Connect
) -> None:
    first, second = [await start_node(target) for _ in range(2)]
    await listening(join, second, "*", user="ada")
    await until(lambda: first.hub.users("ada"))
    await second.go_away()
    shared, presence = second.backplane.memberships, second.backplane._own
    read_all, renew, times = shared._read_all, presence.renew, 0
    seen: list[int] = []

    async def count(*arguments: Any) -> None:
        nonlocal times
        await renew(*arguments)
        times += 1

    async def read(redis: Client) -> dict[str, set[str]]:
        await until(lambda: times > MISSED + 1)
        seen.append(first.hub.count_users())
        return await read_all(redis)

    shared._read_all = read  # type: ignore[method-assign]
    presence.renew = count  # type: ignore[method-assign]
    second.come_back()
    await until(lambda: seen)
    assert seen == [1]


@pytest.mark.parametrize("is_away", [False, True])
async def test_an_end_holds_where_nobody_has_heard_of_the_beginning(
    start_node: StartNode, target: Redis, *, is_away: bool
) -> None:
    first, second = nodes = [await start_node(target) for _ in range(2)]
    if is_away:
        await second.go_away()
    first.hub.add_to_group("ada", "g", persist=True)
    # It has left the first, and is not with the second yet.
    await until(lambda: len(first.backplane._outbox) == 0)
    assert second.hub.lasting_groups_of("ada") == []
    second.hub.remove_from_group("ada", "g")
    if is_away:
        second.come_back()
    await until(lambda: not second.backplane.memberships._own)
    await until(lambda: all_know(nodes, "ada"))


async def test_who_was_taken_out_meanwhile_gets_nothing_that_came_after_that(
    start_node: StartNode, target: Redis, join: Connect
) -> None:
    """Also of what is kept, and makes up for what a node has missed."""
    first, second = nodes = [await start_node(target) for _ in range(2)]
    first.hub.add_to_group("ada", "g", persist=True)
    await until(lambda: all_know(nodes, "ada", "g"))
    ada = await listening(join, second, "*", user="ada")
    await second.go_away()
    first.hub.remove_from_group("ada", "g")
    first.publish("many.a", 1, audience=TO_GROUP)
    first.publish("many.a", 2)
    await first.has(2)
    second.come_back()
    assert await numbers(ada, 1) == [2]


async def test_a_change_between_two_sendings_of_another_is_undone_for_all(
    start_node: StartNode, target: Redis, client: Client, join: Connect
) -> None:
    """As when Redis does what it was asked long after it was asked anew."""
    node = await start_node(target)
    ada = await listening(join, node, "*", user="ada")
    node.hub.add_to_group("ada", "g", persist=True)
    sending = node.backplane._outbox._gather
    batches: list[bytes] = []

    def gather() -> Sending:
        found = sending()
        batches.append(found.batch)
        return found

    node.backplane._outbox._gather = gather  # type: ignore[method-assign]
    await until(lambda: batches and not node.backplane.memberships._own)
    with RedisHub(target) as hub:
        hub.remove_from_group("ada", "g")
    await until(lambda: node.hub.groups_of(ada.id) == [])
    [batch] = batches
    await client.publish(target.keys.messages, batch)
    await until(lambda: node.hub.groups_of(ada.id) == ["g"])
    assert node.hub.lasting_groups_of("ada") == ["g"]
    assert not node.backplane.memberships._sent


async def test_what_else_stands_there_is_passed_over(
    start_node: StartNode, target: Redis, client: Client
) -> None:
    others = (b"", b"x", b'["ada"]', b'["ada",1]', b'["","g"]', b'["ada",""]', b"\xff")
    mine = encode_entry(["ada", "g"])
    await client.sadd(target.keys.memberships, mine, *others, b"[" * 100_000)
    node = await start_node(target)
    assert node.backplane.is_connected
    assert node.hub.lasting_groups_of("ada") == ["g"]
    with RedisHub(target) as hub:
        assert hub.lasting_groups_of("ada") == ["g"]


async def test_what_is_said_at_many_nodes_at_once_is_the_same_for_all(
    start_node: StartNode, target: Redis, client: Client, join: Connect
) -> None:
    """Also when some of them go away meanwhile; connections are in the same groups."""
    nodes = [await start_node(target) for _ in range(3)]
    chance = random.Random(7)
    users, groups = ["ada", "bo"], ["g", "h"]
    for node in nodes:
        for user in users:
            await join(node.server, user)
    away: Node | None = None
    for step in range(300):
        hub = chance.choice(nodes).hub
        user, group = chance.choice(users), chance.choice(groups)
        if chance.random() < 0.5:
            hub.add_to_group(user, group, persist=True)
        else:
            hub.remove_from_group(user, group)
        if chance.random() < 0.7:
            await asyncio.sleep(chance.random() * 0.002)
        if step % 60 == 30:
            away = chance.choice(nodes)
            await away.go_away()
        elif step % 60 == 59 and away is not None:
            away.come_back()
            away = None
    for node in nodes:
        await until(lambda node=node: node.backplane.is_connected)
        await until(lambda node=node: not len(node.backplane._outbox))

    async def agree() -> bool:
        found = {
            (user, group)
            for user in users
            for group in nodes[0].hub.lasting_groups_of(user)
        }
        entries = {encode_entry([*each]) for each in found}
        return entries == await kept(client, target) and all(
            all_know(nodes, user, *[group for owner, group in found if owner == user])
            and node.hub.groups_of(id) == node.hub.lasting_groups_of(user)
            for node in nodes
            for user in users
            for each in node.hub.users(user)
            for id in each.connections
        )

    while not await agree():
        await asyncio.sleep(0.02)
    for node in nodes:
        shared = node.backplane.memberships
        assert not shared._own
        await until(lambda shared=shared: not shared._sent)


async def test_a_batch_that_is_sent_twice_counts_twice(
    start_node: StartNode, target: Redis
) -> None:
    """The second time it is written again, so that all have to hear it again."""
    node = await start_node(target)
    with RedisHub(target) as hub:
        hub.add_to_group("ada", "g", persist=True)
        await until(lambda: all_know([node], "ada", "g"))
        node.hub.remove_from_group("ada", "g")
        await until(lambda: not node.backplane.memberships._own)
        hub._number -= 1
        hub.add_to_group("ada", "g", persist=True)
        await until(lambda: all_know([node], "ada", "g"))


async def test_who_may_not_read_them_is_told_and_goes_on(
    start_node: StartNode, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A user of Redis with the rights of before: what nodes hear, they know."""
    user = ("--user", "hyper", "on", ">pass", "~*", "&*", "+@all", "-sscan")
    with RedisServer(tmp_path, "--port", "{port}", *user) as redis:
        target = Redis(f"redis://hyper:pass@127.0.0.1:{redis.port}")
        nodes = [await start_node(target) for _ in range(2)]
        nodes[0].hub.add_to_group("ada", "g", persist=True)
        await until(lambda: all_know(nodes, "ada", "g"))
    assert "Redis keeps no memberships of groups that last" in caplog.text
