"""`hyperlambda run --redis`: a program speaks to the cluster, and no server is between."""

from __future__ import annotations

from pathlib import Path

import pytest

from hyperlambda.client import ReceivedMessage
from hyperlambda.errors import HyperlambdaError, SocketError
from hyperlambda.server.redis_client import Redis
from hyperlambda.server.redis_hub import RedisHub
from hyperlambda.sockets import Message

from ..commands.process import hyperlambda
from . import cluster as helpers
from .cluster import Cluster, until
from .redis_server import RedisServer

PROGRAM = """
sockets.user.add-to-group:ada
   group:editors
sockets.signal:for.group
   groups:editors
   args
      number:int:1
sockets.signal:for.admin
   roles:admin
sockets.user.remove-from-group:ada
   group:editors
sockets.signal:for.nobody
   groups:editors
sockets.signal:everything before this has arrived
"""


def test_a_program_reaches_the_clients_of_all_nodes(
    three: Cluster, tmp_path: Path
) -> None:
    (tmp_path / "program.hl").write_text(PROGRAM)
    with helpers.Audience(three) as people:
        people.add("ada at 0", 0, "ada")
        people.add("ada at 2", 2, "ada")
        people.add("admin", 1, "bo", ("admin",))
        people.add("guest", 1)
        outcome = hyperlambda(
            "run", str(tmp_path / "program.hl"), *three.redis_arguments
        )
        assert (outcome.stderr, outcome.returncode) == (b"", 0)
        got = {
            label: helpers.until_marker(client)
            for label, client in people.clients.items()
        }
    for_group = [ReceivedMessage("for.group", {"number": 1})]
    assert got == {
        "ada at 0": for_group,
        "ada at 2": for_group,
        "admin": [ReceivedMessage("for.admin", None)],
        "guest": [],
    }


def test_a_program_asks_who_is_connected_and_ends_connections(
    three: Cluster, tmp_path: Path
) -> None:
    with helpers.Audience(three) as people:
        client = people.add("zoe", 1, "zoe", (), ("zoo",))
        watcher = people.add("watcher", 0, "w", ("root",))
        until(lambda: watcher.count_users("zoe") == 1)
        (tmp_path / "program.hl").write_text(
            "sockets.users.count\n   filter:zoe\n"
            "sockets.groups\n   filter:zoo\n"
            f"sockets.connection.groups:{client.connection_id}\n"
            "sockets.user.disconnect:zoe\n   message:closing time\n"
        )
        outcome = hyperlambda(
            "run", "--tree", str(tmp_path / "program.hl"), *three.redis_arguments
        )
        assert (outcome.stderr, outcome.returncode) == (b"", 0)
        tree = outcome.stdout.decode()
        assert "sockets.users.count:int:1" in tree
        assert "name:zoo\n      connections:int:1" in tree
        assert "sockets.connection.groups\n   .:zoo" in tree
        with pytest.raises(SocketError, match="closing time"):
            next(client.messages())
        until(lambda: watcher.count_users("zoe") == 0)


def test_clusters_with_different_prefixes_do_not_hear_each_other(
    three: Cluster, redis: RedisServer
) -> None:
    with (
        helpers.Audience(three) as people,
        RedisHub(Redis(redis.url, "others")) as others,
        RedisHub(Redis(redis.url, three.prefix)) as own,
    ):
        people.add("guest", 1)
        others.publish(Message("foo"))
        own.publish(Message("bar"))
        heard = people.hear(own)["guest"]
        assert [message.name for message in heard] == ["bar"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ("--redis", "redis://127.0.0.1:1"),
            1,
            "redis://127.0.0.1:1 cannot be used: ",
        ),
        (
            ("--redis", "redis://:letmein@127.0.0.1:1/3"),
            1,
            "redis://127.0.0.1:1/3 cannot be used: ",
        ),
        (("--redis", "http://x"), 2, "the URL of a Redis begins with redis://"),
        (("--redis", "redis://x:y"), 2, "the URL of the Redis is wrong: "),
        (("--redis", "redis://x?colour=blue"), 2, "the URL of the Redis is wrong: "),
        (
            ("--redis", "redis://x", "--connect", "ws://x"),
            2,
            "--connect and --redis exclude each other",
        ),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    (tmp_path / "program.hl").write_text("sockets.signal:foo\n")
    outcome = hyperlambda("run", str(tmp_path / "program.hl"), *arguments)
    stderr = outcome.stderr.decode()
    assert outcome.returncode == code
    assert message in stderr
    assert "letmein" not in stderr
    assert "Traceback" not in stderr


def test_the_url_may_stand_in_the_environment(three: Cluster, tmp_path: Path) -> None:
    (tmp_path / "program.hl").write_text("sockets.users.count\n   filter:nobody\n")
    outcome = hyperlambda(
        *("run", "--tree", str(tmp_path / "program.hl")),
        HYPERLAMBDA_REDIS=three.redis.url,
    )
    assert outcome.stdout == b"sockets.users.count:int:0\n"


def test_a_bad_message_is_refused_before_it_is_sent(redis: RedisServer) -> None:
    with RedisHub(Redis(redis.url, "nobody")) as hub:
        with pytest.raises(HyperlambdaError, match="needs a name"):
            hub.publish(Message(""))
        with pytest.raises(HyperlambdaError, match="half a surrogate pair"):
            hub.publish(Message("foo", '"\ud800"'))
        with pytest.raises(HyperlambdaError, match="a group needs a name"):
            hub.add_to_group("ada", "")
        with pytest.raises(HyperlambdaError, match="none was given"):
            hub.disconnect_user("")
