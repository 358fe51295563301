from __future__ import annotations

import pytest
from studio_client import SECRETS, SPEC, studio_index

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.cohort.reports.compare import compare
from monai_unlearn.cohort.resolve.resolve import resolve_unguarded
from monai_unlearn.studio.cohort_view import difference, view


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return studio_index(tmp_path_factory.mktemp("view") / "index")


def shown(index, text):
    return view(resolve_unguarded(CohortSpec.parse(text), index))


def test_a_view_says_what_the_preview_says(index):
    found = shown(index, SPEC)
    assert found["headline"] == "4 images of 2 patients would be forgotten, 7 kept."
    assert found["refusal"] is None
    assert found["unknown"] == ["device == Old: a value is missing in 1 image."]
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in found["classes"].rows}
    assert rows["glaucoma"] == ["2", "3", "0"]


def test_what_the_guards_refuse_is_shown_with_the_reason(index):
    assert "is empty" in shown(index, SPEC.replace("Old", "Older"))["refusal"]


def test_other_spellings_are_shown_with_their_images(index):
    (found,) = shown(index, SPEC.replace("Old", "o l d"))["spellings"]
    assert found.startswith("Other spellings of “o l d” (device): “Old” (4 images, ")


@pytest.mark.parametrize("field", ["patient", "OperatorsName", "image_id"])
def test_no_value_of_a_field_that_identifies_is_in_a_view(index, field):
    found = shown(index, SPEC.replace("device == Old", f"{field} != SECRET-TYPED"))
    texts = str(found)
    assert not any(secret in texts for secret in SECRETS)


def test_a_difference_says_what_moves_and_why(index):
    old, new = (CohortSpec.parse(SPEC.replace("Old", name)) for name in ("Old", "New"))
    found = difference(compare(old, resolve_unguarded(new, index), index))
    assert found["moved"] == "10 images of 5 patients change their part."
    assert [cell.text for cell in found["keys"].rows[0]] == ["forget", "device == Old", "device == New"]
    assert found["images"].headings == ("", *(f"by this one: {part}" for part in ("forgotten", "kept", "undetermined")))
    assert [row[0].text for row in found["images"].rows][:2] == ["by the other: forgotten", "by the other: kept"]
    assert found["refused"] == {}
