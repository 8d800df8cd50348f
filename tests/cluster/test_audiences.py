"""Three server processes: a message reaches the right clients of all, and no others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hyperlambda.client import ReceivedMessage, SocketClient
from hyperlambda.server import issue_token
from hyperlambda.sockets import Audience, AudienceKind, Message

from ..commands.process import SECRET
from . import cluster as helpers
from .cluster import Cluster
from .redis_server import TIMEOUT

EVERYBODY = {"ada at 0", "ada at 1", "bo at 1", "cy at 2", "guest at 0", "guest at 2"}

EVERYONE, ROLES, GROUPS, USERS, CLIENTS = AudienceKind

CASES = [
    (EVERYONE, (), EVERYBODY),
    (ROLES, ("root",), {"ada at 0", "ada at 1"}),
    (ROLES, ("admin",), {"bo at 1"}),
    (ROLES, ("root", "admin", "editor"), {"ada at 0", "ada at 1", "bo at 1"}),
    (ROLES, ("guest",), set()),
    (ROLES, (), set()),
    (GROUPS, ("red",), {"cy at 2", "bo at 1"}),
    (GROUPS, ("blue",), {"cy at 2"}),
    (GROUPS, ("red", "blue"), {"cy at 2", "bo at 1"}),
    (GROUPS, ("root",), set()),
    (USERS, ("ada",), {"ada at 0", "ada at 1"}),
    (USERS, ("bo", "cy", "nobody"), {"bo at 1", "cy at 2"}),
    (USERS, ("Ada",), set()),
    (CLIENTS, ("guest at 2",), {"guest at 2"}),
    (CLIENTS, ("ada at 1", "cy at 2"), {"ada at 1", "cy at 2"}),
    (CLIENTS, ("ada",), set()),
]


@pytest.fixture(scope="module")
def people(three: Cluster) -> Iterator[helpers.Audience]:
    with helpers.Audience(three) as people:
        people.add("ada at 0", 0, "ada", ("root", "editor"))
        people.add("ada at 1", 1, "ada", ("root",))
        people.add("bo at 1", 1, "bo", ("admin",), ("red",))
        people.add("cy at 2", 2, "cy", (), ("red", "blue"))
        people.add("guest at 0", 0)
        people.add("guest at 2", 2)
        yield people


@pytest.fixture(scope="module", params=[0, 1, 2])
def publisher(request: pytest.FixtureRequest, three: Cluster) -> Iterator[SocketClient]:
    """Return a client that publishes at one node, and listens to nothing."""
    token = issue_token(
        SECRET, "pat", ["admin-of-messages", "root-of-messages", "root"]
    )
    url = three.urls[request.param]
    with SocketClient(url, token=token, timeout=TIMEOUT) as client:
        yield client


@pytest.mark.parametrize(("kind", "names", "expected"), CASES)
def test_a_message_reaches_its_audience_on_all_nodes_once_and_nobody_else(
    people: helpers.Audience,
    publisher: SocketClient,
    kind: AudienceKind,
    names: tuple[str, ...],
    expected: set[str],
) -> None:
    ids = {label: client.connection_id for label, client in people.clients.items()}
    audience = Audience(kind, tuple(ids.get(name, name) for name in names))
    publisher.publish(Message("foo.bar", '{"says":"Grüße"}', audience))
    message = ReceivedMessage("foo.bar", {"says": "Grüße"})
    assert people.hear(publisher) == {
        label: [message] if label in expected else [] for label in EVERYBODY
    }


def test_a_message_does_not_reach_whom_it_excepts(
    people: helpers.Audience, publisher: SocketClient
) -> None:
    excepted = {"ada at 0", "cy at 2"}
    ids = tuple(people.clients[label].connection_id for label in sorted(excepted))
    publisher.publish(Message("foo", None, excluded=ids))
    got = people.hear(publisher)
    assert {
        label for label, messages in got.items() if messages
    } == EVERYBODY - excepted


def test_messages_of_one_publisher_arrive_everywhere_in_their_order(
    people: helpers.Audience, publisher: SocketClient
) -> None:
    for number in range(200):
        audience = Audience(ROLES, ("root",)) if number % 3 else Audience()
        publisher.publish(Message("foo", str(number), audience))
    for label, messages in people.hear(publisher).items():
        numbers = [message.args for message in messages]
        is_root = label.startswith("ada")
        assert numbers == [n for n in range(200) if is_root or not n % 3]
