"""
Random runs of clients that drop and come back, beside lists that are searched from end to
end: nothing is lost without a word, nothing comes twice, and nobody gets what is not theirs.

The model keeps its own queue of what was asked for, in the order in which it was asked, and
carries it out when the hub does. What it then expects for each connection is compared frame
by frame, messages and answers alike.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hyperlambda.server.auth import ANONYMOUS, Identity
from hyperlambda.server.history import History
from hyperlambda.server.hub import Connection, SocketHub
from hyperlambda.server.protocols.plain import PlainSession, encode_message
from hyperlambda.server.recovery import Bounds
from hyperlambda.server.retention import Rule
from hyperlambda.sockets import Audience, AudienceKind, Message

from .hubs import take
from .test_hub_model import naive_match
from .test_plain import payload

RULES = [Rule("a.no", 0), Rule("a.*", 3, 20), Rule("b", 6, 60), Rule("c.*", 2, 9)]
PAGE = 2

NAMES = st.sampled_from(["a.x", "a.x", "a.y", "a.no", "b", "b", "c.z", "other"])
SUBSCRIPTIONS = st.lists(
    st.sampled_from(["a.x", "a.*", "b", "c.z", "other", "*"]),
    min_size=1,
    max_size=3,
    unique=True,
)
LETTERS = st.sampled_from("xyz")
CLIENTS = st.sampled_from([0, 0, 0, 1, 2, 3])


@dataclass
class Sent:
    """A message as the model remembers it."""

    number: int
    name: str
    kind: AudienceKind
    names: tuple[str, ...]
    excluded: tuple[str, ...]
    offset: int  # 0: it is not kept
    time: float = 0.0


@dataclass
class Client:
    """Somebody with one connection after another."""

    identity: Identity
    session: PlainSession | None = None
    former: list[str] = field(default_factory=list)
    groups: set[str] = field(default_factory=set)
    starts: dict[str, int] = field(default_factory=dict)
    expected: list[dict[str, Any]] = field(default_factory=list)
    arrived: list[dict[str, Any]] = field(default_factory=list)
    position: str = ""
    seen: list[int] = field(default_factory=list)

    @property
    def id(self) -> str:
        assert self.session is not None
        return self.session.connection.id


class HistoryModel(RuleBasedStateMachine):
    """A hub with history beside a list of all messages."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.history = History(RULES, clock=lambda: self.now)
        self.hub = SocketHub(wake=lambda: None, history=self.history)
        self.clients = [
            Client(Identity("ada", frozenset("x"), frozenset("x"))),
            Client(Identity("ada", frozenset("yz"), frozenset())),
            Client(Identity("bo", frozenset(), frozenset("yz"))),
            Client(ANONYMOUS),
        ]
        self.sent: list[Sent] = []
        self.queue: list[Callable[[], None]] = []
        self.top = self.number = self.connections = 0
        for index in range(4):
            self.come(index)
            self.subscribe(index, ["a.*", "b"])

    # What happens.

    @rule(index=CLIENTS)
    def come(self, index: int) -> None:
        client = self.clients[index]
        if client.session is not None:
            return
        self.connections += 1
        id = f"c{self.connections}"
        client.session = PlainSession(
            self.hub,
            Connection(id, client.identity, encode_message),
            bounds=Bounds(PAGE),
        )
        client.groups = set(client.identity.groups)
        client.session.open()
        self.expect_later(
            client,
            lambda: {
                "type": "welcome",
                "connection": id,
                "user": client.identity.username,
                "roles": sorted(client.identity.roles),
                "groups": sorted(client.identity.groups),
                "expires": None,
            },
        )

    @rule(index=CLIENTS, unread=st.integers(0, 9))
    def drop(self, index: int, unread: int) -> None:
        """Lose a connection, the frames that are on their way, and what it asked for."""
        client = self.clients[index]
        if client.session is None:
            return
        self.take(client, unread)
        self.hub.leave(client.session.connection)
        client.former.append(client.id)
        client.session = None
        client.groups, client.starts, client.expected = set(), {}, []
        client.arrived = []

    @rule(index=CLIENTS, names=SUBSCRIPTIONS)
    def subscribe(self, index: int, names: list[str]) -> None:
        client = self.clients[index]
        if client.session is None:
            return
        client.session.receive(json.dumps({"type": "subscribe", "names": names}))

        def answer() -> dict[str, Any]:
            for name in names:
                client.starts.setdefault(name, self.top)
            answer = {"type": "subscribed", "names": names}
            return {**answer, **self.marked(names, self.top)}

        self.expect_later(client, answer)

    @rule(
        index=CLIENTS,
        names=SUBSCRIPTIONS,
        back=st.sampled_from([0, 0, 0, 1, 3, 99]),
        is_foreign=st.sampled_from([False] * 9 + [True]),
    )
    def resume(self, index: int, names: list[str], back: int, is_foreign: bool) -> None:
        """Ask for what was missed, since what was seen or since an earlier position."""
        client = self.clients[index]
        if client.session is None:
            return
        epoch, _, offset = client.position.rpartition("-")
        since = max(int(offset or 0) - back, 0)
        if is_foreign:
            epoch, since = "foreign", since
        former = client.former[-5:]
        client.session.receive(
            json.dumps(
                {
                    "type": "subscribe",
                    "names": names,
                    "since": f"{epoch}-{since}",
                    "former": former,
                }
            )
        )
        session = client.session

        def carry_out() -> None:
            if client.session is session:
                is_ours = epoch == self.history.epoch
                self.replay(client, names, since if is_ours else 0, former, is_ours)

        self.queue.append(carry_out)

    @rule(index=CLIENTS, names=SUBSCRIPTIONS)
    def unsubscribe(self, index: int, names: list[str]) -> None:
        client = self.clients[index]
        if client.session is None:
            return
        client.session.receive(json.dumps({"type": "unsubscribe", "names": names}))

        def answer() -> dict[str, Any]:
            for name in names:
                client.starts.pop(name, None)
            return {"type": "unsubscribed", "names": names}

        self.expect_later(client, answer)

    @rule(index=CLIENTS)
    def ping(self, index: int) -> None:
        client = self.clients[index]
        if client.session is None:
            return
        client.session.receive('{"type":"ping"}')
        self.expect_later(
            client,
            lambda: {"type": "pong", **self.marked(list(client.starts), self.top)},
        )

    @rule(
        names=st.lists(NAMES, min_size=1, max_size=5),
        kind=st.sampled_from([AudienceKind.EVERYONE, *AudienceKind]),
        to=st.lists(
            st.sampled_from(["x", "y", "z", "ada", "bo", "c1", "c5", "c6"]), min_size=1
        ),
        excluded=st.lists(st.sampled_from(["c1", "c2", "c5", "c6"]), max_size=2),
    )
    def publish(
        self, names: list[str], kind: AudienceKind, to: list[str], excluded: list[str]
    ) -> None:
        for name in names:
            self.number += 1
            sent = Sent(self.number, name, kind, tuple(to), tuple(excluded), 0)
            self.hub.publish(
                Message(
                    name, str(sent.number), Audience(kind, sent.names), sent.excluded
                )
            )
            self.queue.append(partial(self.deliver, sent))

    def deliver(self, sent: Sent) -> None:
        kept = rule_for(sent.name)
        if kept is not None and kept.count and sent.kind is not AudienceKind.CLIENTS:
            self.top += 1
            sent.offset, sent.time = self.top, self.now
            self.sent.append(sent)
        for client in self.clients:
            if (
                client.session is not None
                and any(naive_match(each, sent.name) for each in client.starts)
                and is_meant(client, sent)
                and client.id not in sent.excluded
            ):
                client.expected.append(self.frame(sent))

    @rule(username=st.sampled_from(["ada", "bo"]), group=LETTERS, add=st.booleans())
    def change_group(self, username: str, group: str, add: bool) -> None:
        change = self.hub.add_to_group if add else self.hub.remove_from_group
        change(username, group)
        theirs = [
            (client, client.session)
            for client in self.clients
            if client.session is not None and client.identity.username == username
        ]

        def carry_out() -> None:
            for client, session in theirs:
                if client.session is session:
                    (client.groups.add if add else client.groups.discard)(group)

        self.queue.append(carry_out)

    @rule(seconds=st.sampled_from([1, 4, 10, 30]))
    def wait(self, seconds: int) -> None:
        # Ages are those of the turn in which a message is delivered.
        self.turn()
        self.now += seconds

    @rule()
    def turn(self) -> None:
        frames = take(self.hub)
        queue, self.queue = self.queue, []
        for carry_out in queue:
            carry_out()
        for client in self.clients:
            if client.session is not None:
                client.arrived += map(payload, frames.get(client.id, ()))
                assert client.arrived == client.expected

    @rule(index=CLIENTS, unread=st.integers(0, 3))
    def read(self, index: int, unread: int = 0) -> None:
        """Read all frames but the last few, and remember where the client stands."""
        self.turn()
        if self.clients[index].session is not None:
            self.take(self.clients[index], unread)

    def take(self, client: Client, unread: int) -> None:
        for fields in client.arrived[: max(len(client.arrived) - unread, 0)]:
            client.position = fields.get("position", client.position)
            client.expected.pop(0)
            client.arrived.pop(0)

    # What is expected.

    def expect_later(
        self, client: Client, answer: Callable[[], dict[str, Any]]
    ) -> None:
        session = client.session

        def carry_out() -> None:
            if client.session is session:
                client.expected.append(answer())

        self.queue.append(carry_out)

    def replay(
        self,
        client: Client,
        names: list[str],
        since: int,
        former: list[str],
        is_ours: bool,
    ) -> None:
        newer = [
            sent
            for sent in self.sent
            if sent.offset > since
            and any(naive_match(each, sent.name) for each in names)
        ]
        left = [sent for sent in newer if self.is_left(sent)]
        ids = {client.id, *former}
        page: list[Sent] = []
        end, has_more = max(since, self.top), False
        last = since
        for sent in left:
            if len(page) == PAGE:
                end, has_more = last, True
                break
            last = sent.offset
            if (
                is_meant(client, sent)
                and ids.isdisjoint(sent.excluded)
                and not any(
                    start < sent.offset and naive_match(each, sent.name)
                    for each, start in client.starts.items()
                )
            ):
                page.append(sent)
        client.expected += [self.frame(sent) for sent in page]
        if not has_more:
            for each in names:
                client.starts.setdefault(each, end)
        client.expected.append(
            {
                "type": "replayed" if has_more else "subscribed",
                "names": names,
                "recovered": is_ours
                and left == newer
                and bool(self.marked(names, end)),
                "position": f"{self.history.epoch}-{end}",
            }
        )

    def is_left(self, sent: Sent) -> bool:
        kept = rule_for(sent.name)
        assert kept is not None
        same = [each for each in self.sent if each.name == sent.name]
        return sent in same[-kept.count :] and sent.time >= self.now - kept.age

    def frame(self, sent: Sent) -> dict[str, Any]:
        frame = {"type": "message", "name": sent.name, "args": sent.number}
        if sent.offset:
            frame["position"] = f"{self.history.epoch}-{sent.offset}"
        return frame

    def marked(self, names: list[str], offset: int) -> dict[str, str]:
        """Return the position, for whoever listens to what may be kept."""
        if not any(naive_match(n, k) for n in names for k in ("a.x", "b", "c.z")):
            return {}
        return {"position": f"{self.history.epoch}-{offset}"}

    @invariant()
    def as_much_is_kept_as_the_rules_say(self) -> None:
        self.history.since(0, (), lambda message: True)
        assert self.history.count == sum(self.is_left(sent) for sent in self.sent)
        assert (self.history.size == 0) == (self.history.count == 0)


def rule_for(name: str) -> Rule | None:
    return next((each for each in RULES if naive_match(each.pattern, name)), None)


def is_meant(client: Client, sent: Sent) -> bool:
    facts: dict[AudienceKind, set[str]] = {
        AudienceKind.ROLES: set(client.identity.roles),
        AudienceKind.GROUPS: client.groups,
        AudienceKind.USERS: {client.identity.username or ""},
        AudienceKind.CLIENTS: {client.id},
    }
    return sent.kind is AudienceKind.EVERYONE or bool(
        facts[sent.kind] & set(sent.names)
    )


HistoryModel.TestCase.settings = settings(
    max_examples=100, stateful_step_count=50, deadline=None
)
TestHistoryModel = HistoryModel.TestCase
