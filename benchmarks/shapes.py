"""
Shapes of programs: each a program for any size, so that time can be plotted against it.

The first six are the kinds of programs that people write; the others are what is easily
made quadratic: siblings counted one by one, names looked for from end to end, lists
copied for each node that leaves them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["KINDS", "SHAPES", "Shape", "fibonacci_calls"]

_USUAL = (1_000, 4_000, 16_000)


@dataclass(frozen=True, slots=True)
class Shape:
    """
    A program that grows.

    Attributes:
        name: What grows, in words.
        text: Returns the program for a size.
        sizes: Those to measure, the smallest first.
        items: How many equal pieces of work a size is; the size itself, mostly.
        most: The largest exponent of time by size that counts as linear. A sort may
            have its logarithm.
    """

    name: str
    text: Callable[[int], str]
    sizes: tuple[int, int, int] = _USUAL
    items: Callable[[int], float] = float
    most: float = 1.1


def _nodes(count: int, indent: str = "   ") -> str:
    return "".join(f"{indent}k{n}:int:{n}\n" for n in range(count))


def _data(count: int, name: str = ".data") -> str:
    return f"{name}\n{_nodes(count)}"


def _rounds(count: int, body: str) -> str:
    """Return a program that runs a body a number of times."""
    return f"""\
