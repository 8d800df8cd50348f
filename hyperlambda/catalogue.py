"""
The slots as pages: what their docstrings say, for the terminal and for docs/slots.md.

    python -m hyperlambda.catalogue > docs/slots.md
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from textwrap import dedent
from typing import NamedTuple

from .registry import SlotFunction, documentation, standard_slots

__all__ = ["SlotPage", "pages", "reference"]

_SECTION = re.compile(r"^(\w+)::?$", re.MULTILINE)


class SlotPage(NamedTuple):
    """
    What a slot's docstring says.

    Attributes:
        names: Its names, the first one first.
        summary: Its first sentence.
        text: What stands between the sentence and the first section.
        sections: Reads, Leaves, Raises, Source and Example, each dedented.
    """

    names: tuple[str, ...]
    summary: str
    text: str
    sections: dict[str, str]


def pages() -> list[SlotPage]:
    """Return the pages of the standard slots, by name; one for all names of a slot."""
    by_function: dict[SlotFunction, list[str]] = {}
    for name, function in standard_slots().functions.items():
        by_function.setdefault(function, []).append(name)
    found = [_page(tuple(names), each) for each, names in by_function.items()]
    return sorted(found, key=lambda page: page.names)


def _page(names: tuple[str, ...], function: SlotFunction) -> SlotPage:
    text = dedent(documentation(function)).strip()
    parts = _SECTION.split(text)
    summary, _, more = parts[0].partition("\n\n")
    sections = {
        title: dedent(body).strip("\n")
        for title, body in zip(parts[1::2], parts[2::2], strict=True)
    }
    return SlotPage(names, " ".join(summary.split()), more.strip(), sections)


def reference() -> str:
    """Return docs/slots.md."""
    found = pages()
    lines = [
        "# Slots",
        "",
        "Made from the docstrings of the slots by `python -m hyperlambda.catalogue`; every "
        "example is run by a test.",
        "",
        ", ".join(f"[`{page.names[0]}`](#{_anchor(page)})" for page in found),
        "",
    ]
    for page in found:
        lines += _markdown(page)
    return "\n".join(lines)


def _anchor(page: SlotPage) -> str:
    return re.sub(r"[^\w-]", "", _heading(page).lower().replace(" ", "-"))


def _heading(page: SlotPage) -> str:
    return ", ".join(page.names)


def _markdown(page: SlotPage) -> Iterable[str]:
    yield from (f"## {_heading(page)}", "", page.summary, "")
    if page.text:
        yield from (page.text, "")
    for title, body in page.sections.items():
        if title == "Example":
            yield from ("```hyperlambda", body, "```", "")
        elif title != "Source":  # for who works on the slots
            yield from (f"**{title}**", "", *_definitions(body), "")


def _definitions(body: str) -> list[str]:
    """Return a list item for each `name: text`, whose text may go on indented."""
    items: list[str] = []
    for line in body.splitlines():
        if line.startswith(" ") and items:
            items[-1] += f" {line.strip()}"
            continue
        name, colon, text = line.partition(":")
        if colon and " and " not in name:
            items.append(f"- `{name}`: {text.strip()}")
        else:
            items.append(f"- {line}")
    return items


if __name__ == "__main__":
    sys.stdout.write(reference())
