"""Parsing, beside PyYAML's C loader and beside our own lexer alone."""

from __future__ import annotations

import gc
import tracemalloc
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from hyperlambda import parse
from hyperlambda.lexer import tokens
from hyperlambda.source import Source

from .documents import lines, to_hyperlambda, to_yaml
from .measuring import Result, Row, Times, median_rate, ratios, take_turns, timed

__all__ = ["measure"]

_AIM_LINES = 250_000
_LARGER = 10


def measure(count: int, rounds: int, megabytes: int) -> Result:
    """
    Measure a document of so many lines, and the same lines in files of a hundred.

    Args:
        count: How many lines.
        rounds: How often.
        megabytes: How large a large file is.

    Raises:
        SystemExit: PyYAML, or its C loader, is missing.
    """
    load = _yaml_loader()
    rows = []
    for file_lines, files in ((count, 1), (100, max(1, count // 200))):
        documents = [lines(file_lines, seed) for seed in range(1, files + 1)]
        programs = [to_hyperlambda(document) for document in documents]
        yamls = [to_yaml(document) for document in documents]
        times = take_turns(
            {
                "parse": partial(_timed, parse, programs),
                "yaml": partial(_timed, load, yamls),
                "yaml, uncollected": partial(_timed_uncollected, load, yamls),
                "lexer": partial(_timed, _lex, programs),
            },
            rounds,
        )
        amount = file_lines * files
        what = f"{files:,} files of {file_lines} lines"
        if files == 1:
            what = f"one file of {count:,} lines"
        rows += _rows(what, times, amount)
    rows += [_large(count, megabytes), _memory(count, load)]
    return Result(rows, peers=["PyYAML"])


def _large(count: int, megabytes: int) -> Row:
    """Measure a large file beside one of a tenth of it: the time must grow as the size."""
    part = to_hyperlambda(lines(count))
    small = part * max(1, megabytes * 100_000 // len(part))
    large = small * _LARGER
    times = take_turns(
        {
            "small": lambda: _timed(parse, [small] * _LARGER),
            "large": lambda: _timed(parse, [large]),
        },
        2,
    )
    rate = median_rate(times["large"], large.count("\n"))
    return Row(
        "parse",
        f"one file of {len(large) // 1_000_000} MB",
        "ten files of a tenth",
        ratios(times, "large", "small"),
        least=0.5,
        note=f"{rate:,} lines/s",
    )


def _rows(what: str, times: Times, amount: int) -> list[Row]:
    rate = median_rate(times["parse"], amount)
    there = median_rate(times["yaml, uncollected"], amount)
    collected = median_rate(times["yaml"], amount)
    lexed = median_rate(times["lexer"], amount)
    return [
        Row(
            "parse",
            what,
            "PyYAML-C, collector off",
            ratios(times, "parse", "yaml, uncollected"),
            aim=2,
            least=1,
            note=f"{rate:,} lines/s (aim {_AIM_LINES:,}), {there:,} there",
        ),
        Row(
            "parse",
            what,
            "PyYAML-C as it is called",
            ratios(times, "parse", "yaml"),
            note=f"{collected:,} lines/s there",
        ),
        Row(
            "parse",
            what,
            "our lexer alone",
            ratios(times, "parse", "lexer"),
            note=f"{lexed:,} lines/s there",
        ),
    ]


def _memory(count: int, load: Callable[[str], Any]) -> Row:
    document = lines(count)
    nodes = sum(line.kind != "comment" for line in document)
    own = _bytes(parse, to_hyperlambda(document))
    other = _bytes(load, to_yaml(document))
    return Row(
        "memory",
        f"nodes of {count:,} lines",
        "lists and dicts of PyYAML",
        # Above 1 we need less.
        [other / own],
        note=f"{own / nodes:.0f} bytes a node, {other / nodes:.0f} there",
    )


def _bytes(read: Callable[[str], Any], text: str) -> int:
    read(text)  # caches and interned names are there already
    tracemalloc.start()
    try:
        result = read(text)
        size = tracemalloc.get_traced_memory()[0]
        del result
    finally:
        tracemalloc.stop()
    return size


def _timed(read: Callable[[str], Any], texts: list[str]) -> float:
    return timed(lambda given: [read(text) for text in given], lambda: texts)


def _timed_uncollected(read: Callable[[str], Any], texts: list[str]) -> float:
    """
    Time a reader while the garbage collector is off.

    `parse` holds it back for large texts, PyYAML does not, and on a large document that
    alone makes a factor of three: the aim is judged without it.
    """
    gc.disable()
    try:
        return _timed(read, texts)
    finally:
        gc.enable()


def _lex(text: str) -> None:
    deque(tokens(Source(text)), maxlen=0)


def _yaml_loader() -> Callable[[str], Any]:
    try:
        import yaml  # type: ignore[import-untyped] # its types are not needed for one call
    except ImportError:
        raise SystemExit(
            "the benchmarks need PyYAML: pip install -e '.[test]'"
        ) from None
    if not getattr(yaml, "__with_libyaml__", False):
        raise SystemExit(
            "PyYAML is installed without its C loader (libyaml): nothing to compare with"
        )
    loader = yaml.CSafeLoader
    return lambda text: yaml.load(text, Loader=loader)
