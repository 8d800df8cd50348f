"""`hyperlambda slots`: look slots up."""

from __future__ import annotations

import click

from ..catalogue import SlotPage, pages
from ..errors import nearest
from .failures import CommandError

__all__ = ["command"]


@click.command("slots")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """
    List the slots, or describe the slot NAME; the beginning of a name lists its family.

    \b
    Examples:
      hyperlambda slots
      hyperlambda slots strings.
      hyperlambda slots for-each
    """
    found = pages()
    by_name = {each: page for page in found for each in page.names}
    if name in by_name:
        click.echo(_description(by_name[name]), nl=False)
        return
    family = [page for page in found if page.names[0].startswith(name or "")]
    if not family:
        near = nearest(name or "", by_name)
        hint = f"; did you mean '{near}'?" if near else ""
        raise CommandError(f"no slot is named '{name}'{hint}")
    width = max(len(page.names[0]) for page in family)
    for page in family:
        click.echo(f"{page.names[0]:{width}}  {page.summary}")


def _description(page: SlotPage) -> str:
    lines = [", ".join(page.names), "", page.summary, ""]
    if page.text:
        lines += [page.text, ""]
    for title, body in page.sections.items():
        if title != "Source":  # for who works on the slots
            lines += [f"{title}:", *(f"   {line}" for line in body.splitlines()), ""]
    return "\n".join(line.rstrip() for line in lines)
