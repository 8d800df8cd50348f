"""Which file a client means, and that it lies where clients may run files (spec 05 §3.1)."""

from __future__ import annotations

from pathlib import Path

from ..errors import HyperlambdaError

__all__ = ["SUFFIX", "locate"]

SUFFIX = ".socket.hl"

FOLDERS = ("modules", "system")
"""The first one is meant by paths that begin with none of them."""


def locate(root: Path, file: str) -> Path:
    """
    Return the real path of a socket file.

    Args:
        root: The folder that has the folders `modules` and `system`.
        file: Parts with slashes between them, with or without the suffix. Nothing in
            it is decoded: a per cent sign is one.

    Raises:
        HyperlambdaError: There is no such file, or it lies elsewhere, be it by a link;
            public.
    """
    parts = _parts(file)
    path = root.joinpath(*parts[:-1], parts[-1] + SUFFIX)
    try:
        real = path.resolve(strict=True)
        is_there = real.is_file() and _is_within(real, root)
    except (OSError, RuntimeError):  # RuntimeError: links that lead in a circle
        is_there = False
    if not is_there:
        raise HyperlambdaError(
            f"no socket file is named '{_shown(file)}'", public=True, status=404
        )
    return real


def _parts(file: str) -> list[str]:
    name = file.removesuffix(SUFFIX)
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or not _is_plain(name):
        raise HyperlambdaError(
            f"'{_shown(file)}' is no path of a socket file", public=True, status=400
        )
    return parts if parts[0] in FOLDERS else [FOLDERS[0], *parts]


def _is_plain(name: str) -> bool:
    """Return whether a name means the same on every system."""
    if "\\" in name or ":" in name or not name.isprintable():
        return False
    try:
        name.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which stands for a raw byte
        return False
    return True


def _is_within(real: Path, root: Path) -> bool:
    base = root.resolve()
    folders = [(base / folder).resolve() for folder in FOLDERS]
    return any(
        folder.is_relative_to(base) and real.is_relative_to(folder)
        for folder in folders
    )


def _shown(file: str) -> str:
    shown = file if len(file) <= 80 else file[:80] + "…"
    return shown.encode("utf-8", "replace").decode()
