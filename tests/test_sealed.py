"""Code that was not reached need not be put back, and whoever changes it is noticed."""

from __future__ import annotations

import random
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperlambda import Evaluator, HyperlambdaError, Limits, Node, generate, parse
from hyperlambda import body as body_module
from hyperlambda.sealed import Sealed

from .fuzz_programs import program

# How statements of a body may get at what is in its blocks, and what they may do there.
TARGETS = [
    "@if",
    "@else-if",
    "@if/*",
    "@if/*/.lambda",
    "@if/*/.lambda/*",
    "@if/*/.lambda/0",
    "@if/1/0",
    "@if/1/*/.deep/*",
    "@if/*/.lambda/*/.deep/0",
    "@if/*/.lambda/0/+",
    "@if/*/.lambda/0/-",
    "@if/**/.deep",
    "@if/!set-value",
    "@if/*/*",
    "@if/*/*/*",
    "@if/*/.lambda/*/{@.name}",
    "../**/.deep",
    "@else/*",
    "@else/0",
    "@else/*/.deep",
    "@else/-/*",
    "@else/-/0",
    "@else-if/-/*/.lambda/*",
    "@else-if/*/.lambda/*/.deep",
    "@else-if/1/0",
    "@.dp/#",
    "@.dp/#/*",
    "../*/while/*/.lambda/*/if/*/.lambda/*",
]
CHANGES = [
    "set-value:x:{}\n   .:changed",
    "set-x:x:{}\n   .:x:@.n",
    "set-name:x:{}\n   .:renamed",
    "remove-nodes:x:{}",
    "add:x:{}\n   .\n      added",
    "insert-before:x:{}\n   .\n      before",
    "unwrap:x:{}",
    "eval:x:{}",
    "math.increment:x:{}",
    "validators.default:x:{}\n   .none:default",
    "for-each:x:{}\n   set-value:x:@.dp/#\n      .:walked",
    "mine:x:{}",
]
BLOCKS = [
    "if:x:@.no\n{block}",
    "else\n{block}",
    "if\n   eq\n      get-value:x:@.n\n      .:int:{n}\n   .lambda\n{block}",
    "else-if\n   eq\n      get-value:x:@.n\n      .:int:{n}\n   .lambda\n{block}",
]
INSIDE = [
    ".none\nstrings.concat\n   .:run\n.deep:a\n   .deep:b\n      .deep:x:@.n\n",
    "set-value:x:@.out\n   .:x:@.n\n",
    "if:x:@.no\n   .data\n      .deep:c\n   .deep\n",
    "math.increment:x:@.inside\n",
    ".inside:int:0\n",
    "if\n   eq\n      .:int:1\n      .:int:2\n   .lambda\n      .deep\n         .deep:d\n",
]


def indented(text: str, by: int) -> str:
    return "".join(f"{'   ' * by}{line}\n" for line in text.splitlines())


def body(choice: random.Random) -> str:
    parts = []
    for _ in range(choice.randint(2, 6)):
        inside = "".join(choice.choices(INSIDE, k=choice.randint(1, 3)))
        change = choice.choice(CHANGES).format(choice.choice(TARGETS))
        if choice.random() < 0.5:
            kind = choice.choice(BLOCKS)
            if choice.random() < 0.2:
                inside += f"{change}\n"
            by = 2 if ".lambda" in kind else 1
            block = indented(inside, by)
            parts.append(kind.format(n=choice.randint(0, 3), block=block))
        else:
            parts.append(f"{change}\n")
    text = "".join(part if part.endswith("\n") else part + "\n" for part in parts)
    if choice.random() < 0.3:
        walked = choice.choice(["@.data/*", "@while/**", "../**/.deep"])
        text = f"for-each:x:{walked}\n{indented(text, 1)}"
    return text


def looping(choice: random.Random) -> str:
    code = body(choice)
    return f"""\
.n:int:0
.no:bool:{choice.choice(["true", "false"])}
.name:.deep
.out
.data
   .deep:1
   .deep:2
while
   lt
      get-value:x:@.n
      .:int:3
   .lambda
      math.increment:x:@.n
      try
{indented(code, 3)}\
{indented(code, 2)}\
.after
"""


def mine(evaluator: Evaluator, node: Node) -> None:
    """Change the block of the first branch, found by hand."""
    for top in node.root.walk():
        if top.name == ".lambda" and top.children:
            top.children[-1].value = "by hand"


def outcome(text: str, worth: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what a program leaves, if bodies of so many nodes get seals."""
    monkeypatch.setattr(body_module, "_WORTH_A_SEAL", worth)
    evaluator = Evaluator(limits=Limits(max_steps=3_000, max_nodes=3_000))
    evaluator.register("mine", mine)
    root = parse(text)
    try:
        result = evaluator.evaluate(root)
    except HyperlambdaError as error:
        return f"{type(error).__name__} {error.message}\n{shown(root)}"
    return f"{shown(result)}\n---\n{shown(root)}"


def shown(root: Node) -> str:
    try:
        return generate(root)
    except HyperlambdaError as error:
        return error.message


@given(st.integers(0, 2**32))
def test_loops_leave_what_they_leave_when_all_is_put_back(seed: int) -> None:
    text = looping(random.Random(seed))
    with pytest.MonkeyPatch.context() as patch:
        assert outcome(text, 0, patch) == outcome(text, 10**9, patch), text


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("no", "n"), [("true", 9), ("false", 2)])
def test_each_change_of_each_block_is_put_back(
    no: str, n: int, change: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = "".join(INSIDE[:1])
    blocks = "".join(
        block.format(n=n, block=indented(inside, 2 if ".lambda" in block else 1))
        for block in BLOCKS
    )
    steps = indented(f"{blocks}{change.format(target)}", 2)
    text = (
        f".n:int:0\n.no:bool:{no}\n.name:.deep\n.data\n   .deep\nwhile\n   lt\n"
        "      get-value:x:@.n\n      .:int:3\n   .lambda\n      math.increment:x:@.n\n"
        f"{steps}"
    )
    assert outcome(text, 0, monkeypatch) == outcome(text, 10**9, monkeypatch), text


def test_random_programs_leave_what_they_leave_when_all_is_put_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared = 0
    for number in count():
        text = program(77, number)
        if "while" in text or "for-each" in text or "slots.create" in text:
            first = outcome(text, 0, monkeypatch)
            if first == outcome(text, 0, monkeypatch):  # it is not about time or chance
                assert first == outcome(text, 10**9, monkeypatch), text
                compared += 1
        if compared == 25:
            break


def test_a_block_that_nobody_comes_to_stays_as_it_is() -> None:
    statements = "      set-value:x:@.n\n" * 40
    root = parse(f".n\nwhile:x:@.n\n   if:x:@.n\n   else-if:x:@.n\n{statements}")
    owner = root.children[1]
    evaluator = Evaluator()
    body = body_module.Body(evaluator, owner)
    block = owner.children[1]
    assert type(block.children) is Sealed
    before = block.children
    block.value = 5
    assert body.restore()
    assert block.value is not None
    assert block.value != 5
    assert block.children is before
    evaluator.evaluate(parse("get-value:x:@nothing"))
    assert body.restore()
    assert block.children is before
