"""Several things at a time: [fork], [join], [semaphore], [sleep]."""

from __future__ import annotations

from _thread import LockType, allocate_lock, get_ident
from collections.abc import Iterator
from contextlib import contextmanager

from hyperlambda import ArgumentError, Evaluator, Node, slot
from hyperlambda.expressions import resolve_int, resolve_text
from hyperlambda.forks import acquire, run_forks, start_fork, waiting_threads

_TICKET_SLOT = "auth.ticket.get"
_TICKET_SCOPE = ".auth.ticket.get"


@slot("fork")
def fork(evaluator: Evaluator, node: Node) -> None:
    """
    Run the children on a thread of its own, and go on at once.

    What runs is a copy that sees nothing else, and can return nothing. The whitelist and
    the limits of the program hold for it too; an error is logged. It ends with the
    process.

    Reads:
        children: the code.
    Leaves:
        value and children: as they are.
    Raises:
        LimitError: The program has too many forks running, or too many nodes.
    Source:
        Spec 02 §3.11, §7 (Q21, Q36).

    Example::

        .v:1
        fork
           get-value:x:@.v
        // becomes
        .v:1
        fork
           get-value:x:@.v
    """
    scopes = []
    if _TICKET_SLOT in evaluator.registry:
        ticket = Node(_TICKET_SLOT)
        evaluator.signal(_TICKET_SLOT, ticket)
        if ticket.value is not None:
            scopes.append((_TICKET_SCOPE, ticket))
    [code] = evaluator.clones([node])
    start_fork(evaluator, code, scopes)


@slot("join")
def join(evaluator: Evaluator, node: Node) -> None:
    """
    Run several forks at the same time, and wait for all of them.

    Reads:
        children: one or more [fork]. Each runs as a copy that sees nothing else, and
            can return nothing.
    Leaves:
        value: as it is.
        children: the forks with their results; as they were when one of them fails.
    Raises:
        ArgumentError: A child is not [fork]; none is run then.
        LimitError: There are too many forks at a time.
        HyperlambdaError: A fork failed; it is the error of the first in order.
    Source:
        Spec 02 §3.11, §7 (Q21, Q37).

    Example::

        join
           fork
              .v:2
              get-value:x:@.v
           fork
              get-value:x:@.v
        // becomes
        join
           fork
              .v:2
              get-value:2
           fork
              get-value
    """
    for child in node.children:
        if child.name != "fork":
            raise ArgumentError(f"'join' takes only [fork], not '{child.name}'")
    if not node.children:
        return
    copies = evaluator.clones(list(node.children))
    run_forks(evaluator, copies)
    node.clear()
    node.extend(copies)


@slot("semaphore")
def semaphore(evaluator: Evaluator, node: Node) -> None:
    """
    Run the children while no other program runs those of a semaphore of that name.

    Reads:
        value: the name.
        children: the code.
    Leaves:
        value and children: as they are; the code shows its own results.
    Raises:
        ArgumentError: There is no name, or the program holds that semaphore already.
        LimitError: The time of the program is over.
    Source:
        Spec 02 §3.11, §7 (Q38).

    Example::

        semaphore:demo
           .v:1
           get-name:x:@.v
        // becomes
        semaphore:demo
           .v:1
           get-name:.v
    """
    name = resolve_text(node)
    if name is None:
        raise ArgumentError("'semaphore' needs a name")
    with _held(evaluator, name):
        evaluator.run_children(node)


class _Semaphore:
    """
    A lock that is there as long as somebody uses it.

    Attributes:
        lock: Held by the program that runs.
        holder: The thread of that program, or None.
        users: How many programs hold it or wait for it.
    """

    __slots__ = ("holder", "lock", "users")

    def __init__(self) -> None:
        self.lock: LockType = allocate_lock()
        self.holder: int | None = None
        self.users = 0


# For the whole process, whichever evaluator runs the program: so the language says.
_semaphores: dict[str, _Semaphore] = {}
_guard = allocate_lock()


@contextmanager
def _held(evaluator: Evaluator, name: str) -> Iterator[None]:
    with _guard:
        entry = _semaphores.setdefault(name, _Semaphore())
        entry.users += 1
    try:
        # Also one that a program holds which waits for this one in [join].
        if entry.holder in waiting_threads(evaluator):
            raise ArgumentError(f"the program holds semaphore '{name}' already")
        acquire(evaluator, entry.lock)
        entry.holder = get_ident()
        try:
            yield
        finally:
            entry.holder = None
            entry.lock.release()
    finally:
        with _guard:
            entry.users -= 1
            if not entry.users:
                del _semaphores[name]


@slot("sleep")
def sleep(evaluator: Evaluator, node: Node) -> None:
    """
    Wait.

    Reads:
        value: int, milliseconds; an expression that finds nothing is 0.
    Leaves:
        value and children: as they are.
    Raises:
        ArgumentError: The number is negative.
        ConversionError: There is no number.
        LimitError: The time of the program is over.
    Source:
        Spec 02 §3.11, §7 (Q39).

    Example::

        sleep:int:1
        // becomes
        sleep:int:1
    """
    milliseconds = resolve_int(node)
    if milliseconds < 0:
        raise ArgumentError(f"'sleep' cannot wait {milliseconds} milliseconds")
    evaluator.sleep(milliseconds / 1000)
