"""Write the table of `card.md`: what regulators ask for, and where the card says it, from `card/fields.py`."""

from __future__ import annotations

from pathlib import Path

from page import write_page

from monai_unlearn.card.fields import FIELDS

TARGET = Path(__file__).parent / "card.md"
START, END = "<!-- fields: written by docs/write_card_fields.py -->", "<!-- end of fields -->"
HEADINGS = ("field", "section of the card", "FDA PCCP", "EU AI Act, Annex IV", "ONC HTI-1, (b)(11)(iv)(B)")


def document() -> str:
    """Return the page with the table as it should be."""
    before, rest = TARGET.read_text(encoding="utf-8").split(START)
    return f"{before}{START}\n\n{table()}\n{END}{rest.split(END)[1]}"


def table() -> str:
    """Return the table."""
    rows = [HEADINGS, ("---",) * len(HEADINGS)]
    rows += [(one.name, one.where, one.pccp or "–", one.ai_act or "–", one.hti1 or "–") for one in FIELDS]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    write_page(TARGET, document)
