"""`subscribe`, `publish` and `run --connect`, against a server that runs."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hyperlambda.commands.group import group
from hyperlambda.server import verify_token

from .process import SECRET, TIMEOUT, hyperlambda, line_of, serving, started, token

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def nowhere() -> str:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        return f"ws://127.0.0.1:{unused.getsockname()[1]}/ws"


def invoke(*arguments: str) -> Result:
    return CliRunner(env={"HYPERLAMBDA_TOKEN": None}).invoke(group, list(arguments))


def test_a_message_goes_from_publish_to_subscribe(url: str) -> None:
    with started(
        "subscribe",
        "foo.*",
        "--url",
        url,
        "--count",
        "2",
        HYPERLAMBDA_TOKEN=token("root"),
    ) as subscriber:
        ready = line_of(subscriber.stderr)
        assert ready == f"listening to foo.* at {url} as ada"
        root = ["--url", url, "--token", token("root")]
        quiet = hyperlambda("publish", "other", "1", *root)
        assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, b"", b"")
        hyperlambda("publish", "foo.bar", "{}", "--roles", "admin", *root)
        hyperlambda("publish", "foo.bar", '{"text":"🙂"}', "--roles", "a, root", *root)
        # Nothing waits in a buffer: the line is there while the client still listens.
        assert line_of(subscriber.stdout) == '{"name":"foo.bar","args":{"text":"🙂"}}'
        hyperlambda("publish", "foo.none", *root)
        assert line_of(subscriber.stdout) == '{"name":"foo.none","args":null}'
        assert subscriber.communicate(timeout=TIMEOUT) == ("", "")
        assert subscriber.returncode == 0


@pytest.mark.parametrize(
    ("audience", "arrives"),
    [
        ([], True),
        (["--users", "gina"], True),
        (["--users", "someone"], False),
        (["--groups", "group1"], True),
        (["--groups", "group2"], False),
        (["--roles", "root"], False),
        (["--clients", "nobody"], False),
    ],
)
def test_only_the_audience_gets_a_message(
    url: str, audience: list[str], arrives: bool
) -> None:
    gina = token(user="gina", groups="group1")
    with started(
        "subscribe", "m", "end", "--url", url, HYPERLAMBDA_TOKEN=gina
    ) as subscriber:
        line_of(subscriber.stderr)
        root = ["--url", url, "--token", token("root")]
        assert invoke("publish", "m", "1", *audience, *root).exit_code == 0
        assert invoke("publish", "end", *root).exit_code == 0
        first = json.loads(line_of(subscriber.stdout))
        assert first["name"] == ("m" if arrives else "end")


def test_a_program_publishes_through_the_server(url: str) -> None:
    with started("subscribe", "*", "--url", url) as guest:
        ready = line_of(guest.stderr)
        assert ready == f"listening to * at {url} as somebody anonymous"
        with started(
            "subscribe", "*", "--url", url, HYPERLAMBDA_TOKEN=token("admin")
        ) as admin:
            line_of(admin.stderr)
            outcome = hyperlambda(
                *("run", str(SAMPLES / "signal.hl"), "--connect", url),
                HYPERLAMBDA_TOKEN=token("root", user="rita"),
            )
            assert (outcome.returncode, outcome.stderr) == (0, b"")
            got = [json.loads(line_of(admin.stdout)) for _ in range(2)]
        assert json.loads(line_of(guest.stdout))["name"] == "everyone.note"
    assert got == [
        {"name": "foo.bar", "args": {"message": "Hello from backend"}},
        {"name": "everyone.note", "args": {"message": "Hello everybody"}},
    ]


def test_who_may_not_publish_is_told_so(url: str, tmp_path: Path) -> None:
    outcome = invoke("publish", "foo", "--url", url)
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("error: the server refused: ")
    assert outcome.stderr.count("\n") == 1
    (tmp_path / "p.hl").write_text("sockets.signal:foo")
    outcome = invoke("run", str(tmp_path / "p.hl"), "--connect", url)
    assert outcome.exit_code == 1
    assert f"{tmp_path / 'p.hl'}:1:1: error: the server refused: " in outcome.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["subscribe", "foo", "--url"],
        ["publish", "foo", "--url"],
        ["run", str(SAMPLES / "signal.hl"), "--connect"],
    ],
)
class TestWhatCannotWork:
    """Each command tells in one line what is wrong."""

    def failure(self, *arguments: str) -> str:
        outcome = invoke(*arguments)
        assert outcome.stdout == ""
        assert outcome.exit_code == 1
        assert outcome.stderr.count("\n") == 1
        return outcome.stderr

    def test_no_server(self, arguments: list[str], nowhere: str) -> None:
        message = self.failure(*arguments, nowhere)
        assert message == f"error: no server answers at {nowhere}\n"

    @pytest.mark.parametrize("address", ["nonsense", "http://127.0.0.1:1/", ""])
    def test_no_address(self, arguments: list[str], address: str) -> None:
        message = self.failure(*arguments, address)
        assert message == f"error: '{address}' is no address of a socket server\n"

    @pytest.mark.parametrize("bad", ["nonsense", "a.b.c", ""])
    def test_bad_token(self, arguments: list[str], url: str, bad: str) -> None:
        assert "token" in self.failure(*arguments, url, "--token", bad)

    def test_a_server_of_something_else(self, arguments: list[str], url: str) -> None:
        message = self.failure(*arguments, url.removesuffix("/ws") + "/health")
        assert "200" in message


@pytest.mark.parametrize("token", ["é", "two\nlines", "\udcff"])
def test_what_cannot_be_a_token_is_not_sent(token: str, nowhere: str) -> None:
    outcome = invoke("subscribe", "foo", "--url", nowhere, "--token", token)
    assert outcome.exit_code == 2
    assert outcome.stderr == "error: the token has characters that no token has\n"


def test_blanks_around_a_token_do_not_matter(url: str) -> None:
    root = f" {token('root')}\n"
    assert invoke("publish", "foo", "--url", url, "--token", root).exit_code == 0


def test_a_real_process_tells_of_a_bad_token_in_one_line(url: str) -> None:
    outcome = hyperlambda("subscribe", "x", "--url", url, HYPERLAMBDA_TOKEN="nonsense")
    assert outcome.returncode == 1
    assert outcome.stderr == (
        b"error: the server refused the token: the token is malformed\n"
    )
    assert outcome.stdout == b""


def test_ctrl_c_leaves_quietly(url: str) -> None:
    with started("subscribe", "foo", "--url", url) as subscriber:
        line_of(subscriber.stderr)
        subscriber.send_signal(signal.SIGINT)
        stdout, stderr = subscriber.communicate(timeout=TIMEOUT)
    assert (stdout, stderr.strip(), subscriber.returncode) == ("", "", 130)


def test_a_server_that_ends_is_told() -> None:
    with started("serve", "--port", "0", HYPERLAMBDA_SECRET=SECRET) as server:
        url = line_of(server.stdout).replace("listening on http", "ws") + "/ws"
        with started("subscribe", "foo", "--url", url) as subscriber:
            line_of(subscriber.stderr)
            server.send_signal(signal.SIGTERM)
            stdout, stderr = subscriber.communicate(timeout=TIMEOUT)
    assert stdout == ""
    message = f"the server at {url} closed the connection: the server stops"
    assert stderr == f"error: {message}\n"
    assert subscriber.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{"], "JSON:1:2: error: the payload is no JSON: "),
        (['{\n"a": }'], "JSON:2:6: error: the payload is no JSON: "),
        (["NaN"], "error: the payload is no JSON: 'NaN' is no number there"),
        (["[" * 100_000], "error: the payload is no JSON: it is nested too deeply"),
        (["1", "--roles", ","], "it names nobody"),
        (
            ["1", "--roles", "a", "--users", "b"],
            "a message has one audience at most, not --roles and --users",
        ),
    ],
)
def test_mistakes_of_publish(arguments: list[str], message: str, nowhere: str) -> None:
    outcome = invoke("publish", "foo", *arguments, "--url", nowhere)
    assert outcome.exit_code == 2
    assert outcome.stdout == ""
    assert message in outcome.stderr


def test_subscribe_needs_a_name() -> None:
    outcome = invoke("subscribe")
    assert outcome.exit_code == 2
    assert "Missing argument" in outcome.stderr


def test_a_token_says_who_somebody_is(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\r\n")
    options = ["--user", "ada", "--roles", "a, b", "--groups", "g"]
    outcome = invoke("token", *options, "--secret-file", str(tmp_path / "secret"))
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    identity = verify_token(outcome.stdout.strip(), SECRET)
    assert identity.username == "ada"
    assert identity.roles == {"a", "b"}
    assert identity.groups == {"g"}


@pytest.mark.parametrize(
    ("span", "seconds"),
    [("12h", 43200), ("30m", 1800), ("90", 90), ("45s", 45), ("7d", 604800)],
)
def test_a_token_lives_as_long_as_it_should(span: str, seconds: int) -> None:
    runner = CliRunner(env={"HYPERLAMBDA_SECRET": SECRET})
    outcome = runner.invoke(group, ["token", "--user", "a", "--lifetime", span])
    claims = verify_token(outcome.stdout.strip(), SECRET)
    default = runner.invoke(group, ["token", "--user", "a"])
    reference = verify_token(default.stdout.strip(), SECRET)
    assert claims.expires_at is not None
    assert reference.expires_at is not None
    # Both were made within some seconds.
    difference = reference.expires_at - 43200 - (claims.expires_at - seconds)
    assert abs(difference) <= 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--user", "a"], "there is no secret: set HYPERLAMBDA_SECRET"),
        ([], "Missing option '--user'"),
        (["--user", "a", "--lifetime", "soon"], "'soon' is not a time span"),
        (["--user", "a", "--lifetime", "0"], "'0' is not a time span"),
        (["--user", "a", "--lifetime", "-5m"], "'-5m' is not a time span"),
        (["--user", "a", "--roles", ""], "it names nobody"),
    ],
)
def test_mistakes_of_token(arguments: list[str], message: str) -> None:
    runner = CliRunner(env={"HYPERLAMBDA_SECRET": None})
    outcome = runner.invoke(group, ["token", *arguments])
    assert outcome.exit_code == 2
    assert outcome.stdout == ""
    assert message in outcome.stderr
