from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from studio_client import Visitor, words
from tiny import SPEC, tiny_index

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.studio.images import MOST, some_images


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return tiny_index(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def visitor(index, tmp_path_factory):
    return Visitor(index=index.directory, work=tmp_path_factory.mktemp("work") / "work", show_images=True)


def preview(visitor):
    return visitor.post("/cohort/preview", {"text": SPEC, "name": "new"}).text


def test_some_images_of_each_part_are_drawn_and_the_same_ones_again(index):
    cohort = CohortSpec.parse(SPEC).resolve(index)
    found = some_images(cohort)
    assert {part: len(numbers) for part, numbers in found.items()} == {"forget": MOST, "remain": MOST}
    for part, numbers in found.items():
        mask = getattr(cohort.membership, part)
        assert all(mask[number - 1] for number in numbers)
    assert some_images(cohort) == found


def test_the_page_shows_them_by_number_with_a_notice(visitor):
    page = preview(visitor)
    assert "These are images of patients" in words(page)
    assert page.count('<img src="/cohort/image?number=') == 2 * MOST
    assert "image-0" not in page


def test_a_picture_is_small_has_no_metadata_and_is_kept_nowhere(visitor, index):
    before = sorted(visitor.studio.workspace.root.rglob("*"))
    answer = visitor.get("/cohort/image?number=1")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "no-store"
    picture = Image.open(io.BytesIO(answer.content))
    assert (picture.size, picture.info) == ((8, 8), {})
    with Image.open(index.frame(["path"])["path"][0]) as shown:
        assert np.array_equal(np.asarray(picture), np.asarray(shown))
    assert sorted(visitor.studio.workspace.root.rglob("*")) == before


def test_images_are_not_shown_unless_asked_for(index, tmp_path):
    visitor = Visitor(index=index.directory, work=tmp_path / "work")
    assert "<img" not in preview(visitor)
    assert "images of patients" not in preview(visitor)
    answer = visitor.get("/cohort/image?number=1")
    assert answer.status_code == 422
    assert "--show-images" in answer.text


@pytest.mark.parametrize("number", ["0", "49", "-1", "x", "", "../1", "9" * 400])
def test_another_number_is_refused(visitor, number):
    answer = visitor.get("/cohort/image", params={"number": number})
    assert answer.status_code == 422
    assert "no image of this number" in answer.text


def test_an_image_that_cannot_be_decoded_is_named_by_its_number(tmp_path):
    index = tiny_index(tmp_path)
    visitor = Visitor(index=index.directory, work=tmp_path / "work", show_images=True)
    path = Path(index.frame(["path"])["path"][2])
    path.write_bytes(b"no image")
    answer = visitor.get("/cohort/image?number=3")
    assert answer.status_code == 422
    assert "image number 3 cannot be shown" in answer.text
    assert path.name not in answer.text
