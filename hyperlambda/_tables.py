"""The tables of grammar.lark: made by `python -m hyperlambda.grammar`."""

from .lalr import Rule, Tables

TABLES = Tables(
    first=0,
    last=3,
    rules=(
        Rule("append", "block", 2),
        Rule("first", "block", 1),
        Rule("nest", "block", 4),
        Rule("start", "start", 0),
        Rule("start", "start", 1),
    ),
    states=(
        {"$END": -2, "NODE": 1, "block": 2, "start": 3},
        {"$END": -4, "DEDENT": -4, "INDENT": -4, "NODE": -4},
        {"$END": -1, "INDENT": 4, "NODE": 5},
        {},
        {"NODE": 1, "block": 6},
        {"$END": -5, "DEDENT": -5, "INDENT": -5, "NODE": -5},
        {"DEDENT": 7, "INDENT": 4, "NODE": 5},
        {"$END": -3, "DEDENT": -3, "INDENT": -3, "NODE": -3},
    ),
)
