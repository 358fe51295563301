from __future__ import annotations

from monai_unlearn.experiments.overlay.findings import as_documents, note, problem


def test_documents_have_what_stops_or_what_does_not():
    found = [problem("a", "It is.", "Do."), note("b", "So.")]
    assert as_documents(found, stops=True) == [{"code": "a", "what": "It is.", "do": "Do."}]
    assert as_documents(found, stops=False) == [{"code": "b", "what": "So.", "do": ""}]
    assert str(found[1]) == "So."
