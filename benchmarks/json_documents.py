"""
JSON, beside Python's own scanner and encoder on the same document.

Those are in C, and make and take dicts and lists; ours make and take nodes, which a
program can change. The ratio says what that costs.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from hyperlambda.json_reader import read_json
from hyperlambda.json_writer import write_json

from .measuring import Result, Row, ratios, take_turns, timed

__all__ = ["document", "measure"]

_CITIES = ["Oslo", "Riga", "Bern", "Tromsø"]


def document(count: int) -> list[dict[str, Any]]:
    """Return so many orders: whole numbers, prices, texts, lists and words."""
    return [
        {
            "id": number,
            "customer": f"Customer number {number * 7919 % 10_000}",
            "city": _CITIES[number % 4],
            "total": number * 37 % 10_000 / 100,
            "paid": number % 3 == 0,
            "note": None if number % 5 else 'leave it "at the door"',
            "tags": ["new", "gift"][: number % 3],
            "size": {"width": number % 40, "height": number % 25},
        }
        for number in range(count)
    ]


def measure(count: int, rounds: int) -> Result:
    """Measure reading and writing a document of so many orders."""
    text = json.dumps(document(count), ensure_ascii=False, separators=(",", ":"))
    nodes = read_json(text).children
    data = json.loads(text)
    times = take_turns(
        {
            "read": partial(timed, read_json, partial(str, text)),
            "loads": partial(timed, json.loads, partial(str, text)),
            "write": partial(timed, write_json, lambda: nodes),
            "dumps": partial(timed, json.dumps, lambda: data),
        },
        rounds,
    )
    return Result(
        rows=[
            Row("json", "read", "json.loads", ratios(times, "read", "loads")),
            Row("json", "write", "json.dumps", ratios(times, "write", "dumps")),
        ]
    )
