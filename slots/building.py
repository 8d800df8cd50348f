"""Texts that programs build piece by piece, and templates (spec 03 §2.9–2.10)."""

from __future__ import annotations

from hyperlambda import Evaluator, HyperlambdaError, LimitError, Node, parse, slot
from hyperlambda.conversions import to_text
from hyperlambda.errors import MissingValueError, NullArgumentError
from hyperlambda.expressions import resolve_bool, resolve_text

from . import logs
from .texts import Buffer, own_text

_SCOPE = ".strings.builder"


@slot("strings.builder")
def builder(evaluator: Evaluator, node: Node) -> None:
    """
    Build a text of what [strings.builder.append] adds to it meanwhile.

    A builder inside of another has a text of its own.

    Reads:
        children: code; the value is not looked at.
    Leaves:
        value: str, what was added; also when the code fails.
        children: as they are; the code shows its own results.
    Raises:
        HyperlambdaError: The code failed.
    Source:
        Spec 03 §2.9.

    Example::

        strings.builder
           strings.builder.append:hot
           strings.builder.append:" tea"
        // becomes
        strings.builder:hot tea
           strings.builder.append
           strings.builder.append
    """
    buffer = Buffer(evaluator)
    with evaluator.scope(_SCOPE, buffer):
        try:
            evaluator.run_children(node)
        finally:
            node.value = buffer.text()


@slot("strings.builder.append")
def append(evaluator: Evaluator, node: Node) -> None:
    """
    Add a text to the innermost [strings.builder].

    Reads:
        value: str, or an expression that leads to it; null adds nothing.
    Leaves:
        value: null. Children are removed.
    Raises:
        MissingValueError: No builder is running.
        ConversionError: The value cannot be read as text.
        LimitError: The text would be longer than it may be.
    Source:
        Spec 03 §2.9.

    Example::

        .list
           .:a
           .:b
        strings.builder
           for-each:x:@.list/*
              strings.builder.append:x:@.dp/#
        // becomes
        .list
           .:a
           .:b
        strings.builder:ab
           for-each:x:@.list/*
              strings.builder.append:x:@.dp/#
    """
    buffer: Buffer | None = evaluator.peek(_SCOPE)
    if buffer is None:
        raise MissingValueError(f"'{node.name}' stands outside of a 'strings.builder'")
    buffer.append(resolve_text(node) or "")
    node.value = None
    node.clear()


@slot("strings.mixin")
def mixin(evaluator: Evaluator, node: Node) -> None:
    """
    Fill in a template: code between `{{` and `}}` is replaced by what it returns.

    Each piece of code runs on its own, without the tree around it. One that fails is
    logged and leaves nothing, so that a page neither breaks nor shows code. The text
    that it returns is put in as it is: what goes into HTML must be encoded by the code.

    Reads:
        value: str, or an expression that leads to it: the template.
        strip: bool, default false; true removes the code without running it.
        children: the arguments of the code, in it `@.arguments/*`. Neither they nor
            their expressions are evaluated: [unwrap] them first.
    Leaves:
        value: str. Children are removed.
    Raises:
        NullArgumentError: There is no template.
        LimitError: The text would be longer than it may be, or the code used up what
            the program was given.
    Source:
        Spec 03 §2.10, §15 Q14 and Q15.

    Example::

        strings.mixin:@"Order {{return:x:@.arguments/*/no}}: {{
        math.multiply
           .:int:3
           .:int:4
        return:x:-
        }} cups"
           no:int:77
        // becomes
        strings.mixin:"Order 77: 12 cups"
    """
    template = own_text(node, NullArgumentError)
    option = node.child("strip")
    strip = option is not None and resolve_bool(option)
    buffer = Buffer(evaluator)
    position = 0
    while True:
        start = template.find("{{", position)
        end = template.find("}}", start + 2) if start >= 0 else -1
        if end < 0:
            break
        buffer.append(template[position:start])
        if not strip:
            buffer.append(_outcome(evaluator, node, template[start + 2 : end]))
        position = end + 2
    buffer.append(template[position:])
    node.value = buffer.text()
    node.clear()


def _outcome(evaluator: Evaluator, node: Node, snippet: str) -> str:
    """Return what a piece of code returns as text, and "" if it fails."""
    evaluator.time_left()  # an empty piece takes no step, and there may be many
    try:
        code = parse(snippet, file="<the code of a template>")
        if node.children:
            declared = code.child(".arguments")
            if declared is not None:
                declared.untie()
            arguments = code.insert(0, Node(".arguments"))
            arguments.adopt(evaluator.clones(list(node.children)))
        return to_text(evaluator.evaluate(code).value) or ""
    except LimitError:
        raise
    except HyperlambdaError as error:
        logs.error(evaluator, Node("log.error", f"strings.mixin: {error}"))
        return ""
