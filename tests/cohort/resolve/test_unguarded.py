from __future__ import annotations

import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort.resolve.unguarded import refusal, resolve_unguarded
from monai_unlearn.errors import CohortError
from monai_unlearn.vocabulary.fields import Kind


def test_it_is_what_resolving_gives_without_the_guards(tmp_path):
    index = make_index(tmp_path, {"device": ["old", "new", None]}, {"device": Kind.TEXT})
    spec = make_spec("device == old")
    cohort = resolve_unguarded(spec, index)
    assert cohort.manifest == spec.resolve(index).manifest
    assert refusal(cohort) is None
    narrow = make_spec("device == old", "expect: {images: {min: 2}}\n")
    with pytest.raises(CohortError, match="rule by rule"):
        narrow.resolve(index)
    refused = resolve_unguarded(narrow, index)
    assert refused.images == cohort.images
    text = refusal(refused)
    assert text.startswith("test.yaml: expected at least 2 images")
    assert "rule by rule" not in text
