"""Rules about what is kept."""

from __future__ import annotations

import pytest

from hyperlambda.errors import HyperlambdaError
from hyperlambda.server.retention import Rule, covers, find_rule, may_meet


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("chat.*=1000,5m", Rule("chat.*", 1_000, 300)),
        ("a = 5 , 30s", Rule("a", 5, 30)),
        ("*=1,2h", Rule("*", 1, 7_200)),
        ("a=b=7,1d", Rule("a=b", 7, 86_400)),
        ("a=9", Rule("a", 9, 3_600)),
        ("a=0", Rule("a", 0, 3_600)),
        ("a=1000000", Rule("a", 1_000_000, 3_600)),
    ],
)
def test_a_rule_is_read(text: str, rule: Rule) -> None:
    assert Rule.parse(text) == rule


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "needs a name"),
        ("a", "needs a name"),
        ("=5", "needs a name"),
        (".*=5", "needs a name"),
        ("a*=5", "needs a name"),
        ("*.a=5", "needs a name"),
        ("a.*.*=5", "needs a name"),
        ("a=", "a number of messages"),
        ("a=-1", "a number of messages"),
        ("a=x", "a number of messages"),
        ("a=²", "a number of messages"),
        ("a=1000001", "at most 1000000"),
        ("a=99999999999999999999", "at most 1000000"),
        ("a=5,", "must be like 30s"),
        ("a=5,5", "must be like 30s"),
        ("a=5,0s", "must be like 30s"),
        ("a=5,5m,1", "must be like 30s"),
        ("a=5,٣m", "must be like 30s"),
    ],
)
def test_what_is_no_rule_is_refused(text: str, reason: str) -> None:
    with pytest.raises(HyperlambdaError, match=reason):
        Rule.parse(text)


def test_the_first_rule_that_covers_a_name_counts() -> None:
    rules = [Rule("a.b", 0), Rule("a.*", 5), Rule("a.c", 7), Rule("*", 1)]
    found = {
        name: rule and rule.count
        for name in ("a.b", "a.c", "a.d.e", "a", "b")
        for rule in [find_rule(rules, name)]
    }
    assert found == {"a.b": None, "a.c": 5, "a.d.e": 5, "a": 1, "b": 1}
    assert find_rule(rules[:3], "b") is None


@pytest.mark.parametrize(
    ("pattern", "name", "is_covered"),
    [
        ("a", "a", True),
        ("a", "a.b", False),
        ("a.*", "a.b", True),
        ("a.*", "a.b.c", True),
        ("a.*", "a.", True),
        ("a.*", "a", False),
        ("a.*", "ab", False),
        ("*", "anything", True),
    ],
)
def test_a_pattern_covers_names(pattern: str, name: str, is_covered: bool) -> None:
    assert covers(pattern, name) is is_covered


@pytest.mark.parametrize(
    ("pattern", "meets"),
    [
        ("a.b", True),
        ("a.b.c", True),
        ("a", False),
        ("a.no", False),
        ("a.*", True),
        ("a.b.*", True),
        ("a.no.*", True),  # below 'a.no', which is not kept itself, is 'a.*'
        ("b.*", False),
        ("c.*", True),
        ("c.d", True),
        ("c", False),
        ("*", True),
    ],
)
def test_a_pattern_meets_rules(pattern: str, meets: bool) -> None:
    rules = [Rule("a.no", 0), Rule("a.*", 5), Rule("c.d", 1), Rule("b.c", 0)]
    assert may_meet(rules, pattern) is meets
