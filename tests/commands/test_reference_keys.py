"""A configuration file may use the reference's own keys (spec 05 §5.3, 5.4, 6, 10.2)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from click.testing import CliRunner

from hyperlambda.client import SocketClient
from hyperlambda.commands import serve
from hyperlambda.commands.group import group
from hyperlambda.evaluator import Evaluator
from hyperlambda.server import issue_token
from hyperlambda.server.auth import signing_key, verify_token

from .process import SECRET, TIMEOUT, hyperlambda, line_of, started

LONG = "another secret that stands in a file and has more than fifty characters"


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what the command makes its server and its evaluator with."""
    made: dict[str, Any] = {}

    class FakeServer:
        hub = "the hub"

        def __init__(self, *args: Any, **options: Any) -> None:
            made.update(options)

    def run(coroutine: Any) -> None:
        coroutine.close()

    real = Evaluator.__init__

    def init(self: Evaluator, **arguments: Any) -> None:
        made["evaluator"] = self
        real(self, **arguments)

    monkeypatch.setattr("hyperlambda.commands.service.SocketServer", FakeServer)
    monkeypatch.setattr("hyperlambda.commands.service.run", run)
    monkeypatch.setattr(Evaluator, "__init__", init)
    monkeypatch.delenv("HYPERLAMBDA_SECRET", raising=False)
    return made


Start = Callable[..., dict[str, Any]]


@pytest.fixture
def start(options: dict[str, Any], tmp_path: Path) -> Start:
    """Start a server as far as it gets here, with a configuration file."""

    def run(text: str, *flags: str) -> dict[str, Any]:
        file = tmp_path / "c.toml"
        file.write_text(text)
        outcome = CliRunner().invoke(group, ["serve", "--config", str(file), *flags])
        assert outcome.exit_code == 0, outcome.output
        return options

    return run


# The key, its value in TOML, the flag that says the same or something else, the option
# of the server, and its value without the key, with it, and with the flag.
TABLE: list[Any] = [
    ("sockets:url", '"/hub"', "--sockets-url=/x", "signalr_path", "/sockets", "/hub", "/x"),
    ("sockets:url", '""', "--sockets-url=/x", "signalr_path", "/sockets", "", "/x"),
    ("sockets:require-auth", "true", "--allow-anonymous", "require_auth", False, True, False),
    ("sockets:require-auth", '"True"', "--allow-anonymous", "require_auth", False, True, False),
    ("sockets:reject-invalid-token", "false", "--reject-invalid-token", "reject_invalid_token", True, False, True),
    ("sockets:close-on-expiry", "false", "--close-on-expiry", "close_on_expiry", True, False, True),
    ("sockets:max-message-size", "1000", "--max-message-size=9", "max_record", 32768, 1000, 9),
    ("sockets:max-message-size", '"1000"', "--max-message-size=9", "max_size", 65536, 2000, 18),
    ("frontend:urls", '"https://a.example, https://b.example"', "--origins=*", "origins", (), ("https://a.example", "https://b.example"), ("*",)),
    ("frontend:urls", '["https://a.example"]', "--origins=*", "origins", (), ("https://a.example",), ("*",)),
    ("frontend:urls", '""', "--origins=*", "origins", (), (), ("*",)),
    ("auth:secret", f'"{LONG}"', "--port=0", "secret", None, LONG, LONG),
]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value", "flag", "option", "default", "read", "flagged"), TABLE
)
def test_a_key_of_the_reference_is_read_and_flags_win(
    start: Start,
    key: str,
    value: str,
    flag: str,
    option: str,
    default: Any,
    read: Any,
    flagged: Any,
) -> None:
    table, _, name = key.rpartition(":")
    nested = f"[magic.{table}]\n{name} = {value}\n"
    assert start("")[option] == default
    assert start(nested)[option] == read
    assert start(f'"Magic:{key}" = {value}\n')[option] == read
    assert start(nested, flag)[option] == flagged


