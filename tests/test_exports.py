"""What users may rely on is what the page of the API says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import hyperlambda
from hyperlambda.client import SocketClient

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "api.md").read_text("utf-8")


def test_the_page_lists_every_public_name_once_in_order() -> None:
    assert re.findall(r"^### `(\w+)", PAGE, re.MULTILINE) == sorted(
        hyperlambda.__all__, key=str.lower
    )


def test_all_is_sorted_and_exists() -> None:
    assert list(hyperlambda.__all__) == sorted(set(hyperlambda.__all__))
    for name in hyperlambda.__all__:
        assert not name.startswith("_")
        assert getattr(hyperlambda, name) is not None


@pytest.mark.parametrize("name", hyperlambda.__all__)
def test_every_public_name_is_documented(name: str) -> None:
    assert getattr(hyperlambda, name).__doc__


def _public(kind: type) -> set[str]:
    return {
        name
        for name in vars(kind)
        if not name.startswith("_")
        and not name.isupper()
        and callable(getattr(kind, name))
    }


@pytest.mark.parametrize(
    "name", ["Evaluator", "Expression", "Node", "HyperlambdaError"]
)
def test_the_page_has_every_method_of_the_main_classes(name: str) -> None:
    section = PAGE.split(f"### `{name}")[1].split("\n### ")[0]
    missing = {
        method
        for method in _public(getattr(hyperlambda, name))
        if f"`{method}" not in section and f".{method}(" not in section
    }
    assert missing == set()


def test_the_page_has_every_method_of_the_client() -> None:
    section = PAGE.split("\n## A client")[1]
    assert {name for name in _public(SocketClient) if f"`{name}(" not in section} == (
        set()
    )


def test_the_examples_of_the_page_run(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 8
    script = tmp_path / "examples.py"
    script.write_text("\n".join(blocks), "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_programs_of_embedders_pass_strict_type_checks(tmp_path: Path) -> None:
    folder = ROOT / "tests" / "typing"
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "mypy",
                "--strict",
                "--config-file",
                "pyproject.toml",
            ),
            *("--cache-dir", str(tmp_path), "--warn-unused-ignores"),
            *sorted(str(path) for path in folder.glob("*.py")),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    # Errors in the package itself are for `make check` to find.
    own = [line for line in done.stdout.splitlines() if line.startswith("tests/typing")]
    assert own == []
    assert "Success" in done.stdout or "errors in" in done.stdout, done.stdout
