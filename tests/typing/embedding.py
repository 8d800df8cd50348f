"""What an embedder writes; checked by mypy, never run."""

from collections.abc import Iterator
from typing import Any, assert_type

from hyperlambda import (
    ArgumentError,
    Evaluator,
    Expression,
    HyperlambdaError,
    HyperlambdaSyntaxError,
    LimitError,
    Limits,
    Node,
    UnknownSlotError,
    generate,
    parse,
    slot,
)

root = parse("a:1", file="f.hl", comments=True)
assert_type(root, Node)
assert_type(parse(b"a:1"), Node)
assert_type(generate(root), str)
assert_type(generate(root.children, comments=True, newline="\r\n"), str)
assert_type(generate(iter([root])), str)

node = Node("name", 42, [Node("child")])
assert_type(node.name, str)
assert_type(node.value, Any)
assert_type(node.parent, Node | None)
assert_type(node.child("child"), Node | None)
assert_type(node.add(Node()), Node)
assert_type(node.walk(), Iterator[Node])
assert_type(node.clone(), Node)
assert_type(node.root, Node)
assert_type(node.next, Node | None)
for child in node.children:
    assert_type(child, Node)

expression = Expression("@.data/*")
assert_type(expression.evaluate(node), list[Node])
assert_type(expression.iterate(node), Iterator[Node])
assert_type(expression.iterators, list[str])

evaluator = Evaluator(
    limits=Limits(max_steps=1000, max_nodes=None, timeout=1.5),
    root="programs",
    config={"magic:lambda:maxWhileIterations": 10},
)
assert_type(evaluator.evaluate(root), Node)
assert_type(evaluator.run("return:x", arguments={"a": [1, {"b": 2}]}), Node)
assert_type(evaluator.run(b"return:x", file="f.hl"), Node)


async def beside_a_loop() -> None:
    assert_type(await evaluator.run_async("return:x", arguments={"a": 1}), Node)


def failing() -> str:
    try:
        evaluator.run("nosuch")
    except HyperlambdaSyntaxError as error:
        assert_type(error.place.line if error.place else None, int | None)
    except UnknownSlotError as error:
        assert_type(error.name, str)
    except LimitError as error:
        assert_type(error.message, str)
    except ArgumentError as error:
        assert_type(error.status, int)
    except HyperlambdaError as error:
        assert_type(error.help, str | None)
        return error.render()
    return ""


@slot("words.count", "words.length")
def count(evaluator: Evaluator, node: Node) -> None:
    node.value = len(str(node.resolve()).split())


assert_type(count(evaluator, node), None)
