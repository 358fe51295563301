from __future__ import annotations

import pyarrow as pa
import pytest

from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.index.fast_readers import Reader, read_files
from monai_unlearn.index.listing import Listed
from monai_unlearn.index.readers.pixel_digest import pixel_digest
from monai_unlearn.index.scan.options import ScanOptions
from monai_unlearn.index.scan.pixel_digests import with_pixel_digests


@pytest.fixture
def paths(make_dicom, make_image, tmp_path):
    (tmp_path / "images").mkdir()
    words = tmp_path / "images" / "words.dcm"
    words.write_text("words", encoding="utf-8")
    return [make_dicom(tmp_path / "images" / "a.dcm"), make_image(tmp_path / "images" / "b.png"), words]


def test_usable_images_get_their_digest(paths):
    rows = read_files([Listed(str(path), path.name) for path in paths], reader=Reader.AUTO)
    assert rows["pixel_digest"].null_count == 3
    added = with_pixel_digests(rows)
    assert added.schema == rows.schema
    assert added["pixel_digest"].to_pylist() == [pixel_digest(paths[0]), pixel_digest(paths[1]), None]
    assert added.drop_columns(["pixel_digest"]) == rows.drop_columns(["pixel_digest"])
    assert with_pixel_digests(rows.slice(0, 0)).num_rows == 0
    assert isinstance(added, pa.Table)


def test_an_index_has_digests_only_where_they_are_asked_for(paths, tmp_path):
    def built(**options):
        request = BuildRequest(
            sources=(tmp_path / "images",), out=tmp_path / "index", scan=ScanOptions(workers=1, **options)
        )
        return build(request, track=iter)

    without, done = built(), built(pixel_digest=True)
    assert "pixel_digest" not in without.index.columns
    assert (without.files.added, done.files.added) == (3, 3)  # rows without digests are read again
    frame = done.index.frame()
    assert frame["pixel_digest"].dropna().tolist() == [pixel_digest(paths[0]), pixel_digest(paths[1])]
    again = built(pixel_digest=True)
    assert again.files.reused == 3
    assert again.index.digest == done.index.digest != without.index.digest
