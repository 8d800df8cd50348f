"""Nodes made for others: [apply] fills templates, [include] adds what code returns."""

from __future__ import annotations

from hyperlambda import ArgumentError, Evaluator, Node, slot
from hyperlambda.conversions import to_text
from hyperlambda.errors import nearest
from hyperlambda.expressions import expression_of
from hyperlambda.siblings import rename


@slot("apply")
def apply(evaluator: Evaluator, node: Node) -> None:
    """
    Fill in templates.

    Reads:
        value: an expression that finds the templates. Below them, a text `{name}` as a
            value is replaced by the value of the argument of that name, and as a name by
            the text of that value; either way copies of its children are appended.
        children: the arguments; expressions stay expressions.
    Leaves:
        value: none.
        children: what was below the templates, filled in.
    Raises:
        ExpressionError: The value is not an expression.
        ArgumentError: An argument is missing, has no value where a name is wanted, or
            contains itself.
        ConversionError: The value of an argument has no text where a name is wanted.
        LimitError: There would be more nodes than the program may have.
    Source:
        Spec 02 §3.6, §7 (Q31).

    Example::

        .page
           h1:{title}
           {tag}:some text
        apply:x:@.page
           title:Hello
           tag:p
        // becomes
        .page
           h1:{title}
           {tag}:some text
        apply
           h1:Hello
           p:some text
    """
    arguments: dict[str, Node] = {}
    for argument in node.take_children():
        arguments.setdefault(argument.name, argument)
    for template in expression_of(node).iterate(node):
        [copy] = evaluator.clones([template])
        with evaluator.holding([copy]):
            _fill(evaluator, copy, arguments)
        node.adopt(copy.take_children())
    node.value = None


def _fill(evaluator: Evaluator, template: Node, arguments: dict[str, Node]) -> None:
    """Replace what stands in braces below a node, in what is appended too."""
    # Each node with the arguments that brought it there: one that brings itself would
    # do so for ever.
    waiting: list[tuple[Node, frozenset[str]]] = [
        (child, frozenset()) for child in reversed(template.children)
    ]
    while waiting:
        node, origin = waiting.pop()
        below = [(child, origin) for child in node.children]
        value = node.value
        if type(value) is str and _is_placeholder(value):
            argument = _argument(arguments, value, origin)
            node.value = argument.value
            below += _append(evaluator, node, argument, origin)
        if _is_placeholder(node.name):
            argument = _argument(arguments, node.name, origin)
            name = to_text(argument.value)
            if name is None:
                raise ArgumentError(
                    f"argument '{argument.name}' of 'apply' has no value to be a name"
                )
            rename(node, name)
            below += _append(evaluator, node, argument, origin)
        waiting += reversed(below)


def _is_placeholder(text: str) -> bool:
    return text[:1] == "{" and text[-1] == "}" and len(text) > 1


def _argument(arguments: dict[str, Node], text: str, origin: frozenset[str]) -> Node:
    name = text[1:-1]
    argument = arguments.get(name)
    if argument is None:
        near = nearest(name, arguments)
        raise ArgumentError(
            f"'apply' needs an argument '{name}' and has none",
            help=f"is '{near}' misspelt?" if near else None,
        )
    if name in origin:
        raise ArgumentError(f"argument '{name}' of 'apply' contains itself")
    return argument


def _append(
    evaluator: Evaluator, node: Node, argument: Node, origin: frozenset[str]
) -> list[tuple[Node, frozenset[str]]]:
    """Append copies of the children of an argument, and return each with its origin."""
    # Arguments that contain others several times grow much faster than the program.
    evaluator.count_step()
    copies = evaluator.clones(list(argument.children))
    node.adopt(copies)
    origin |= {argument.name}
    return [(copy, origin) for copy in copies]


@slot("include")
def include(evaluator: Evaluator, node: Node) -> None:
    """
    Run the children once for each node, and append to that node what they return.

    Reads:
        value: an expression; all nodes that it finds are looked for at once.
        children: the code; in it, `@.dp/#` is the present node. What it returns ends
            only this round; a returned value is dropped.
    Leaves:
        value: as it is.
        children: none.
    Raises:
        ExpressionError: The value is not an expression.
        TreeError: The code returned what the present node stands in.
    Source:
        Spec 02 §2.6, §3.6.

    Example::

        .list
           a:1
           b:2
        include:x:@.list/*
           yield
              was:x:@.dp/#
        // becomes
        .list
           a:1
              was:1
           b:2
              was:2
        include:x:@.list/*
    """
    for found in expression_of(node).evaluate(node):
        # Put aside, and run as copies: the code changes itself while it runs.
        body = node.take_children()
        node.adopt([Node(".dp", found), *evaluator.clones(body)])
        result = evaluator.evaluate(node)
        node.clear()
        node.adopt(body)
        found.extend(result.take_children())
    node.clear()
