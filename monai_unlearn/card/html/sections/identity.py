"""Identity: digests, versions, spec, protocol, and how to go back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.card.html.sections.section import Section
from monai_unlearn.card.html.table import Table, cells
from monai_unlearn.card.wording import choice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Document = Mapping[str, Any]


STATED = {"authors": "developer", "data_type": "input data", "data_source": "source of the training data"}
FURTHER = {"label_classes": "labels", "pred_classes": "output", "copyright": "copyright"}


def view(diff: Document) -> dict[str, Any]:
    """Return what identifies the bundle and everything that it was made from."""
    return {
        "model": _model(diff["bundle"]),
        "digests": Table(
            caption="Digests (SHA-256)",
            headings=("what", "which", "digest"),
            rows=[cells(*row) for row in _digests(diff)],
            texts=3,
        ),
        "versions": Table(
            caption="Versions of the software",
            headings=("package", "version"),
            rows=[
                cells("monai-unlearn", diff["modification"]["tool_version"]),
                *(cells(name, one) for name, one in diff["versions"].items()),
            ],
            texts=2,
        ),
        "base": diff["base"],
        "revised": diff["revised"],
        "modification": diff["modification"],
        "method": choice(diff["modification"]["method"]),
    }


def _model(bundle: Document) -> Table:
    """Return what the bundle says of its model; what it leaves open is said of the facts that readers look for."""
    found = [(words, bundle.get(name)) for name, words in STATED.items()]
    more = [(words, bundle[name]) for name, words in FURTHER.items() if bundle.get(name)]
    return Table(
        caption="The model, in the words of its bundle",
        headings=("what", "as stated"),
        rows=[cells(words, text or "not stated") for words, text in [*found, *more]],
        texts=2,
    )


def _digests(diff: Document) -> Iterator[tuple[str, str, str]]:
    cohort, protocol = diff["modification"]["cohort"], diff["decision"]["protocol"]
    yield "original weights", diff["base"]["version"], diff["base"]["weights_digest"]
    for letter, parent in zip("AB", diff["modification"].get("composed_of", ()), strict=False):
        yield f"composed of {letter}", parent["version"], parent["weights_digest"]
    yield "revised weights", diff["revised"]["version"], diff["revised"]["weights_digest"]
    yield "cohort spec", cohort["name"], cohort["spec_digest"]
    yield "index of the images", "", cohort["index_digest"]
    if cohort["manifest_digest"] is not None:
        yield "cohort manifest", "", cohort["manifest_digest"]
    if protocol is not None:
        yield "protocol", "", protocol["digest"]


IDENTITY = Section(name="identity", title="Identity, and the way back", view=view)
