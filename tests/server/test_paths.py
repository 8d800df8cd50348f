"""Which files clients may run (spec 05 §3.1)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hyperlambda import HyperlambdaError
from hyperlambda.server.paths import locate


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a root folder, beside which lies what nobody may run."""
    root = tmp_path / "root"
    for name in (
        "root/modules/a.socket.hl",
        "root/modules/foo/bar.socket.hl",
        "root/modules/foo/%2e%2e.socket.hl",
        "root/modules/foo/plain.hl",
        "root/modules/foo/folder.socket.hl/x",
        "root/system/a.socket.hl",
        "root/system/only.socket.hl",
        "root/private.socket.hl",
        "root/etc/hidden.socket.hl",
        "outside.socket.hl",
        "outside/x.socket.hl",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    links = {
        "modules/inside.socket.hl": root / "system/only.socket.hl",
        "modules/up.socket.hl": tmp_path / "outside.socket.hl",
        "modules/beside.socket.hl": root / "private.socket.hl",
        "modules/folder": tmp_path / "outside",
        "modules/etc": root / "etc",
        "modules/circle.socket.hl": root / "modules/circle.socket.hl",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    # Who opened these would wait for ever, or read without an end.
    os.mkfifo(root / "modules/pipe.socket.hl")
    (root / "modules/zero.socket.hl").symlink_to("/dev/zero")
    return root


@pytest.mark.parametrize(
    ("file", "found"),
    [
        ("/modules/foo/bar", "modules/foo/bar"),
        ("modules/foo/bar", "modules/foo/bar"),
        ("/foo/bar", "modules/foo/bar"),
        ("foo/bar.socket.hl", "modules/foo/bar"),
        ("///foo//./bar", "modules/foo/bar"),
        ("a", "modules/a"),
        ("/system/a", "system/a"),
        ("/modules/inside", "system/only"),
        ("foo/%2e%2e", "modules/foo/%2e%2e"),
    ],
)
def test_files_that_are_found(root: Path, file: str, found: str) -> None:
    assert locate(root, file) == (root / f"{found}.socket.hl").resolve()


@pytest.mark.parametrize(
    "file",
    [
        "",
        "/",
        "..",
        "../outside",
        "/modules/../../outside",
        "modules/../private",
        "modules/foo/../../private",
        "foo/..",
        "..\\outside",
        "modules\\foo\\bar",
        "C:/modules/foo/bar",
        "modules/foo/bar:stream",
        "foo/bar\0",
        "foo/bar\n",
        "foo/\udcffbar",
        ".socket.hl",
    ],
)
def test_paths_that_are_none(root: Path, file: str) -> None:
    with pytest.raises(HyperlambdaError) as refused:
        locate(root, file)
    assert refused.value.public
    assert refused.value.message.startswith("'")
    refused.value.message.encode()


@pytest.mark.parametrize(
    "file",
    [
        "missing",
        "foo/.",
        "system/missing",
        "foo/plain",
        "foo/plain.hl",
        "foo/folder",
        "foo/bar.socket.hl.socket.hl",
        "private",
        "etc/hidden",
        "Modules/a",
        "MODULES/a",
        "modules/modules/a",
        "%2e%2e/outside",
        "..%2foutside",
        "%252e%252e/outside",
        "．．/outside",
        "/etc/passwd",
        "up",
        "beside",
        "folder/x",
        "circle",
        "pipe",
        "zero",
        "x" * 5_000,
        "x/" * 5_000 + "x",
    ],
)
def test_files_that_are_not_there_or_lie_elsewhere(root: Path, file: str) -> None:
    with pytest.raises(
        HyperlambdaError, match=r"^no socket file is named '"
    ) as refused:
        locate(root, file)
    assert refused.value.public
    assert len(refused.value.message) < 120


def test_a_linked_folder_may_not_lead_out(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "apps").mkdir(parents=True)
    (other / "apps/a.socket.hl").write_text("")
    (other / "modules").symlink_to(other / "apps")
    (other / "system").symlink_to(root / "system")
    assert locate(other, "a") == (other / "apps/a.socket.hl").resolve()
    with pytest.raises(HyperlambdaError):
        locate(other, "system/a")
