"""
An LALR parser: tables made of a grammar, and the loop that walks them.

Lark makes the tables (grammar.py), which takes longer than most programs run and is done
once, when the grammar changes: `_tables.py` has them. Its own loop would take twice as
long as all the rest of a parse, for it looks each rule up by a hash of its symbols.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from .lexer import LineToken

__all__ = ["END", "Rule", "TableParser", "Tables"]

END = "$END"
"""The terminal that stands behind the last token."""


class Rule(NamedTuple):
    """
    One way to make a nonterminal.

    Attributes:
        name: What the rule is called: its alias, or else the nonterminal.
        origin: The nonterminal.
        size: How many symbols it is made of.
    """

    name: str
    origin: str
    size: int


class Tables(NamedTuple):
    """
    What an LALR parser does in each state.

    Attributes:
        first: The state to begin in.
        last: The state in which all is read.
        rules: The rules of the grammar.
        states: For each state what it does at a symbol: go to another state with it, or,
            if the number is negative, make what the rule of that position from the end
            says.
    """

    first: int
    last: int
    rules: tuple[Rule, ...]
    states: tuple[dict[str, int], ...]


# What a state does at a terminal: go to another state with it, or make one value of the
# last `size` ones and go where the table of gotos says.
_Make = Callable[[list[Any]], Any]
_Reduction = tuple[int, _Make, dict[int, int]]
_Action = int | _Reduction


class TableParser:
    """
    A parser that makes values as it goes.

    Args:
        tables: Of the grammar.
        makers: For each rule, by name, what turns the values of its symbols into one.
    """

    __slots__ = ("_actions", "_first", "_last")

    def __init__(self, tables: Tables, makers: Mapping[str, _Make]) -> None:
        self._first = tables.first
        self._last = tables.last
        gotos: dict[str, dict[int, int]] = {rule.origin: {} for rule in tables.rules}
        for state, actions in enumerate(tables.states):
            for symbol in actions.keys() & gotos.keys():
                gotos[symbol][state] = actions[symbol]
        reductions: list[_Action] = [
            (rule.size, makers[rule.name], gotos[rule.origin]) for rule in tables.rules
        ]
        self._actions: list[dict[str, _Action]] = [
            {
                symbol: reductions[number] if number < 0 else number
                for symbol, number in actions.items()
            }
            for actions in tables.states
        ]

    def parse(self, tokens: Iterable[LineToken]) -> Any:
        """
        Return what the rule `start` makes of some tokens.

        Our lexer tells INDENT from DEDENT and starts with a node, so that no order of
        its tokens is an error.
        """
        table = self._actions
        states = [self._first]
        values: list[Any] = []
        for token in tokens:
            kind = token.type
            while True:
                action: Any = table[states[-1]][kind]
                if type(action) is int:
                    states.append(action)
                    values.append(token)
                    break
                # What _reduce does, without the call: half of all lines come here.
                size, make, gotos = action
                parts = values[-size:]
                del values[-size:], states[-size:]
                values.append(make(parts))
                states.append(gotos[states[-1]])
        while states[-1] != self._last:
            _reduce(table[states[-1]][END], states, values)
        return values[-1]


def _reduce(action: Any, states: list[int], values: list[Any]) -> None:
    size, make, gotos = action
    parts: list[Any] = []
    if size:
        parts = values[-size:]
        del values[-size:], states[-size:]
    values.append(make(parts))
    states.append(gotos[states[-1]])
