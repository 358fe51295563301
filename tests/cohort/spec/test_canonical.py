from __future__ import annotations

import pytest

from monai_unlearn.cohort.spec.canonical import canonical_json, digest_of


def test_one_content_has_one_text():
    assert canonical_json({"b": 1, "ä": [2]}) == '{\n  "b": 1,\n  "ä": [\n    2\n  ]\n}\n'
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 1.5})


def test_what_json_cannot_say_is_refused():
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json({"a": float("nan")})
