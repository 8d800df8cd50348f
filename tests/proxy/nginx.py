"""A real nginx with the configuration of docs/deploying.md, on ports of the tests' own."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
from http.client import HTTPSConnection
from pathlib import Path
from typing import Self

from ..cluster.cluster import until
from ..cluster.redis_server import TIMEOUT, free_port
from ..server.javascript import give_up

HOST = "app.example"
"""What the configuration is for; the certificate is for this machine."""

PREFIX = "/live"

TLS = Path(__file__).parents[1] / "cluster" / "tls"
CERTIFICATE = TLS / "certificate.pem"

PAGE = Path(__file__).parents[2] / "docs" / "deploying.md"

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

BRIEF = " fail_timeout=2s"

_ATTEMPTS = 5
"""Another process may take a free port before nginx does."""


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language in the document."""
    return [text for kind, text in _BLOCK.findall(PAGE.read_text()) if kind == language]


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    """Return a text with what must stand in it replaced by something else."""
    for old, new in pairs:
        assert old in text, f"the document has no '{old}' any more"
        text = text.replace(old, new)
    return text


def context() -> ssl.SSLContext:
    """Return what lets clients trust the certificate, whatever the host is called."""
    trusting = ssl.create_default_context(cafile=CERTIFICATE)
    trusting.check_hostname = False
    return trusting


class Nginx:
    """
    Runs while a ``with`` block is active; then nothing that it has logged may be a token.

    Args:
        folder: Where it works.
        servers: Ports of the servers behind it.
        changes: What else is replaced in the document.

    Attributes:
        port: Of HTTPS.
        plain_port: Of HTTP.

    Without nginx tests that need it are skipped, except where changes are checked (CI is
    set): there that is a failure.
    """

    def __init__(
        self, folder: Path, servers: list[int], *changes: tuple[str, str]
    ) -> None:
        # It is where administrators have their programs, and not always others.
        path = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
        found = shutil.which("nginx", path=path)
        if found is None:
            give_up("nginx is not installed")
        self._program = str(found)
        self._folder = folder
        self._servers = servers
        self._changes = changes
        self._process: subprocess.Popen[str] | None = None
        self.port = self.plain_port = 0

    @property
    def url(self) -> str:
        """Where those connect that trust the certificate."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def origin(self) -> str:
        """Of its pages."""
        return f"https://{HOST}:{self.port}"

    def requests(self) -> list[str]:
        """Return the lines of the log; a WebSocket is there when it has ended."""
        return (self._folder / "access.log").read_text().splitlines()

    def get(
        self,
        target: str,
        *,
        method: str = "GET",
        source: str = "127.0.0.1",
        body: str | None = None,
        **headers: str,
    ) -> tuple[int, str]:
        """Make a request from one of this machine's addresses; return status and text."""
        connection = HTTPSConnection(
            "127.0.0.1",
            self.port,
            timeout=TIMEOUT,
            source_address=(source, 0),
            context=context(),
        )
        try:
            host = {"Host": f"{HOST}:{self.port}"}
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, target, body, {**host, **named})
            answer = connection.getresponse()
            location = answer.headers.get("Location")
            return answer.status, location or answer.read().decode()
        finally:
            connection.close()

    def _configuration(self) -> str:
        site, around, prefix = blocks("nginx")
        addresses = [f"    server 127.0.0.1:{port}{BRIEF};\n" for port in self._servers]
        site = replaced(
            site,
            ("listen 80;", f"listen 127.0.0.1:{self.plain_port};"),
            ("listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;"),
            # Not every machine has IPv6.
            ("    listen [::]:80;\n", ""),
            ("    listen [::]:443 ssl;\n", ""),
            ("/etc/ssl/app.example/fullchain.pem", str(CERTIFICATE)),
            ("/etc/ssl/app.example/key.pem", str(TLS / "key.pem")),
            ("/var/log/nginx/hyperlambda.log", f"{self._folder}/access.log"),
            ("/var/log/nginx/hyperlambda-error.log", f"{self._folder}/error.log"),
            (
                f"    server 127.0.0.1:8765{BRIEF};\n    server 127.0.0.1:8766{BRIEF};\n",
                "".join(addresses),
            ),
            ("    location / {", f"{prefix}\n    location / {{"),
            *self._changes,
        )
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        folders = "".join(f"{kind}_temp_path {self._folder}/temp;\n" for kind in kinds)
        # Only root's nginx changes its user, who could not come into the folder.
        user = "user root;\n" if os.geteuid() == 0 else ""
        return (
            f"{user}daemon off;\npid {self._folder}/nginx.pid;\n{around}"
            f"error_log {self._folder}/main.log;\n"
            f"http {{\naccess_log off;\n{folders}{site}}}\n"
        )

    def _start(self) -> bool:
        """Return whether it listens."""
        self.port, self.plain_port = free_port(), free_port()
        file = self._folder / "nginx.conf"
        file.write_text(self._configuration())
        self._process = process = subprocess.Popen(
            [self._program, "-e", f"{self._folder}/main.log", "-c", str(file)],
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        )
        until(lambda: process.poll() is not None or _listens(self.port))
        return process.poll() is None

    def _stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(TIMEOUT)

    def __enter__(self) -> Self:
        for _ in range(_ATTEMPTS):
            if self._start():
                return self
        log = (self._folder / "main.log").read_text()
        raise AssertionError(f"nginx does not start: {log}")

    def __exit__(self, *error: object) -> None:
        self._stop()
        for log in self._folder.glob("*.log"):
            text = log.read_text()
            # The beginning of every token.
            assert "eyJ" not in text, f"{log.name} has a token"
            assert "access_token" not in text


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
