"""`hyperlambda serve`: it says when it is ready, and ends when it is told to."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Coroutine
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from hyperlambda.client import SocketClient
from hyperlambda.commands.group import group
from hyperlambda.errors import SocketError
from hyperlambda.sockets import Message

from .process import SECRET, TIMEOUT, hyperlambda, line_of, serving, started, token


def refused(*arguments: str) -> tuple[int, str]:
    outcome = CliRunner().invoke(group, ["serve", *arguments])
    assert outcome.stdout == ""
    return outcome.exit_code, outcome.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_in_good_order(number: signal.Signals) -> None:
    with started("serve", "--port", "0", HYPERLAMBDA_SECRET=SECRET) as server:
        url = line_of(server.stdout).replace("listening on http", "ws") + "/ws"
        with SocketClient(url) as client:
            client.subscribe("foo")
            server.send_signal(number)
            stdout, stderr = server.communicate(timeout=TIMEOUT)
    assert (stdout, stderr, server.returncode) == ("", "", 0)


def test_without_a_secret_it_shows_a_token_that_works() -> None:
    with started("serve", "--port", "0") as server:
        url = line_of(server.stdout).replace("listening on http", "ws") + "/ws"
        assert line_of(server.stderr).startswith("there is no secret, so tokens end")
        with SocketClient(url, token=line_of(server.stderr)) as client:
            assert (client.username, client.roles) == ("root", ("root",))


def test_the_secret_comes_from_the_file_rather_than_the_environment(
    tmp_path: Path,
) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    arguments = ["serve", "--port", "0", "--secret-file", str(tmp_path / "secret")]
    with started(*arguments, HYPERLAMBDA_SECRET="x" * 60) as server:
        url = line_of(server.stdout).replace("listening on http", "ws") + "/ws"
        with SocketClient(url, token=token("root")) as client:
            assert client.roles == ("root",)


def test_publishers_can_be_chosen() -> None:
    with serving("--publishers", "editor, author") as url:
        for role, code in (("author", 0), ("root", 1)):
            outcome = hyperlambda("publish", "x", "--url", url, "--token", token(role))
            assert outcome.returncode == code


def test_connections_of_an_address_can_be_limited() -> None:
    with (
        serving("--max-per-address", "1") as url,
        SocketClient(url),
        pytest.raises(SocketError, match="too many connections from this address"),
    ):
        SocketClient(url)
    assert refused("--max-per-address", "0")[0] == 2
    assert refused("--publish-rate", "0")[0] == 2


@pytest.mark.parametrize("is_in_file", [False, True])
def test_proxies_can_be_trusted(tmp_path: Path, is_in_file: bool) -> None:
    arguments = ["--max-per-address", "1"]
    if is_in_file:
        config = tmp_path / "server.toml"
        config.write_text('[server]\ntrusted-proxies = ["10.0.0.0/8", "127.0.0.1"]\n')
        arguments += ["--config", str(config)]
    else:
        arguments += ["--trusted-proxies", "10.0.0.0/8 , 127.0.0.1"]
    with serving(*arguments) as url, ExitStack() as stack:

        def join(address: str) -> None:
            headers = {"X-Forwarded-For": address}
            stack.enter_context(connect(url, additional_headers=headers, proxy=None))

        join("6.6.6.6")
        join("6.6.6.7")
        with pytest.raises(InvalidStatus, match="429"):
            join("6.6.6.6")


def test_proxies_that_are_none_are_one_line(tmp_path: Path) -> None:
    config = tmp_path / "server.toml"
    config.write_text('[server]\ntrusted-proxies = ["10.0.0.1/8"]\n')
    message = "error: '10.0.0.1/8' is no network; did you mean '10.0.0.0/8'?\n"
    assert refused("--config", str(config)) == (2, message)
    assert refused("--trusted-proxies", "::1, 10.0.0.1/8") == (2, message)
    code, message = refused("--trusted-proxies", "localhost")
    assert (code, message.count("\n")) == (2, 1)
    assert refused("--trusted-proxies", " , ")[0] == 2
    config.write_text("[server]\ntrusted-proxies = true\n")
    code, message = refused("--config", str(config))
    assert (code, "must be a list of texts" in message) == (2, True)


def test_a_taken_port_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = hyperlambda("serve", "--port", str(port), HYPERLAMBDA_SECRET=SECRET)
    assert outcome.stdout == b""
    message = f"error: port {port} of 127.0.0.1 is already taken\n"
    assert outcome.stderr.decode() == message
    assert outcome.returncode == 1


def test_what_others_can_reach_needs_a_secret() -> None:
    outcome = hyperlambda("serve", "--host", "0.0.0.0", "--port", "0")
    assert outcome.returncode == 1
    assert outcome.stderr.startswith(b"error: a server on '0.0.0.0'")
    assert outcome.stderr.count(b"\n") == 1


def test_wrong_options_are_told(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    assert refused("--root", missing) == (2, f"error: no folder is named '{missing}'\n")
    code, message = refused("--secret-file", missing)
    assert code == 2
    assert message.startswith(f"error: the secret file '{missing}' cannot be read: ")
    (tmp_path / "empty").write_text("\n")
    code, message = refused("--secret-file", str(tmp_path / "empty"))
    assert (code, message.endswith("is empty\n")) == (2, True)
    assert refused("--port", "70000")[0] == 2
    code, message = refused("--publishers", " , ")
    assert code == 2
    assert "it names nobody" in message


def test_a_configuration_file_gives_defaults_and_flags_win(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    config = tmp_path / "server.toml"
    # The host is no address: only the flag lets the server start.
    config.write_text(
        '[server]\nhost = "nowhere.invalid"\nport = 0\nsecret-file = "secret"\n'
        'publishers = ["editor"]\norigins = "https://a.example, https://b.example"\n'
    )
    arguments = ["serve", "--host", "127.0.0.1", "--config", str(config)]
    with started(*arguments) as server:
        url = line_of(server.stdout).replace("listening on http", "ws") + "/ws"
        publish = ["publish", "x", "--url", url, "--token"]
        assert hyperlambda(*publish, token("editor")).returncode == 0
        assert hyperlambda(*publish, token("root")).returncode == 1


def test_messages_are_kept_for_clients_that_come_back(tmp_path: Path) -> None:
    config = tmp_path / "server.toml"
    config.write_text('[server]\nport = 0\nhistory = ["a.no=0", "a.*=2,1m"]\n')
    for arguments in (
        ("--port", "0", "--history", "a.no=0", "--history", "a.*=2,1m"),
        ("--config", str(config)),
    ):
        with started("serve", *arguments, HYPERLAMBDA_SECRET=SECRET) as server:
            url = line_of(server.stdout).replace("listening on http", "ws") + "/ws"
            with SocketClient(url, token=token("root")) as client:
                client.subscribe("a.no")
                assert client.position is None
                for number in range(3):
                    client.publish(Message("a.b", str(number)))
                assert not client.subscribe("a.b", since="")
                got = client.messages(TIMEOUT)
                assert [next(got).args, next(got).args] == [1, 2]


def test_wrong_rules_of_history_are_told() -> None:
    code, message = refused("--history", "a=x")
    assert code == 2
    assert "the history 'a=x' needs a number of messages" in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[server]\nhistory = 'a=1'", "'server.history' must be a list of texts"),
        ("[server]\nprt = 1", "no option is named 'server.prt'; did you mean 'port'?"),
        ("[server]\nsecret = 'x'", "no option is named 'server.secret'"),
        ("[server]\nhelp = true", "no option is named 'server.help'"),
        ("[server]\nport = '80'", "'server.port' must be an integer"),
        ("[server]\nport = true", "'server.port' must be an integer"),
        ("[server]\nhost = 1", "'server.host' must be a text"),
        ("[server]\norigins = [1]", "'server.origins' must be a list of texts"),
        ("[server]\nroot = ['a']", "'server.root' must be a text"),
        ("server = 1", "'server' must be a table"),
        ("[server", "is no TOML"),
        (b"\xff", "is no UTF-8 text"),
        (None, "cannot be read"),
    ],
)
def test_mistakes_in_a_configuration_file_are_told(
    tmp_path: Path, text: str | bytes | None, message: str
) -> None:
    file = tmp_path / "c.toml"
    if text is not None:
        file.write_bytes(text.encode() if isinstance(text, str) else text)
    code, shown = refused("--config", str(file))
    assert code == 2
    assert message in shown
    assert shown.startswith(f"error: '{file}'")
    assert shown.count("\n") == 1


def test_programs_that_compute_leave_the_event_loop_its_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a process that is only a server, threads change over sooner."""
    seen: list[float] = []

    def run(main: Coroutine[Any, Any, None]) -> None:
        main.close()
        seen.append(sys.getswitchinterval())

    monkeypatch.setattr("hyperlambda.commands.service.run", run)
    before = sys.getswitchinterval()
    try:
        assert CliRunner().invoke(group, ["serve", "--port", "0"]).exit_code == 0
    finally:
        sys.setswitchinterval(before)
    assert seen == [pytest.approx(0.0005)]
