"""What a small program costs before it runs: modules and time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

ROOT = Path(__file__).parent.parent
HELLO = str(ROOT / "samples" / "hello.hl")

LISTING = """
import sys
before = set(sys.modules)
from hyperlambda.commands import main
sys.argv = ["hyperlambda", "run", sys.argv[1]]
try:
    main()
finally:
    print(*sorted(set(sys.modules) - before), file=sys.stderr)
"""

# Too dear for a program that does not use them: an event loop, a network, a store.
DEAR = {"asyncio", "concurrent", "email", "http", "jwt", "selectors", "socket"}
DEAR |= {"sqlite3", "ssl", "tomllib", "unittest", "websockets", "xml"}

ROUNDS = 9


def loaded() -> set[str]:
    """Return the modules that `hyperlambda run hello.hl` loads in a fresh interpreter."""
    outcome = subprocess.run(
        [sys.executable, "-c", LISTING, HELLO],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert outcome.stdout == "Hello world\n"
    return set(outcome.stderr.split())


def seconds(*command: str) -> float:
    start = perf_counter()
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return perf_counter() - start


def test_a_small_program_loads_no_event_loop_and_no_server() -> None:
    modules = loaded()
    tops = {name.partition(".")[0] for name in modules}
    assert not tops & DEAR
    # The second is what the accelerated form keeps its modules in.
    foreign = tops - sys.stdlib_module_names - {"hyperlambda", "hyperlambda__mypyc"}
    assert foreign == {"click"}


def test_a_small_program_loads_only_its_own_command() -> None:
    ours = {name for name in loaded() if name.startswith("hyperlambda")}
    needed = {"run", "programs", "failures", "group", "logs", "options", "terminal"}
    needed |= {"config", "reference_keys"}
    commands = "hyperlambda.commands"
    assert {name for name in ours if name.startswith(f"{commands}.")} == {
        f"{commands}.{name}" for name in needed
    }
    assert "hyperlambda.slots.branching" in ours
    assert not {name for name in ours if ".server" in name or ".client" in name}


def test_a_small_program_starts_within_twice_its_libraries() -> None:
    run = (str(Path(sys.executable).with_name("hyperlambda")), "run", HELLO)
    libraries = (sys.executable, "-c", "import click, lark")
    seconds(*run), seconds(*libraries)  # compiled files, and the cache of the disk
    # In turns, so that a busy machine slows both.
    pairs = [(seconds(*run), seconds(*libraries)) for _ in range(ROUNDS)]
    ours, theirs = (median(times) for times in zip(*pairs, strict=True))
    assert ours < 2 * theirs, f"{ours:.3f} s, and {theirs:.3f} s for the libraries"
