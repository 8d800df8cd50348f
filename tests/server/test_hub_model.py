"""Random runs: the hub reaches exactly whom lists searched from end to end say."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hyperlambda.server.hub import Connection, SocketHub
from hyperlambda.sockets import AudienceKind

from .hubs import EVERYONE, add, reached, take

NAMES = st.sampled_from(["a", "a.b", "a.b.c", "b", "a.", ".a"])
SUBSCRIPTIONS = st.sampled_from(["a", "a.b", "a.b.c", "b", "*", "a.*", "a.b.*", "b.*"])
LETTERS = st.sampled_from("xyz")
USERNAMES = st.sampled_from(["ada", "bo", None])


def naive_match(subscription: str, name: str) -> bool:
    if subscription.endswith(".*"):
        return name.startswith(subscription[:-1])
    return subscription in ("*", name)


class HubModel(RuleBasedStateMachine):
    """A hub beside lists that are searched from end to end."""

    def __init__(self) -> None:
        super().__init__()
        self.hub = SocketHub(wake=lambda: None)
        self.members: list[Connection] = []
        self.groups: dict[str, set[str]] = {}
        self.lasting: dict[str, set[str]] = {"ada": set(), "bo": set()}
        self.names: dict[str, set[str]] = {}
        self.number = 0

    @rule(username=USERNAMES, roles=st.sets(LETTERS), groups=st.sets(LETTERS))
    def come(self, username: str | None, roles: set[str], groups: set[str]) -> None:
        self.number += 1
        id = f"c{self.number}"
        own = groups | self.lasting[username] if username else set()
        self.members.append(
            add(self.hub, id, username, roles="".join(roles), groups="".join(groups))
        )
        self.groups[id] = set(own)
        self.names[id] = set()

    def pick(self, index: int) -> Connection | None:
        return self.members[index % len(self.members)] if self.members else None

    @rule(index=st.integers(0, 9))
    def go(self, index: int) -> None:
        if one := self.pick(index):
            self.members.remove(one)
            self.hub.leave(one)

    @rule(index=st.integers(0, 9), name=SUBSCRIPTIONS)
    def subscribe(self, index: int, name: str) -> None:
        if one := self.pick(index):
            self.hub.subscribe(one, name)
            self.names[one.id].add(name)

    @rule(index=st.integers(0, 9), name=SUBSCRIPTIONS)
    def unsubscribe(self, index: int, name: str) -> None:
        if one := self.pick(index):
            self.hub.unsubscribe(one, name)
            self.names[one.id].discard(name)

    @rule(
        username=st.sampled_from(["ada", "bo", "c1", "c2"]),
        group=LETTERS,
        add=st.booleans(),
        persist=st.booleans(),
    )
    def change_group(self, username: str, group: str, add: bool, persist: bool) -> None:
        lasting = self.lasting.get(username)
        if not add:
            self.hub.remove_from_group(username, group)
            (set() if lasting is None else lasting).discard(group)
        elif not persist or lasting is None:
            self.hub.add_to_group(username, group)
        else:
            self.hub.add_to_group(username, group, persist=True)
            lasting.add(group)
        take(self.hub)
        own = [one for one in self.members if one.identity.username == username]
        for one in own or [one for one in self.members if one.id == username]:
            (self.groups[one.id].add if add else self.groups[one.id].discard)(group)

    @rule(
        name=NAMES,
        kind=st.sampled_from(AudienceKind),
        names=st.lists(st.sampled_from(["x", "y", "z", "ada", "bo", "c1", "c2", "c3"])),
    )
    def publish(self, name: str, kind: AudienceKind, names: list[str]) -> None:
        def is_meant(one: Connection) -> bool:
            facts: dict[AudienceKind, set[str]] = {
                AudienceKind.ROLES: set(one.identity.roles),
                AudienceKind.GROUPS: self.groups[one.id],
                AudienceKind.USERS: {one.identity.username or ""},
                AudienceKind.CLIENTS: {one.id},
            }
            return kind is EVERYONE or bool(facts[kind] & set(names))

        expected = {
            one.id
            for one in self.members
            if is_meant(one) and any(naive_match(s, name) for s in self.names[one.id])
        }
        assert reached(self.hub, name, kind, *names) == expected

    @invariant()
    def what_lasts_is_known(self) -> None:
        for username, groups in self.lasting.items():
            assert self.hub.lasting_groups_of(username) == sorted(groups)

    @invariant()
    def everybody_is_counted(self) -> None:
        keys = {one.identity.username or one.id for one in self.members}
        assert self.hub.count_users() == len(keys)
        assert [user.username for user in self.hub.users(limit=None)] == sorted(keys)


HubModel.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None
)
TestHubModel = HubModel.TestCase
