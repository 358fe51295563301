"""Specs from an untrusted source, typed into the studio: each is refused under its line, or does what it says."""

from __future__ import annotations

import pytest
from hostile_specs import HOSTILE, SECRET
from nightly import NIGHTLY
from studio_client import Visitor, studio_index

from monai_unlearn.studio.guard import MAX_BODY


@pytest.fixture(scope="module")
def visitor(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    return Visitor(index=studio_index(folder / "index").directory, work=folder / "work")


# tests/hostile tries all of them on the language; here is tried that the studio hands them to it, and shows its answer.
CASES = HOSTILE if NIGHTLY else HOSTILE[::7]
LARGE = MAX_BODY // 4


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_hostile_spec_is_refused_under_its_line(case, visitor, tmp_path):
    content = case.write(tmp_path).read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        answer = visitor.post("/cohort/upload", files={"file": ("spec.yaml", content)})
        assert answer.status_code == 422
        return
    if len(content) > LARGE:
        pytest.skip("refused by its size alone: test_guard.py")
    answer = visitor.post("/cohort/preview", {"text": text, "name": "new"})
    assert answer.status_code == 200
    assert "<li data-line" in answer.text or "This cohort is refused" in answer.text
    assert SECRET not in answer.text
    assert "root:" not in answer.text
    suggested = visitor.post("/cohort/suggest", {"text": text, "cursor": str(len(text))})
    assert suggested.status_code == 200
    assert SECRET not in suggested.text
    assert visitor.post("/cohort/save", {"text": text, "name": "new", "over": ""}).status_code in {303, 409, 422}
    # Saved at most under its own name, among the specs.
    assert {path.name for path in visitor.studio.workspace.specs.rglob("*")} <= {"hostile.yaml"}
