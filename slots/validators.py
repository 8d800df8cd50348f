"""Checking what clients send (spec 03 §6)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from hyperlambda import Evaluator, Node, slot
from hyperlambda.conversions import to_date, to_int, to_text
from hyperlambda.errors import TreeError
from hyperlambda.expressions import Expression, expression_of, resolve
from hyperlambda.sealed import unseal

from .checking import check_each, check_texts, field_of, parameter, rejection
from .texts import parameter_text, shortened, units


@slot("validators.mandatory")
def mandatory(evaluator: Evaluator, node: Node) -> None:
    """
    Reject an argument that is not there.

    Reads:
        value: an expression, or the value itself. "" counts as given, and so does a node
            that has children.
    Leaves:
        value and children: as they are.
    Raises:
        ArgumentError: There is no value; public, with status 400 and the field.
        ExpressionError: The expression finds several nodes.
    Source:
        Spec 03 §6, §15 Q21.

    Example::

        .args
           age:15
        validators.mandatory:x:@.args/*/age
        // becomes
        .args
           age:15
        validators.mandatory:x:@.args/*/age
    """
    if resolve(node) is not None:
        return
    if type(node.value) is not Expression:
        raise rejection("a value is mandatory", "")
    found = node.value.evaluate(node)
    if found and found[0].children:
        return
    field = field_of(node)
    raise rejection(f"'{shortened(field)}' is mandatory", field)


@slot("validators.integer")
def integer(evaluator: Evaluator, node: Node) -> None:
    """
    Reject numbers that are no integers, too small or too large.

    Reads:
        value: an expression whose results are all checked, or the number itself. Null is
            not checked, and texts are read as numbers.
        min, max: long, the least and the greatest number allowed.
    Leaves:
        value: null, also when it is rejected. Children are removed.
    Raises:
        ArgumentError: A number is rejected; public, with status 400 and the field.
            Or [min] or [max] has no value.
        ConversionError: A value, such as a date, is no number.
        LiteralError: A text spells no integer.
    Source:
        Spec 03 §6, §15 Q13, Q22 and Q23.

    Example::

        .args
           age:15
        validators.integer:x:@.args/*/age
           min:1
           max:99
        // becomes
        .args
           age:15
        validators.integer
    """
    least = parameter(node, "min", _to_long, -(2**63))
    most = parameter(node, "max", _to_long, 2**63 - 1)

    def check(value: Any) -> None:
        whole = _is_whole(value)
        number = _to_long(value) if whole else value
        if not whole or not least <= number <= most:
            raise rejection(
                f"'{shortened(to_text(value) or '')}' is no integer from {least} to {most}, in '{field}'",
                field,
            )

    field = field_of(node)
    check_each(node, check)


def _to_long(value: Any) -> int:
    return to_int(value, "long")


def _is_whole(value: Any) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite() and value == value.to_integral_value()
    return not isinstance(value, float) or value.is_integer()


@slot("validators.string")
def string(evaluator: Evaluator, node: Node) -> None:
    """
    Reject texts that are too short or too long.

    Reads:
        value: an expression whose results are all checked, or the text itself. Null is
            not checked.
        min, max: int, the least and the greatest length allowed, in UTF-16 code units:
            a character beyond U+FFFF counts as two.
    Leaves:
        value: null, also when it is rejected. Children are removed.
    Raises:
        ArgumentError: A text is rejected; public, with status 400 and the field. Or
            [min] or [max] has no value.
        ConversionError: A value cannot be read as text.
    Source:
        Spec 03 §6, §15 Q7 and Q13.

    Example::

        .args
           code:AB12
        validators.string:x:@.args/*/code
           min:2
        // becomes
        .args
           code:AB12
        validators.string
    """
    least = parameter(node, "min", to_int, 0)
    most = parameter(node, "max", to_int, 2**31 - 1)

    def check(text: str) -> None:
        if not least <= units(text) <= most:
            raise rejection(
                f"'{shortened(text)}' does not have {least} to {most} characters, "
                f"in '{field}'",
                field,
            )

    field = field_of(node)
    check_texts(node, check)


@slot("validators.date")
def date(evaluator: Evaluator, node: Node) -> None:
    """
    Reject dates that are too early or too late.

    Reads:
        value: an expression whose results are all checked, or the date itself. Null is
            not checked, and texts are read as dates.
        min, max: date, the first and the last one allowed. Dates with an offset count
            as UTC, and so do those without any zone.
    Leaves:
        value: null, also when it is rejected. Children are removed.
    Raises:
        ArgumentError: A date is rejected; public, with status 400 and the field. Or
            [min] or [max] has no value.
        ConversionError: A value, such as a number, is no date.
        LiteralError: A text spells no date.
    Source:
        Spec 03 §6, §15 Q13, Q18 and Q22.

    Example::

        .args
           born:date:"2000-02-03T00:00:00.000Z"
        validators.date:x:@.args/*/born
           min:date:"1900-01-01T00:00:00.000Z"
        // becomes
        .args
           born:date:"2000-02-03T00:00:00.000Z"
        validators.date
    """
    least = parameter(node, "min", _to_instant, datetime.min)
    most = parameter(node, "max", _to_instant, datetime.max)

    def check(value: Any) -> None:
        when = _to_instant(value)
        if not least <= when <= most:
            raise rejection(
                f"'{to_text(when)}' is no date from {to_text(least)} to {to_text(most)}, "
                f"in '{field}'",
                field,
            )

    field = field_of(node)
    check_each(node, check)


def _to_instant(value: Any) -> datetime:
    # The zones of the language are all UTC, and only tell where a date came from.
    return to_date(value).replace(tzinfo=None)


@slot("validators.enum")
def enum(evaluator: Evaluator, node: Node) -> None:
    """
    Reject what is not among the texts allowed.

    Reads:
        value: an expression whose results are all checked, or the text itself. Null is
            not checked.
        children: their values are the texts allowed; expressions are not followed.
    Leaves:
        value: null, also when it is rejected. Children are removed.
    Raises:
        ArgumentError: A text is rejected; public, with status 400 and the field.
        ConversionError: A value cannot be read as text, or a child has an expression.
    Source:
        Spec 03 §6.

    Example::

        .args
           size:m
        validators.enum:x:@.args/*/size
           .:s
           .:m
        // becomes
        .args
           size:m
        validators.enum
    """
    allowed = [to_text(child.value) for child in node.children]

    def check(text: str) -> None:
        if text not in allowed:
            known = [f"'{shortened(each or '')}'" for each in allowed[:50]]
            listed = shortened(", ".join(known))
            raise rejection(
                f"'{shortened(text)}' is none of {listed}, in '{field}'", field
            )

    field = field_of(node)
    check_texts(node, check)


@slot("validators.regex")
def regex(evaluator: Evaluator, node: Node) -> None:
    """
    Reject texts in which a pattern is found nowhere.

    Patterns are those of [strings.matches]; one that is to cover the whole text begins
    with `^` and ends with `$`.

    Reads:
        value: an expression whose results are all checked, or the text itself. Null is
            not checked.
        regex: str, the pattern.
    Leaves:
        value: null, also when it is rejected. Children are removed.
    Raises:
        ArgumentError: A text is rejected; public, with status 400 and the field.
        TreeError: There is no [regex].
        NullArgumentError: It has no value.
        PatternError: It is malformed, or has what is not known here.
        LimitError: The program's time is over.
    Source:
        Spec 03 §6, §15 Q25.

    Example::

        .args
           code:AB12
        validators.regex:x:@.args/*/code
           regex:"^[A-Z]{2}\\\\d+$"
        // becomes
        .args
           code:AB12
        validators.regex
    """
    child = node.child("regex")
    if child is None:
        raise TreeError(f"'{node.name}' needs a [regex]")
    expression = parameter_text(node, child.position(), "[regex]")
    # Only programs that have patterns pay for loading this.
    from .matching import compile_pattern, is_found

    pattern = compile_pattern(expression)

    def check(text: str) -> None:
        if not is_found(evaluator, pattern, text):
            raise rejection(
                f"'{shortened(text)}' does not match '{shortened(expression)}', "
                f"in '{field}'",
                field,
            )

    field = field_of(node)
    check_texts(node, check)


@slot("validators.default")
def default(evaluator: Evaluator, node: Node) -> None:
    """
    Give arguments that are missing a value.

    Reads:
        value: an expression; each node that it finds gets the defaults that it lacks.
        children: the defaults, by name. They are neither run nor resolved. A node that
            has a child of the name gets the value if that child has none.
    Leaves:
        value: as it is. Children are removed.
    Raises:
        ExpressionError: The value is not an expression.
        LimitError: There would be more nodes than the program may have.
    Source:
        Spec 03 §6.

    Example::

        .args
           size:m
           note
        validators.default:x:@.args
           size:xl
           note:none
           cups:int:1
        // becomes
        .args
           size:m
           note:none
           cups:int:1
        validators.default:x:@.args
    """
    defaults = list(node.children)
    for target in expression_of(node).evaluate(node):
        unseal(target)
        for each in defaults:
            present = target.child(each.name)
            if present is None:
                target.adopt(evaluator.clones([each]))
            elif present.value is None:
                present.value = each.value
    node.clear()
