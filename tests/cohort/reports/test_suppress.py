from __future__ import annotations

import pytest

from monai_unlearn.cohort.reports.disclosure import at_most
from monai_unlearn.cohort.reports.suppress import Connections, check_limit, count_at, masked, suppressed
from monai_unlearn.errors import CohortError


def _connected(*paths):
    connections = Connections()
    connections.places = {path: path for path in paths}
    return connections


def test_connected_counts_are_suppressed_below_the_limit():
    shown = suppressed({"a": 2, "b": [7, 0]}, _connected(("a",), ("b", 0), ("b", 1)), below=5)
    assert shown == {"a": "<5", "b": [7, 0], "suppressed_below": 5}


def test_relations_and_needs_reach_the_protection():
    connections = _connected(("a",), ("b",))
    connections.relations = [at_most(("b",), ("a",))]
    connections.differences = [(("a",), ("b",))]
    document = {"a": 100, "b": 98}
    assert suppressed(document, connections, below=5)["b"] == "hidden"
    connections.needed = {("b",): 1}
    assert suppressed(document, connections, below=5) == {"a": "hidden", "b": 98, "suppressed_below": 5}


def test_a_table_is_connected_cell_by_cell():
    connections = Connections()
    connections.matrix(("t",), {"x": {"a": 1, "b": 9}})
    assert connections.places == {("t", "x", "a"): ("t", "x", "a"), ("t", "x", "b"): ("t", "x", "b")}
    assert suppressed({"t": {"x": {"a": 1, "b": 9}}}, connections, below=3)["t"] == {"x": {"a": "<3", "b": 9}}


def test_numbers_that_are_not_connected_are_hidden():
    shown = suppressed(
        {"more": {"count": 3, "share": 0.25, "none": 0, "is": True, "nothing": None}}, Connections(), below=5
    )
    assert shown["more"] == {"count": "hidden", "share": "hidden", "none": 0, "is": True, "nothing": None}


def test_texts_lose_their_numbers_unless_they_are_the_author_s():
    document = {"warnings": ["3 of 4"], "name": "odir-5k", "rules": ["age > 11", "patient in [… 3 values]"]}
    shown = suppressed(document, Connections(), below=5)
    assert shown["warnings"] == ["… of …"]
    assert shown["name"] == "odir-5k"
    assert shown["rules"] == ["age > 11", "patient in [… values]"]


def test_a_text_can_be_replaced():
    connections = Connections()
    connections.texts = {("warnings", 0): "The class 2nd is empty."}
    assert suppressed({"warnings": ["anything 7"]}, connections, below=5)["warnings"] == ["The class 2nd is empty."]


def test_the_document_itself_does_not_change():
    document = {"a": {"b": 2}}
    suppressed(document, _connected(("a", "b")), below=5)
    assert document == {"a": {"b": 2}}
    assert count_at(document, ("a", "b")) == 2


@pytest.mark.parametrize("below", [-1, 0, 2])
def test_a_limit_that_hides_nothing_is_refused(below):
    with pytest.raises(CohortError, match=f"--suppress-below: expected at least 3, got {below}"):
        check_limit(below)
    check_limit(3)


def test_a_masked_message_still_names_its_file():
    assert masked("a 1,000 or 0.5.") == "a … or …."
    assert masked("/2/s.yaml: found 3.\n/2/s.yaml: 4 of 5", source="/2/s.yaml") == (
        "/2/s.yaml: found ….\n/2/s.yaml: … of …"
    )
