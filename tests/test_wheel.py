"""The wheel holds everything, and works where there is no checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# What belongs to the project; a build leaves files beside them, and must not here.
SOURCES = ("hyperlambda", "slots")
FILES = ("pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    checkout = folder / "checkout"
    checkout.mkdir()
    for name in SOURCES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, checkout / name, ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, checkout / name)
    outcome = subprocess.run(
        [
            sys.executable,
            "-m",
            "build",
            "--wheel",
            "--no-isolation",
            "--outdir",
            folder,
        ],
        cwd=checkout,
        capture_output=True,
        text=True,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    (built,) = folder.glob("*.whl")
    return built


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


def below(folder: Path, prefix: str) -> set[str]:
    """Return the files of the checkout as the wheel should name them."""
    return {
        f"{prefix}/{path.relative_to(folder).as_posix()}"
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_every_file_of_the_packages_is_in_it(wheel: Path) -> None:
    packed = {name for name in names(wheel) if ".dist-info/" not in name}
    language = below(ROOT / "hyperlambda", "hyperlambda")
    slots = below(ROOT / "slots", "hyperlambda/slots")
    assert packed == language | slots
    for name in (
        "hyperlambda/grammar.lark",
        "hyperlambda/py.typed",
        "hyperlambda/server/pages/index.html",
        "hyperlambda/commands/signal.hl",
        "hyperlambda/slots/branching.py",
    ):
        assert name in packed


def test_it_brings_one_package_and_one_command(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in names(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"hyperlambda"}
    with zipfile.ZipFile(wheel) as archive:
        (listing,) = (n for n in archive.namelist() if n.endswith("entry_points.txt"))
        entry_points = archive.read(listing).decode()
    assert entry_points.split("\n")[:2] == [
        "[console_scripts]",
        "hyperlambda = hyperlambda.commands:main",
    ]


def test_it_runs_outside_of_the_checkout(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    # Its folder comes before the installed checkout, whose dependencies serve us too;
    # -P and an empty folder keep the sources out of the path.
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(target), sysconfig.get_path("purelib")]),
    }
    (tmp_path / "p.hl").write_text("return:from the wheel")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        # -S leaves the editable installation out, whose hook would find the checkout.
        return subprocess.run(
            [sys.executable, "-S", "-P", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )

    program = run("-m", "hyperlambda", "run", "p.hl")
    assert (program.stdout, program.stderr) == ("from the wheel\n", "")
    where = run("-c", "import hyperlambda, hyperlambda.slots as s; print(s.__file__)")
    assert Path(where.stdout.strip()).is_relative_to(target)
    demo = run("-m", "hyperlambda", "demo")
    assert demo.returncode == 0, demo.stderr
    assert "As it should be" in demo.stdout
    version = run("-m", "hyperlambda", "--version")
    assert version.stdout.startswith("hyperlambda 0.")