def test_errors_can_be_silent(start: Start, tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    text = "[magic.sockets]\nsilent-errors = true\n"
    root = ("--root", str(tmp_path))
    assert start("", *root)["execute"]._hides_errors is False
    assert start(text, *root)["execute"]._hides_errors is True
    assert start(text, *root, "--tell-errors")["execute"]._hides_errors is False


def test_every_option_of_serve_can_stand_in_the_section(start: Start) -> None:
    text = """[server]
host = "localhost"
port = 0
publishers = "a"
origins = "https://a.example"
max-connections = 1
max-per-address = 2
trusted-proxies = "127.0.0.1, ::1"
publish-rate = 3
execute-rate = 4
request-rate = 5
max-message-size = 6
sockets-url = "/hub"
require-auth = true
reject-invalid-token = false
close-on-expiry = false
silent-errors = true
redis-prefix = "ours"
redis-heartbeat = 2.5
workers = 1
log-level = "error"
history = ["chat.*=10,1m"]
history-bytes = 1000
"""
    said = {line.split(" = ")[0] for line in text.splitlines()[1:]}
    paths = {"root", "secret-file"}
    known = {
        param.name.replace("_", "-")
        for param in serve.command.params
        if param.name and param.expose_value
    }
    # It must be there; tests/cluster/test_workers.py has one.
    assert said | paths | {"redis"} == known
    made = start(text)
    assert made["request_rate"] == 5
    assert made["trusted_proxies"] == ("127.0.0.1", "::1")
    assert made["history"] is not None
    assert (made["require_auth"], made["reject_invalid_token"]) == (True, False)


def test_the_section_wins_over_the_reference_s_keys(start: Start) -> None:
    text = '[magic.sockets]\nurl = "/one"\n[server]\nsockets-url = "/two"\n'
    assert start(text)["signalr_path"] == "/two"


def test_programs_find_what_is_in_force(start: Start) -> None:
    text = f"""
[magic.auth]
secret = "{LONG}"
[magic.sockets]
url = "/one"
[magic.lambda]
maxWhileIterations = 7
[app]
colour = "green"
[server]
max-message-size = 1000
"""
    evaluator = start(text, "--origins", "https://a.example")["evaluator"]
    assert evaluator.config["app:colour"] == "green"
    assert evaluator.config["magic:sockets:url"] == "/one"
    assert evaluator.config["magic:sockets:max-message-size"] == 1000
    assert evaluator.config["magic:frontend:urls"] == "https://a.example"
    assert evaluator.config["magic:sockets:close-on-expiry"] is True
    assert evaluator.limits.max_while_iterations == 7
    assert evaluator.limits.timeout is not None
    assert LONG not in str(evaluator.config)
    assert "server:max-message-size" not in evaluator.config


@pytest.mark.parametrize(("url", "has_hub"), [("/sockets", True), ("", False)])
def test_slots_need_the_url(start: Start, url: str, has_hub: bool) -> None:
    made = start(f'[magic.sockets]\nurl = "{url}"\n')
    assert (made["evaluator"].hub is not None) is has_hub


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("magic:sockets:url", "1", "a text"),
        ("magic:sockets:require-auth", '"maybe"', "true or false"),
        ("magic:sockets:silent-errors", "1", "true or false"),
        ("magic:sockets:max-message-size", '"big"', "an integer above 0"),
        ("magic:sockets:max-message-size", "0", "an integer above 0"),
        ("magic:sockets:max-message-size", "true", "an integer above 0"),
        ("magic:frontend:urls", "[1]", "a list of texts"),
        ("magic:auth:secret", "1", "a text"),
        ("magic:auth:valid-minutes", "1.5", "an integer above 0"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, key: str, value: str, wanted: str) -> None:
    file = tmp_path / "c.toml"
    file.write_text(f'"{key}" = {value}\n')
    outcome = CliRunner().invoke(group, ["serve", "--config", str(file)])
    assert outcome.exit_code == 2
    assert outcome.stderr == f"error: '{file}': '{key}' must be {wanted}\n"


def test_a_token_is_signed_as_the_server_of_the_file_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(
        f'[magic.auth]\nsecret = "{LONG}"\nvalid-minutes = 5\n[server]\nport = 0\n'
    )
    arguments = ["token", "--user", "ada", "--config", str(file)]
    for flags, seconds in (((), 300), (("--lifetime", "1h"), 3600)):
        outcome = CliRunner().invoke(group, [*arguments, *flags])
        token = outcome.stdout.strip()
        claims = jwt.decode(token, signing_key(LONG), algorithms=["HS256"])
        assert claims["exp"] - claims["iat"] in (seconds, seconds + 1)
    environment = {"HYPERLAMBDA_SECRET": SECRET}
    outcome = CliRunner().invoke(group, arguments, env=environment)
    assert verify_token(outcome.stdout.strip(), SECRET).username == "ada"


def test_a_real_server_obeys(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(
        f'[magic.auth]\nsecret = "{LONG}"\n[magic.sockets]\nrequire-auth = true\n'
    )
    with started("serve", "--port", "0", "--config", str(file)) as server:
        url = line_of(server.stdout).replace("listening on http", "ws") + "/ws"
        with pytest.raises(Exception, match="nobody in without a token"):
            SocketClient(url)
        with SocketClient(url, token=issue_token(LONG, "ada")) as client:
            assert client.username == "ada"


def test_other_commands_have_sections_too(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    with started("serve", "--port", "0", HYPERLAMBDA_SECRET=SECRET) as server:
        url = line_of(server.stdout).replace("listening on http", "ws") + "/ws"
        file.write_text(
            f'[publish]\nurl = "{url}"\ntoken = "{issue_token(SECRET, "a", ["root"])}"\n'
            f'roles = ["guest"]\n[subscribe]\nurl = "{url}"\ncount = 1\n'
            f'token = "{issue_token(SECRET, "b", ["guest"])}"\n'
        )
        with started("subscribe", "m", "--config", str(file)) as listener:
            assert line_of(listener.stderr).endswith(f"at {url} as b")
            published = hyperlambda("publish", "m", "5", "--config", str(file))
            assert published.returncode == 0, published.stderr
            assert line_of(listener.stdout) == '{"name":"m","args":5}'
            assert listener.wait(TIMEOUT) == 0


def test_a_program_runs_with_the_options_and_settings_of_a_file(tmp_path: Path) -> None:
    file, program = tmp_path / "c.toml", tmp_path / "p.hl"
    file.write_text(
        '[run]\njson = true\narg = ["a:int=5", "b=x"]\ntimeout = 2.5\n'
        '[magic.lambda]\nmaxWhileIterations = 3\n[magic.logging]\nlevel = "error"\n'
    )
    program.write_text("log.info:not told\nreturn:x:@.arguments/*/a\n")
    arguments = ["run", str(program), "--config", str(file)]
    outcome = CliRunner().invoke(group, arguments)
    assert (outcome.exit_code, outcome.output) == (0, "5\n")
    program.write_text("while:bool:true\n   eval\n      .x\n")
    assert "3 rounds" in CliRunner().invoke(group, arguments).stderr
    for text, wanted in (
        ('timeout = "x"', "'run.timeout' must be a number"),
        ("file = 'x'", "no option is named 'run.file'"),
        ("as-json = true", "no option is named 'run.as-json'"),
        ("arg = 5", "'run.arg' must be a list of texts"),
        ("tree = 1", "'run.tree' must be true or false"),
    ):
        file.write_text(f"[run]\n{text}\n")
        assert wanted in CliRunner().invoke(group, arguments).stderr