.i:int:0
while
   lt
      get-value:x:@.i
      .:int:{count}
   .lambda
      math.increment:x:@.i
{body}"""


def _arithmetic(count: int) -> str:
    body = f"""\
      if
         mt
            get-value:x:@.i
            .:int:{count // 2}
         .lambda
            math.multiply:x:@.i
               .:int:3
"""
    return _rounds(count, body)


def _for_each(count: int) -> str:
    return f"""\
.sum:long:0
.last
{_data(count)}\
for-each:x:@.data/*
   math.increment:x:@.sum
      get-value:x:@.dp/#
   set-value:x:@.last
      get-value:x:@.dp/#
   strings.length:x:@.last
"""


def _queries(count: int) -> str:
    people = "".join(
        f"   person\n      name:Ada {n}\n      city:{('Oslo', 'Riga', 'Bern')[n % 3]}\n"
        for n in range(count // 3)
    )
    return f"""\
.people
{people}\
get-count:x:@.people/**/city
get-count:x:@.people/*/person/*/city/=Riga/.
get-count:x:@.people/**/[name|city]/[10,1000]
get-count:x:@.people/!name
get-count:x:@.people/*/1/-
get-count:x:@.people/*/*/={{@.people/0/*/city}}
"""


def _text(count: int) -> str:
    body = """\
         strings.concat
            .:item
            get-value:x:@.i
            .:;
         strings.builder.append:x:-
"""
    loop = _rounds(count, body.replace("         ", "      ", 1))
    lines = loop.splitlines()
    counter, rest = lines[0], lines[1:]
    fixed = [line.replace("         ", "      ", 1) for line in rest]
    indented = "\n".join(f"   {line}" for line in fixed)
    return f"{counter}\nstrings.builder\n{indented}\nstrings.length:x:-\n"


def _fibonacci(number: int) -> str:
    return f"""\
slots.create:fib
   if
      lt
         get-value:x:@.arguments/*/n
         .:int:2
      .lambda
         return-value:x:@.arguments/*/n
   math.subtract
      get-value:x:@.arguments/*/n
      .:int:1
   execute:fib
      n:x:@math.subtract
   .first
   set-value:x:@.first
      get-value:x:@execute
   math.subtract
      get-value:x:@.arguments/*/n
      .:int:2
   execute:fib
      n:x:@math.subtract
   math.add
      get-value:x:@.first
      get-value:x:@execute
   return-value:x:@math.add
execute:fib
   n:int:{number}
"""


def fibonacci_calls(number: int) -> float:
    """Return how many calls a Fibonacci number takes."""
    before, calls = 1, 1
    for _ in range(number - 1):
        before, calls = calls, before + calls + 1
    return float(calls)


def _json(count: int) -> str:
    items = ",".join(
        f'{{"id":{n},"name":"Item {n}","price":{n}.5,"tags":["a","b"]}}'
        for n in range(count)
    )
    text = items.replace('"', '""')
    return f"""\
.json:@"[{text}]"
json2lambda:x:-
set-name:x:@json2lambda/*/*/name
   .:title
remove-nodes:x:@json2lambda/*/*/tags
lambda2json:x:@json2lambda/*
strings.length:x:-
"""


KINDS = [
    Shape(
        "`while` with arithmetic and comparison", _arithmetic, (1_000, 5_000, 25_000)
    ),
    Shape("`for-each` with a body of three slots", _for_each, (1_000, 10_000, 100_000)),
    Shape("queries over a tree", _queries, (1_000, 10_000, 100_000)),
    Shape("building a text", _text),
    Shape("calls: recursive Fibonacci", _fibonacci, (10, 14, 18), fibonacci_calls),
    Shape("JSON, read, changed and written", _json),
]


def _siblings(count: int) -> str:
    return f"{_data(count)}get-count:x:@.data/*/+\nget-count:x:@.data/*/-\n"


def _siblings_after_removal(count: int) -> str:
    tenth = count // 10
    return f"""\
{_data(count)}\
remove-nodes:x:@.data/*/[{tenth},{tenth}]
get-count:x:@.data/*/+
get-count:x:@.data/*/-
"""


def _one_lookup(count: int) -> str:
    siblings = "".join(f".k{n}\n" for n in range(count))
    return f".first:1\n{siblings}get-value:x:@.first\n"


def _lookups(count: int) -> str:
    return ".first:1\n" + "get-value:x:@.first\n" * count


def _lookups_that_miss(count: int) -> str:
    statements = "   get-value:x:@.first\n" * count
    return f".first:1\n.between\neval\n{statements}"


def _older(count: int) -> str:
    return f"{_data(count)}get-count:x:@.data/0/-/--\n"


def _remove_all(count: int) -> str:
    return f"{_data(count)}remove-nodes:x:@.data/*\n"


def _remove_first(count: int) -> str:
    return _data(count) + _rounds(count, "      remove-nodes:x:@.data/0\n")


def _remove_last(count: int) -> str:
    return _data(count) + _rounds(count, "      remove-nodes:x:@.data/0/-\n")


def _remove_middle(count: int) -> str:
    middle = f"      remove-nodes:x:@.data/{count // 2}\n"
    return _data(count) + _rounds(count // 2, middle)


def _returned(count: int) -> str:
    return f"""\
{_data(count)}\
slots.create:many
   return-nodes:x:@.arguments/*
execute:many
   nodes:x:@.data/*
"""


def _hyper(count: int) -> str:
    text = "\\n".join(f"k{n}:int:{n}" for n in range(count))
    return f'.text:"{text}"\nhyper2lambda:x:-\n'


def _filters(count: int) -> str:
    filters = "/item" * count
    items = "   item:int:1\n" * 200
    return f".data\n{items}get-count:x:@.data/*{filters}/=2\n"


def _else_if(count: int) -> str:
    return "if:bool:false\n" + "else-if:bool:false\n" * count


def _else_if_compared(count: int) -> str:
    branch = """\
else-if
   eq
      get-value:x:@.n
      .:int:5
   .lambda
      set-value:x:@.n
"""
    return ".n:int:1\nif:bool:false\n" + branch * count


def _grown(count: int) -> str:
    body = """\
      set-value:x:@.text
         strings.concat
            get-value:x:@.text
            .:abcd,
"""
    return ".text\n" + _rounds(count, body)


def _unreached(count: int) -> str:
    statements = "            set-value:x:@.n\n" * count
    return ".n\n" + _rounds(
        200,
        f"""\
      if
         eq
            get-value:x:@.n
            .:int:5
         .lambda
{statements}""",
    )


def _whitelist(count: int) -> str:
    body = """\
      whitelist
         vocabulary
            strings.concat
            return
         .lambda
            strings.concat
               .:a
               .:b
            return:x:-
"""
    return _rounds(count, body)


def _dictionary(count: int) -> str:
    return f"""\
{_data(count, ".dict")}\
for-each:x:@.dict/*
   get-name:x:@.dp/#
   get-value:x:@.dict/*/{{@get-name}}
"""


def _dictionary_grown(count: int) -> str:
    body = """\
      strings.concat
         .:k
         get-value:x:@.i
      not-exists:x:@.dict/*/{@strings.concat}
      if:x:@not-exists
         unwrap:x:+/*/*
         add:x:@.dict
            .
               new:x:@.i
         set-name:x:@.dict/0/-
            get-value:x:@strings.concat
"""
    return ".dict\n" + _rounds(count, body)


def _named_lookups(count: int) -> str:
    lookups = "".join(f"get-value:x:@.dict/*/k{n}\n" for n in range(count))
    return _data(count, ".dict") + lookups


def _insert_before(count: int) -> str:
    body = "      insert-before:x:@.data/0\n         .\n            new\n"
    return ".data\n   first\n" + _rounds(count, body)


def _insert_after(count: int) -> str:
    body = "      insert-after:x:@.data/0\n         .\n            new\n"
    return ".data\n   first\n" + _rounds(count, body)


def _insert_before_last(count: int) -> str:
    body = "      insert-before:x:@.data/0/-\n         .\n            new\n"
    return ".data\n   first\n   last\n" + _rounds(count, body)


def _added(count: int) -> str:
    body = "      add:x:@.data\n         .\n            new\n"
    return ".data\n" + _rounds(count, body)


def _sort(count: int) -> str:
    nodes = "".join(f"   x:int:{n * 7919 % 10_007}\n" for n in range(count))
    return f"""\
.data
{nodes}\
sort:x:@.data/*
   math.subtract
      get-value:x:@.lhs/#
      get-value:x:@.rhs/#
   set-value:x:@.result
      get-value:x:@math.subtract
"""


def _first_value(count: int) -> str:
    return "get-first-value\n" + "   .\n" * count + "   .:last\n"


def _cases(count: int) -> str:
    cases = "".join(f"   case:int:{n}\n      get-value:x:@.n\n" for n in range(count))
    return f".n:int:{count - 1}\nswitch:x:@.n\n{cases}"


def _renamed(count: int) -> str:
    return f"""\
{_data(count)}\
for-each:x:@.data/*
   set-name:x:@.dp/#
      get-value:x:@.dp/#
"""


def _unwrapped(count: int) -> str:
    nodes = "   x:x:@.value\n" * count
    return f".value:1\nunwrap:x:+/*\n.data\n{nodes}"


SHAPES = [
    Shape("`+` and `-` over siblings", _siblings),
    Shape("`+` and `-` after a removal", _siblings_after_removal),
    Shape("one `@name` past siblings", _one_lookup),
    Shape("statements that each look up the first", _lookups),
    Shape("statements of a block that look up what is above it", _lookups_that_miss),
    Shape("`--` from the last sibling", _older),
    Shape("`remove-nodes` of all children", _remove_all),
    Shape("`remove-nodes` of the first, again and again", _remove_first),
    Shape("`remove-nodes` of the last, again and again", _remove_last),
    Shape("`remove-nodes` in the middle, again and again", _remove_middle),
    Shape("nodes returned from a dynamic slot", _returned),
    Shape("`hyper2lambda`", _hyper),
    Shape("filters of which only the last decides", _filters, (50, 200, 800)),
    Shape("`else-if` that are all false", _else_if),
    Shape("`else-if` with comparisons", _else_if_compared),
    Shape("a text grown by `strings.concat`", _grown),
    Shape("a loop body that is never reached", _unreached, (100, 400, 1_600)),
    Shape("`whitelist`, again and again", _whitelist),
    Shape("dictionary: `@.dict/*/{…}` for each key", _dictionary),
    Shape("dictionary: `@.dict/*/key` for each key", _named_lookups),
    Shape("dictionary: look for a key, then add it", _dictionary_grown),
    Shape("`insert-before` the first", _insert_before),
    Shape("`insert-after` the first", _insert_after),
    Shape("`insert-before` the last", _insert_before_last),
    Shape("`add`, again and again", _added),
    Shape("`sort`", _sort, (500, 2_000, 8_000), most=1.25),
    Shape("`get-first-value`", _first_value),
    Shape("`switch` with cases", _cases),
    Shape("`set-name` of each in a `for-each`", _renamed),
    Shape("`unwrap` over siblings", _unwrapped),
]
