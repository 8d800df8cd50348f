"""Slots of one's own; checked by mypy, never run."""

from typing import assert_type

from hyperlambda import (
    Audience,
    AudienceKind,
    Evaluator,
    Hub,
    Message,
    Node,
    SocketGroup,
    SocketUser,
    slot,
)

evaluator = Evaluator()


@evaluator.slot("greet", "hello")
def greet(run: Evaluator, node: Node) -> None:
    node.value = f"Hello {node.get('name', 'you')}"
    with run.scope("greeting", node.value):
        run.run_children(node)
    run.peek("greeting")
    run.signal("eval", node)
    assert_type(run.evaluate(node.clone()), Node)


@evaluator.slot("fetch")
async def fetch(run: Evaluator, node: Node) -> None:
    node.value = 1


class Counter:
    def __init__(self) -> None:
        self.count = 0

    def next(self, run: Evaluator, node: Node) -> None:
        self.count += 1
        node.value = self.count


evaluator.register("counter.next", Counter().next)
evaluator.register("lambda", lambda run, node: node.clear())

# What is no slot is told by the type checker too.
evaluator.register("bad", lambda node: None)  # type: ignore[misc, arg-type]


@slot("bad")  # type: ignore[type-var]
def bad(node: Node) -> None: ...


class Recorder:
    """A hub that is nobody's subclass."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def publish(self, message: Message) -> None:
        self.messages.append(message)

    def users(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketUser]:
        return []

    def count_users(self, prefix: str = "") -> int:
        return 0

    def count_connections(self, prefix: str = "") -> int:
        return 0

    def add_to_group(
        self, username: str, group: str, *, persist: bool = False
    ) -> None: ...

    def remove_from_group(self, username: str, group: str) -> None: ...

    def groups(
        self, prefix: str = "", offset: int = 0, limit: int | None = 10
    ) -> list[SocketGroup]:
        return []

    def groups_of(self, connection: str) -> list[str]:
        return []

    def lasting_groups_of(self, username: str) -> list[str]:
        return []

    def disconnect(
        self, connection: str, reason: str = "", *, may_return: bool = False
    ) -> None: ...

    def disconnect_user(
        self, username: str, reason: str = "", *, may_return: bool = False
    ) -> None: ...


hub: Hub = Recorder()
Evaluator(hub=hub)
Evaluator(hub=Recorder())
Message("news", None, Audience(AudienceKind.ROLES, ("root",)))
