"""
Lark's LALR tables, run by a tight loop.

Lark's own loop looks each rule up by a hash of its symbols, computed anew each time, and
compares names in Python code: that takes twice as long as all the rest of a parse. This
one is given to Lark as its parser (as a compiled parser would be), turns the tables into
plain dicts once, and then only walks them.
"""

from __future__ import annotations

from collections.abc import Callable
from sys import intern
from typing import Any

from lark.parsers.lalr_analysis import Shift
from lark.parsers.lalr_parser import LALR_Parser

__all__ = ["TableParser"]

# What a state does at a terminal: go to another state with it, or make one value of the
# last `size` ones and go where the table of gotos says.
Reduction = tuple[int, Callable[[list[Any]], Any], dict[int, int]]
Action = int | Reduction


class TableParser(LALR_Parser):
    """Lark's parser for LALR grammars whose transformer is embedded."""

    def __init__(
        self, parser_conf: Any, debug: bool = False, strict: bool = False
    ) -> None:
        super().__init__(parser_conf, debug=debug, strict=strict)
        table: Any = self._parse_table
        gotos: dict[str, dict[int, int]] = {}
        for state, actions in table.states.items():
            for name, (action, argument) in actions.items():
                if action is Shift:
                    gotos.setdefault(str(name), {})[state] = argument
        callbacks = parser_conf.callbacks
        self._actions: dict[int, dict[str, Action]] = {
            state: {
                intern(str(name)): argument
                if action is Shift
                else (
                    len(argument.expansion),
                    callbacks[argument],
                    gotos[str(argument.origin.name)],
                )
                for name, (action, argument) in actions.items()
            }
            for state, actions in table.states.items()
        }
        [self._first] = table.start_states.values()
        [self._last] = table.end_states.values()

    def parse(self, lexer: Any, start: str, on_error: Any = None) -> Any:
        """
        Return what the rule `start` makes of the tokens.

        Our lexer tells INDENT from DEDENT and starts with a node, so that no order of
        its tokens is an error.
        """
        table = self._actions
        states = [self._first]
        values: list[Any] = []
        for token in lexer.lex(None):
            kind = token.type
            while True:
                action: Any = table[states[-1]][kind]
                if type(action) is int:
                    states.append(action)
                    values.append(token)
                    break
                # What _reduce does, without the call: half of all lines come here.
                size, callback, gotos = action
                parts = values[-size:]
                del values[-size:], states[-size:]
                values.append(callback(parts))
                states.append(gotos[states[-1]])
        while states[-1] != self._last:
            action = table[states[-1]]["$END"]
            assert type(action) is tuple
            _reduce(action, states, values)
        return values[-1]


def _reduce(action: Any, states: list[int], values: list[Any]) -> None:
    size, callback, gotos = action
    if size:
        parts = values[-size:]
        del values[-size:], states[-size:]
    else:
        parts = []
    values.append(callback(parts))
    states.append(gotos[states[-1]])
