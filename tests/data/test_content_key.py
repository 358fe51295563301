from __future__ import annotations

import os

import pandas as pd
import pytest
from counted_decoding import Decoded, write_items

from monai_unlearn.data.content_key import content_key, content_of
from monai_unlearn.data.pixel_digest import PixelCheck


@pytest.fixture
def items(tmp_path):
    return write_items(tmp_path / "images")


def test_the_key_is_of_content_and_transform(tmp_path, items):
    pixels = PixelCheck(pd.DataFrame(index=[item["image_id"] for item in items]))
    pixels.check(items)
    keys = [
        content_key(items, Decoded(), None),
        content_key(items, Decoded(), pixels),
        content_key(items, Decoded(log="log"), pixels),
        content_key(items[::-1], Decoded(), pixels),
        content_key(items[:-1], Decoded(), pixels),
        content_key([{**item, "label": 3} for item in items], Decoded(), pixels),
    ]
    assert keys[1] == content_key(items, Decoded(), pixels)
    # Another content of the same size and time, as an index with digests of pixels would tell.
    path, stat = items[2]["image"], os.stat(items[2]["image"])  # noqa: PTH116 - as below
    with open(path, "wb") as stream:  # noqa: PTH123 - the path is a text
        stream.write(b"abc")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    swapped = PixelCheck(pd.DataFrame(index=[item["image_id"] for item in items]))
    swapped.check(items)
    keys.append(content_key(items, Decoded(), swapped))
    assert None not in keys
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("items", [[{"image": "nowhere.raw"}], [{"label": 1}], [3]])
def test_what_is_no_file_has_no_key(items):
    assert content_key(items, Decoded(), None) is None
    assert content_key([], lambda item: item, None) is None


def test_a_file_beside_the_image_is_part_of_the_content(tmp_path, items):
    mask = tmp_path / "mask.png"
    mask.write_bytes(b"mask")
    item = {**items[0], "mask": str(mask)}
    before = content_of(item, None)
    assert before == content_of(dict(item), None)
    mask.write_bytes(b"another mask")
    assert content_of(item, None) != before
    mask.unlink()
    assert content_of(item, None) not in {None, before}
