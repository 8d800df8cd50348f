"""
The grammar, as Lark reads it: grammar.lark says what the language is.

    python -m hyperlambda.grammar

makes `_tables.py` of it, which is what `parse` walks, so that no program waits for Lark.
A test compares the two, and has Lark read the same texts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from lark import Lark, Transformer
from lark.lexer import Lexer, Token
from lark.parsers.lalr_analysis import Shift

from .lalr import Rule, Tables
from .lexer import tokens
from .source import Source

__all__ = ["lark_parser", "made_tables", "module_text"]

_FOLDER = Path(__file__).parent


class _LineLexer(Lexer):
    """Lark's lexer interface over our own lexer."""

    __future_interface__ = 2

    def __init__(self, conf: Any) -> None:
        del conf  # the terminals are declared, not described, by the grammar

    def lex(self, lexer_state: Any, parser_state: Any) -> Iterator[Any]:
        source: Source = lexer_state.text
        for token in tokens(source):
            wrapped = Token(token.type, "")
            wrapped.value = cast(Any, token)
            yield wrapped


def lark_parser(makers: Mapping[str, Callable[[list[Any]], Any]]) -> Lark:
    """
    Return Lark's own parser of the language, which is given a `Source`.

    Args:
        makers: For each rule, by name, what turns the values of its symbols into one; a
            token is a value whose attribute `value` is ours.
    """
    builder = type("_Builder", (Transformer,), dict(_methods(makers)))
    return Lark(_grammar(), parser="lalr", lexer=_LineLexer, transformer=builder())


def _methods(makers: Mapping[str, Callable[[list[Any]], Any]]) -> Iterator[Any]:
    for name, make in makers.items():
        yield (
            name,
            lambda self, parts, make=make: make(
                [part.value if isinstance(part, Token) else part for part in parts]
            ),
        )


def _grammar() -> str:
    return (_FOLDER / "grammar.lark").read_text("utf-8")


def made_tables() -> Tables:
    """Return the tables that Lark makes of the grammar, numbered in one way only."""
    lark: Any = lark_parser({})
    table = lark.parser.parser._parse_table
    rules = sorted(map(_rule, lark.rules))
    # Lark's numbers depend on the order of its sets; ours are those of a walk.
    [first] = table.start_states.values()
    [last] = table.end_states.values()
    numbers = {first: 0}
    order = [first]
    states: list[dict[str, int]] = []
    for state in order:
        actions = {}
        for symbol, (action, argument) in sorted(table.states[state].items()):
            if action is not Shift:
                actions[str(symbol)] = rules.index(_rule(argument)) - len(rules)
                continue
            if argument not in numbers:
                numbers[argument] = len(order)
                order.append(argument)
            actions[str(symbol)] = numbers[argument]
        states.append(actions)
    return Tables(0, numbers[last], tuple(rules), tuple(states))


def _rule(rule: Any) -> Rule:
    origin = str(rule.origin.name)
    return Rule(str(rule.alias or origin), origin, len(rule.expansion))


def module_text(tables: Tables) -> str:
    """Return the source of `_tables.py`."""
    rules = [f"Rule({', '.join(map(json.dumps, rule))})" for rule in tables.rules]
    lines = [
        '"""The tables of grammar.lark: made by `python -m hyperlambda.grammar`."""',
        "",
        "from .lalr import Rule, Tables",
        "",
        "TABLES = Tables(",
        f"    first={tables.first},",
        f"    last={tables.last},",
        "    rules=(",
        *[f"        {rule}," for rule in rules],
        "    ),",
        "    states=(",
        *[f"        {json.dumps(state)}," for state in tables.states],
        "    ),",
        ")",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (_FOLDER / "_tables.py").write_text(module_text(made_tables()), "utf-8")
