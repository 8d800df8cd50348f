"""
Runs programs for benchmarks, in whichever Python is to be measured.

It stands alone, so that a Python that has its own `hyperlambda` can run it by its path:
it reads paths of programs, a line each, and answers each with a line of JSON, the
seconds of processor time that evaluating took and the value that was returned.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path
from time import process_time
from typing import Any

from hyperlambda import Evaluator, Limits, parse

__all__ = ["run"]


def run(path: str) -> tuple[float, Any]:
    """Return the seconds that a program takes to evaluate, and the value it returns."""
    root = parse(Path(path).read_text("utf-8"))
    evaluator = Evaluator(limits=Limits(max_while_iterations=None))
    gc.collect()
    start = process_time()
    result = evaluator.evaluate(root)
    return process_time() - start, result.value


def main() -> None:
    """Answer until there is nothing more to read."""
    for line in sys.stdin:
        print(json.dumps(run(line.rstrip("\n"))), flush=True)


if __name__ == "__main__":
    main()
