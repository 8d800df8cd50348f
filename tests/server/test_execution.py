"""Files that clients run (spec 05 §3, §23 row 7)."""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from hyperlambda import Evaluator, HyperlambdaError, Node
from hyperlambda.limits import Limits
from hyperlambda.server import execution
from hyperlambda.server.auth import ANONYMOUS, Identity
from hyperlambda.server.execution import FAILED, FileExecutor
from hyperlambda.server.hub import Connection

from .clients import PATIENCE
from .hubs import encode

Outcome = tuple[str | None, str | None]


class Files:
    """A folder of files, and who runs them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.evaluator = Evaluator(root=root, limits=Limits(timeout=PATIENCE))
        self.executor = FileExecutor(self.evaluator, workers=4)
        self.guest = Connection("guest", ANONYMOUS, encode)

    def write(self, name: str, program: str) -> None:
        """Write a file below the folder `modules`."""
        path = self.root / "modules" / f"{name}.socket.hl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(program)

    def ask(
        self, name: str, json: str | None = None, who: Connection | None = None
    ) -> SimpleQueue[Outcome]:
        """Ask for a file; the queue will hold how it ended."""
        outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self.executor(
            who or self.guest,
            name,
            json,
            lambda error, result=None: outcomes.put((error, result)),
        )
        return outcomes

    def run(
        self, program: str, json: str | None = None, who: Connection | None = None
    ) -> Outcome:
        """Run a program as a file, and return how it ended."""
        self.write("program", program)
        return self.ask("program", json, who).get(timeout=PATIENCE)


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    """Return an empty folder, and end what runs in it."""
    files = Files(tmp_path)
    with files.executor:
        yield files


def member(name: str, *roles: str) -> Connection:
    return Connection(f"of {name}", Identity(name, frozenset(roles)), encode)


# Results.


@pytest.mark.parametrize(
    ("program", "result"),
    [
        ("", None),
        ("return", None),
        ("return:x", '"x"'),
        ("return:int:5", "5"),
        ("return:bool:false", "false"),
        ("return\n   a:1\n   b\n      .:int:2", '{"a":"1","b":[2]}'),
        ("return\n   .:é", '["é"]'),
        ("return:x:@.arguments/*/a", '"given"'),
    ],
)
def test_what_a_file_returns_is_the_result(
    files: Files, program: str, result: str | None
) -> None:
    assert files.run(program, '{"a":"given"}') == (None, result)


@pytest.mark.parametrize("json", [None, "", "{}", "null", "[]"])
def test_without_arguments_there_is_no_node_for_them(
    files: Files, json: str | None
) -> None:
    program = ".arguments\n   a:int\nexists:x:../*/.arguments\nreturn:x:-"
    assert files.run(program, json) == (None, "false")


# Errors.


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("throw:secret", FAILED),
        ("throw:for you\n   public:bool:true", "for you"),
        ("no.such.slot", FAILED),
        ("  not a program", FAILED),
        (".arguments\n   b:int", "no argument is named 'a' here"),
        ("broken", FAILED),
        ("return:node:a", FAILED),
    ],
)
def test_errors_are_told_if_they_are_public(
    files: Files, caplog: pytest.LogCaptureFixture, program: str, error: str
) -> None:
    @files.evaluator.slot("broken")
    def broken(evaluator: Evaluator, node: Node) -> None:
        raise ZeroDivisionError("secret")

    caplog.set_level(logging.INFO)
    assert files.run(program, '{"a":"x"}') == (error, None)
    assert "file 'program' failed: " in caplog.text


@pytest.mark.parametrize(
    ("file", "json", "error"),
    [
        ("missing", None, "no socket file is named 'missing'"),
        ("../x", None, "'../x' is no path of a socket file"),
        ("a", "{", "the arguments cannot be read: bad JSON"),
    ],
)
def test_what_cannot_be_run_is_told(
    files: Files, file: str, json: str | None, error: str
) -> None:
    files.write("a", "")
    found, result = files.ask(file, json).get(timeout=PATIENCE)
    assert (found or "").startswith(error)
    assert result is None


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (execution.MAX_FILE + 1, "it has more than 4194304 bytes"),
        (None, "it cannot be read: Permission denied"),
    ],
)
def test_what_cannot_be_read_is_one_line_of_the_log(
    files: Files,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    size: int | None,
    said: str,
) -> None:
    files.write("a", "return:a")
    if size is None:

        def refuse(path: Path) -> bytes:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))

        monkeypatch.setattr(Path, "read_bytes", refuse)
    else:
        os.truncate(files.root / "modules/a.socket.hl", size)
    assert files.ask("a").get(timeout=PATIENCE) == (FAILED, None)
    assert caplog.messages == [f"file 'a' failed: {said}"]
    assert caplog.records[0].exc_info is None


def test_clients_cannot_write_lines_of_the_log(
    files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    files.write("a", ".arguments\n   b:int")
    for file, argument in [("a", '{"x\\nERROR y":1}'), ("x\nERROR y", None)]:
        assert files.ask(file, argument).get(timeout=PATIENCE)[0]
    assert len(caplog.messages) == 2
    for line in caplog.messages:
        assert "\n" not in line
        assert "\\nERROR" in line


def test_what_never_ends_is_ended(files: Files) -> None:
    files.evaluator.limits = Limits(timeout=0.1, max_while_iterations=None)
    assert files.run("while:bool:true\n   .lambda\n      .x") == (FAILED, None)


def test_a_file_that_was_changed_is_read_anew(files: Files) -> None:
    assert files.run("return:one") == (None, '"one"')
    assert files.run("return:one") == (None, '"one"')
    assert files.run("return:other") == (None, '"other"')


def test_a_run_leaves_the_file_as_it_was(files: Files) -> None:
    program = ".n:int:0\nmath.increment:x:@.n\nreturn:x:@.n"
    for _ in range(3):
        assert files.run(program) == (None, "1")


# Who runs it.


def test_a_file_knows_its_connection_and_its_user(files: Files) -> None:
    ada = member("ada", "editor", "author")
    assert files.run("get-context:sockets.connection\nreturn:x:-", None, ada) == (
        None,
        '"of ada"',
    )
    roles = "auth.ticket.get\nget-nodes:x:-/*/roles/*\nadd:x:+\n   get-nodes:x:@get-nodes/*\nreturn"
    assert files.run(roles, None, ada) == (None, '["author","editor"]')
    assert files.run("auth.ticket.get\nreturn:x:-", None, ada) == (None, '"ada"')
    assert files.run("auth.ticket.get\nreturn:x:-") == (None, None)


@pytest.mark.parametrize(
    ("asked", "roles", "passes", "has_role"),
    [
        ("", None, False, False),
        ("editor", None, False, False),
        ("", (), True, False),
        ("editor", (), False, False),
        (":editor", ("editor",), True, True),
        (":author, editor", ("editor",), True, True),
        (":Editor", ("editor",), False, False),
        (':","', ("editor",), False, False),
        (":nothing", ("root",), True, False),
        (":root", ("root",), True, True),
    ],
)
def test_roles_decide(
    files: Files,
    asked: str,
    roles: tuple[str, ...] | None,
    passes: bool,
    has_role: bool,
) -> None:
    who = None if roles is None else member("ada", *roles)
    asked = asked if asked.startswith(":") or not asked else f":{asked}"
    verified = files.run(f"auth.ticket.verify{asked}\nreturn:passed", None, who)
    assert verified == ((None, '"passed"') if passes else ("Access denied", None))
    in_role = files.run(f"auth.ticket.in-role{asked}\nreturn:x:-", None, who)
    assert in_role == (None, "true" if has_role else "false")


def test_a_fork_keeps_the_user_and_loses_the_connection(files: Files) -> None:
    seen: SimpleQueue[tuple[object, object]] = SimpleQueue()

    @files.evaluator.slot("tell")
    def tell(evaluator: Evaluator, node: Node) -> None:
        ticket, id = (child.value for child in node.children)
        seen.put((ticket, id))

    program = """fork
   auth.ticket.get
   get-context:sockets.connection
   unwrap:x:+/*
   tell
      .:x:@auth.ticket.get
      .:x:@get-context
"""
    assert files.run(program, None, member("ada")) == (None, None)
    assert seen.get(timeout=PATIENCE) == ("ada", None)


# Turns.


class Gates:
    """A slot that says that it was reached, and waits until it may go on."""

    def __init__(self, files: Files) -> None:
        self.reached: SimpleQueue[str] = SimpleQueue()
        self.open = threading.Semaphore(0)

        @files.evaluator.slot("gate")
        def gate(evaluator: Evaluator, node: Node) -> None:
            self.reached.put(node.value)
            assert self.open.acquire(timeout=PATIENCE)


def test_files_of_one_connection_run_one_after_another(files: Files) -> None:
    gates = Gates(files)
    for name in "abc":
        files.write(name, f"gate:{name}\nreturn:{name}")
    outcomes = [files.ask(name) for name in "abc"]
    other = files.ask("b", None, member("ada"))
    # Those of another connection run beside them.
    first = {gates.reached.get(timeout=PATIENCE) for _ in range(2)}
    assert first == {"a", "b"}
    assert gates.reached.empty()
    for _ in range(4):
        gates.open.release()
    for name, outcome in zip("abc", outcomes, strict=True):
        assert outcome.get(timeout=PATIENCE) == (None, f'"{name}"')
    assert other.get(timeout=PATIENCE) == (None, '"b"')
    assert [gates.reached.get(timeout=PATIENCE) for _ in range(2)] == ["b", "c"]
    assert not files.executor._waiting


def test_so_many_may_wait_and_no_more(files: Files) -> None:
    files.executor._max_waiting = 2
    gates = Gates(files)
    files.write("a", "gate:a")
    kept = [files.ask("a"), files.ask("a")]
    assert files.ask("a").get(timeout=PATIENCE) == ("the server is busy", None)
    for outcome in kept:
        gates.open.release()
        assert outcome.get(timeout=PATIENCE) == (None, None)
    gates.open.release()
    assert files.ask("a").get(timeout=PATIENCE) == (None, None)


def test_the_end_waits_for_what_runs_and_drops_what_waits(tmp_path: Path) -> None:
    files = Files(tmp_path)
    gates = Gates(files)
    files.write("a", "gate:a\nreturn:ended")
    first, second = files.ask("a"), files.ask("a")
    gates.reached.get(timeout=PATIENCE)
    gates.open.release()
    files.executor.close()
    assert first.get(timeout=PATIENCE) == (None, '"ended"')
    assert second.empty()
    assert files.ask("a").get(timeout=PATIENCE) == ("the server is busy", None)


def test_the_end_stops_what_does_not_end(tmp_path: Path) -> None:
    files = Files(tmp_path)
    gates = Gates(files)
    files.write("a", "gate:a\nsleep:600000")
    outcome = files.ask("a")
    gates.reached.get(timeout=PATIENCE)
    gates.open.release()
    files.executor.close(timeout=0.05)
    assert outcome.get(timeout=PATIENCE) == (FAILED, None)


def test_an_evaluator_without_root_runs_no_files() -> None:
    with pytest.raises(HyperlambdaError, match="there is none"):
        FileExecutor(Evaluator())
