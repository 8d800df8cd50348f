"""
Five programs, beside the same jobs written in plain Python over `Node`.

Plain Python is the speed of light here: it knows beforehand what the evaluator has to
find out step by step. The ratio says what being able to change a running program costs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from hyperlambda import Evaluator, Node, parse

from .measuring import Result, Row, ratios, take_turns, timed

__all__ = ["JOBS", "Job", "measure"]


@dataclass(frozen=True, slots=True)
class Job:
    """
    One job, twice.

    Attributes:
        name: What it is about.
        text: Returns the program for a size.
        plain: Does the same with the program's tree, in Python.
        result: Where in the tree both leave what they find.
        scale: What the size is multiplied by, so that all jobs take alike.
    """

    name: str
    text: Callable[[int], str]
    plain: Callable[[Node], None]
    result: str
    scale: float = 1.0


def _items(count: int) -> str:
    return ".items\n" + "".join(f"   item:int:{n % 97}\n" for n in range(count))


def _people(count: int) -> str:
    cities = ["Oslo", "Riga", "Bern"]
    return ".people\n" + "".join(
        f"   person\n      name:Ada {n}\n      city:{cities[n % 3]}\n"
        for n in range(count)
    )


def _loop(count: int) -> str:
    return f"""\
.out:int:0
{_items(count)}\
for-each:x:@.items/*
   math.increment:x:@.out
      get-value:x:@.dp/#
"""


def _loop_plain(root: Node) -> None:
    out, items = root.child(".out"), root.child(".items")
    assert out is not None
    assert items is not None
    for item in items.children:
        out.value += item.value


def _expressions(count: int) -> str:
    return f"""\
.out:int:0
{_people(count)}\
for-each:x:@.people/*
   if
      eq
         get-value:x:@.dp/#/*/city
         .:Riga
      .lambda
         math.increment:x:@.out
"""


def _expressions_plain(root: Node) -> None:
    out, people = root.child(".out"), root.child(".people")
    assert out is not None
    assert people is not None
    for person in people.children:
        if person.get("city") == "Riga":
            out.value += 1


def _strings(count: int) -> str:
    return f"""\
.out
{_people(count)}\
for-each:x:@.people/*
   set-value:x:@.out
      strings.concat
         get-value:x:@.dp/#/*/name
         .:" of "
         get-value:x:@.dp/#/*/city
         .:;
"""


def _strings_plain(root: Node) -> None:
    out, people = root.child(".out"), root.child(".people")
    assert out is not None
    assert people is not None
    for person in people.children:
        out.value = "".join([person.get("name"), " of ", person.get("city"), ";"])


def _recursion(count: int) -> str:
    return f"""\
.out
slots.create:sum
   if
      eq
         get-value:x:@.arguments/*/n
         .:int:0
      .lambda
         return:int:0
   .n
   set-value:x:@.n
      get-value:x:@.arguments/*/n
   math.decrement:x:@.n
   execute:sum
      n:x:@.n
   math.add
      get-value:x:@execute
      get-value:x:@.arguments/*/n
   return:x:@math.add
execute:sum
   n:int:{count}
set-value:x:@.out
   get-value:x:@execute
"""


def _recursion_plain(root: Node) -> None:
    out, call = root.child(".out"), root.child("execute")
    assert out is not None
    assert call is not None
    out.value = _sum(call).value


def _sum(arguments: Node) -> Node:
    n = arguments.get("n")
    if n == 0:
        return Node("", 0)
    below = _sum(Node("", None, [Node("n", n - 1)]))
    return Node("", below.value + n)


def _building(count: int) -> str:
    return f"""\
.out
{_items(count)}\
for-each:x:@.items/*
   unwrap:x:+/*/*/*
   add:x:@.out
      .
         row
            value:x:@.dp/#
            kind:number
"""


def _building_plain(root: Node) -> None:
    out, items = root.child(".out"), root.child(".items")
    assert out is not None
    assert items is not None
    for item in items.children:
        out.add(Node("row", None, [Node("value", item.value), Node("kind", "number")]))


JOBS = [
    Job("loop", _loop, _loop_plain, ".out"),
    Job("expressions", _expressions, _expressions_plain, ".out"),
    Job("strings", _strings, _strings_plain, ".out"),
    Job("recursion", _recursion, _recursion_plain, ".out", scale=0.1),
    Job("tree building", _building, _building_plain, ".out"),
]


def measure(size: int, rounds: int) -> Result:
    """
    Measure all five; `size` is about how many rounds their loops have.

    Raises:
        AssertionError: A program and its twin do not find the same.
    """
    return Result(
        [_measure(job, max(2, int(size * job.scale)), rounds) for job in JOBS]
    )


def _measure(job: Job, size: int, rounds: int) -> Row:
    text = job.text(size)
    evaluator = Evaluator()

    def fresh() -> Node:
        return parse(text)

    own, other = fresh(), fresh()
    evaluator.evaluate(own)
    job.plain(other)
    assert _outcome(own, job.result) == _outcome(other, job.result), job.name
    times = take_turns(
        {
            "program": lambda: timed(evaluator.evaluate, fresh),
            "python": lambda: timed(job.plain, fresh),
        },
        rounds,
    )
    found = ratios(times, "program", "python")
    each = median(times["program"]) / size * 1e6
    return Row(
        "evaluate",
        job.name,
        "plain Python",
        found,
        note=f"{1 / median(found):.0f} times as long; {each:.1f} µs a round",
    )


def _outcome(root: Node, name: str) -> list[tuple[str, object]]:
    result = root.child(name)
    assert result is not None
    return [(node.name, node.value) for node in result.walk()]
