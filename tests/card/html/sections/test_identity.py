from __future__ import annotations

from card_example import DIGEST, rich

from monai_unlearn.card.html import to_html
from monai_unlearn.card.html.sections.identity import view

DIFF = rich()


def test_digests_of_weights_spec_index_and_manifest():
    rows = {row[0].text: row[2].text for row in view(DIFF)["digests"].rows}
    assert list(rows) == [
        "original weights",
        "revised weights",
        "cohort spec",
        "index of the images",
        "cohort manifest",
    ]
    assert set(rows.values()) == {DIGEST}


def test_a_protocol_has_its_digest():
    diff = {**DIFF, "decision": {**DIFF["decision"], "protocol": {"digest": "sha256:1"}}}
    assert [cell.text for cell in view(diff)["digests"].rows[-1]] == ["protocol", "", "sha256:1"]


def test_a_composition_names_what_it_is_made_of():
    parents = [{"version": f"1.{number}.0", "weights_digest": f"sha256:{number}"} for number in (2, 3)]
    diff = {**DIFF, "modification": {**DIFF["modification"], "composed_of": parents}}
    rows = [[cell.text for cell in row] for row in view(diff)["digests"].rows]
    assert rows[1:3] == [["composed of A", "1.2.0", "sha256:2"], ["composed of B", "1.3.0", "sha256:3"]]


def test_versions_and_the_way_back():
    rows = [[cell.text for cell in row] for row in view(DIFF)["versions"].rows]
    assert rows == [["monai-unlearn", "0.1.0"], ["python", "3.11"]]
    assert "Keep the bundle Some 1.0.0." in to_html(DIFF)


def test_the_method_stands_with_who_chose_it():
    assert "<p>Method: psg; the user chose it.</p>" in to_html(DIFF)
