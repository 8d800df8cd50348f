"""Random runs: the tables of all nodes answer as lists searched from end to end do."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hyperlambda.server.cluster_view import ClusterTables, Record
from hyperlambda.sockets import SocketGroup, SocketUser

NODES = st.sampled_from("mn")
IDS = st.sampled_from(["c1", "c2", "c3", "c4", "c5"])
RECORDS = st.tuples(
    st.sampled_from(["ada", "adam", "bo", None]),
    st.integers(0, 5),
    st.sets(st.sampled_from("xyz")).map(lambda names: tuple(sorted(names))),
)


class ViewModel(RuleBasedStateMachine):
    """The tables beside one dict."""

    def __init__(self) -> None:
        super().__init__()
        self.tables = ClusterTables()
        self.known: dict[str, Record] = {}

    @rule(node=NODES, id=IDS, fields=RECORDS)
    def come(
        self, node: str, id: str, fields: tuple[str | None, int, tuple[str, ...]]
    ) -> None:
        record = Record(node, *fields)
        self.tables.change(node, {id: record})
        self.known[id] = record

    @rule(node=NODES, id=IDS)
    def go(self, node: str, id: str) -> None:
        """A node speaks for its own connections only."""
        self.tables.change(node, {id: None})
        if id in self.known and self.known[id].node == node:
            del self.known[id]

    @rule(node=NODES, ids=st.sets(IDS, max_size=3), fields=RECORDS)
    def replace(
        self,
        node: str,
        ids: set[str],
        fields: tuple[str | None, int, tuple[str, ...]],
    ) -> None:
        records = {id: Record(node, *fields) for id in ids}
        self.tables.replace(node, records)
        others = {id: each for id, each in self.known.items() if each.node != node}
        self.known = {**others, **records}

    @rule(node=NODES)
    def drop(self, node: str) -> None:
        self.tables.drop(node)
        self.known = {id: each for id, each in self.known.items() if each.node != node}

    @invariant()
    def answers_are_right(self) -> None:
        for prefix in ("", "ad", "c"):
            self.check(prefix)
        for id in ("c1", "c2"):
            record = self.known.get(id)
            assert self.tables.is_connected(id) is (record is not None)
            assert self.tables.groups_of(id) == ([*record.groups] if record else [])
        for node in "mn":
            own = {id: each for id, each in self.known.items() if each.node == node}
            assert self.tables.of_node(node) == own

    def check(self, prefix: str) -> None:
        users: dict[str, set[str]] = {}
        for id, record in self.known.items():
            users.setdefault(record.username or id, set()).add(id)
        names = sorted(name for name in users if name.startswith(prefix))
        found = self.tables.users(prefix, limit=None)
        assert [user.username for user in found] == names
        assert self.tables.count_users(prefix) == len(names)
        count = sum(len(users[name]) for name in names)
        assert self.tables.count_connections(prefix) == count
        for user in found:
            assert set(user.connections) == users[user.username]
            times = [self.known[id].joined for id in user.connections]
            assert times == sorted(times)
        assert self.tables.users(prefix, 1, 2) == found[1:3]
        assert self.tables.users(prefix, -1, 1) == found[:1]
        groups = [
            SocketGroup(
                group, sum(group in each.groups for each in self.known.values())
            )
            for group in "xyz"
        ]
        present = [each for each in groups if each.connections]
        assert self.tables.groups(limit=None) == present
        assert self.tables.groups("y") == [each for each in present if each.name == "y"]


ViewModel.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None
)
TestViewModel = ViewModel.TestCase


def test_the_connections_of_a_user_stand_in_the_order_in_which_they_joined() -> None:
    tables = ClusterTables()
    tables.change("m", {"late": Record("m", "ada", 3.0, ())})
    tables.change("n", {"early": Record("n", "ada", 1.0, ())})
    assert tables.users() == [SocketUser("ada", ("early", "late"))]
