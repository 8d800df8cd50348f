"""The pages of the slots, and docs/slots.md, which is made of them."""

from pathlib import Path

from hyperlambda.catalogue import pages, reference
from hyperlambda.registry import standard_slots

DOCS = Path(__file__).parent.parent / "docs"


def test_every_slot_has_a_page() -> None:
    named = {name for page in pages() for name in page.names}
    assert named == set(standard_slots())


def test_a_page_has_all_its_parts() -> None:
    for page in pages():
        assert page.summary.endswith((".", "not run.")), page.names
        assert list(page.sections) == ["Reads", "Leaves", "Raises", "Source", "Example"]


def test_the_reference_is_current() -> None:
    """Mend with: python -m hyperlambda.catalogue > docs/slots.md"""
    assert (DOCS / "slots.md").read_text("utf-8") == reference()
