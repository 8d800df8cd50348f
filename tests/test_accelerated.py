"""Where the accelerated form is installed, it is that form which runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

import hyperlambda
from hyperlambda import Evaluator, LimitError, Limits, Node
from hyperlambda.compiled import IS_COMPILED

ROOT = Path(__file__).parent.parent
# The checkout has the sources beside the tests; `make test-accelerated` copies the tests.
IS_CHECKOUT = (ROOT / "hyperlambda").is_dir()


def test_the_form_is_the_one_that_was_asked_for() -> None:
    assert hyperlambda.is_accelerated is IS_COMPILED is not IS_CHECKOUT


def test_the_command_says_which_form_runs() -> None:
    command = [sys.executable, "-m", "hyperlambda", "--version"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown.rstrip().endswith(", accelerated") is hyperlambda.is_accelerated


def test_a_program_that_never_ends_lets_other_threads_run() -> None:
    errors: list[LimitError] = []

    def run() -> None:
        try:
            limits = Limits(timeout=1, max_while_iterations=None, max_steps=None)
            Evaluator(limits=limits).run("while:bool:true\n   .x")
        except LimitError as error:
            errors.append(error)

    thread = Thread(target=run)
    thread.start()
    turns = 0
    while thread.is_alive():
        thread.join(0.01)
        turns += 1
    assert errors
    assert turns > 3


def test_endless_recursion_ends_in_an_error_without_any_limit() -> None:
    evaluator = Evaluator(limits=Limits(max_depth=None, max_nodes=None, max_steps=None))
    evaluator.run("slots.create:again\n   signal:again")
    with pytest.raises(LimitError, match="nested"):
        evaluator.run("signal:again")


def test_a_slot_of_a_subclass_is_given_the_subclass() -> None:
    class Mine(Evaluator):
        def look(self) -> None:
            super().look()

    evaluator = Mine()
    kinds: list[type] = []
    evaluator.register("kind", lambda run, node: kinds.append(type(run)))
    evaluator.evaluate(Node("", None, [Node("kind")]))
    assert kinds == [Mine]
