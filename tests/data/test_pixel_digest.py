from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
from monai.data import DataLoader
from PIL import Image

from monai_unlearn.data import pixel_digest as module
from monai_unlearn.data.pixel_digest import PixelCheck, Seen, examples
from monai_unlearn.data.read_once import InMemoryDataset
from monai_unlearn.errors import DataError
from monai_unlearn.index import write_index
from monai_unlearn.index.readers.pixel_digest import pixel_digest
from monai_unlearn.vocabulary.fields import Kind


@pytest.fixture
def items(tmp_path):
    """Pictures of the same size, whose files have the same time."""
    made = []
    for number in range(6):
        path = tmp_path / f"{number}.bmp"
        Image.new("RGB", (4, 4), (number, 0, 0)).save(path)
        os.utime(path, ns=(10**18, 10**18))
        made.append({"image_id": f"i{number}", "image": str(path)})
    return made


def rows(items, **columns):
    stats = [Path(item["image"]).stat() for item in items]
    stamps = {"file_size": [stat.st_size for stat in stats], "file_mtime_ns": [stat.st_mtime_ns for stat in stats]}
    return pd.DataFrame({**stamps, **columns}, index=[item["image_id"] for item in items])


def swap(first, second):
    """Swap the contents of two files; sizes and times stay as they are."""
    contents = [Path(item["image"]).read_bytes() for item in (first, second)]
    for item, content in zip((first, second), reversed(contents), strict=True):
        Path(item["image"]).write_bytes(content)
        os.utime(item["image"], ns=(10**18, 10**18))


def test_the_digests_of_images_are_kept(items):
    check = PixelCheck(rows(items))
    check.check(items)
    size = Path(items[0]["image"]).stat().st_size
    assert check.seen["i0"] == Seen(pixel_digest(Path(items[0]["image"])), size, 10**18)
    assert len({seen.digest for seen in check.seen.values()}) == 6


@pytest.mark.parametrize("change", [lambda path: os.utime(path, ns=(5, 5)), lambda path: path.write_bytes(b"BM")])
def test_another_size_or_time_is_refused(change, items):
    indexed = rows(items)
    for item in items[:2]:
        change(Path(item["image"]))
    with pytest.raises(DataError, match=r"^2 of 6 images are not the files that were indexed: 2 have another size or"):
        PixelCheck(indexed).check(items)


def test_other_pixels_are_refused_where_the_index_has_digests(items):
    indexed = rows(items, pixel_digest=[pixel_digest(Path(item["image"])) for item in items])
    swap(*items[:2])
    swap(*items[3:5])
    with pytest.raises(DataError, match=r"^4 of 6 images .*: 4 have other pixels; i0, i1, i3 and 1 more"):
        PixelCheck(indexed).check(items)
    PixelCheck(rows(items)).check(items)  # nothing else tells them apart


def test_an_image_is_looked_at_once(items, monkeypatch):
    check, read = PixelCheck(rows(items)), []
    monkeypatch.setattr(
        module, "pixel_digests", lambda paths: [read.append(path.name) or "sha256:00" for path in paths]
    )
    check.check(items[:4])
    check.check(items[2:])
    assert read == [f"{number}.bmp" for number in range(6)]


def test_what_the_index_does_not_know_is_not_compared(items):
    check = PixelCheck(rows(items, file_size=None, file_mtime_ns=None))
    check.check([*items, {"image_id": "new", "image": items[0]["image"]}])
    assert len(check.seen) == 7


def test_files_that_do_not_exist_are_left_to_the_reader(tmp_path):
    check = PixelCheck()
    check.check([{"image_id": "a", "image": str(tmp_path / "absent.png")}, {"image_id": "b", "image": None}])
    assert check.seen == {}


def test_the_rows_of_an_index_are_taken_without_unusable_ones(items, tmp_path):
    first, second = (Path(item["image"]).stat() for item in items[:2])
    frame = pd.DataFrame(
        {
            "image_id": ["i0", "i1", "i1"],
            "fault": [None, "missing_patient_id", "truncated"],
            "file_size": [first.st_size, second.st_size, 1],
            "file_mtime_ns": [10**18, 10**18, 1],
            "pixel_digest": [pixel_digest(Path(items[0]["image"])), "sha256:00", None],
        }
    )
    index = write_index(frame, tmp_path / "index", kinds={"pixel_digest": Kind.TEXT})
    PixelCheck.of(index).check(items[:1])
    with pytest.raises(DataError, match=r"1 of 1 images .*: 1 have other pixels"):
        PixelCheck.of(index).check(items[1:2])


def test_examples_are_few():
    where = " (their paths are in the index, in the column path)"
    assert examples(["a"]) == f"a{where}"
    assert examples(["a", "b", "c", "d", "e"]) == f"a, b, c and 2 more{where}"


def test_loaders_do_not_search_its_data_frame_for_random_transforms():
    check = PixelCheck(pd.DataFrame({"file_size": [1]}, index=["a"]))
    object.__setattr__(check._indexed, "_loop", check._indexed)
    images = InMemoryDataset([{"image_id": "a"}], dict, pixels=check)
    assert len(DataLoader(images, batch_size=1)) == 1
