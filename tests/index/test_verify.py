from __future__ import annotations

import json

import pandas as pd
import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.store.file_digest import file_digest
from monai_unlearn.index.store.seal import sealed
from monai_unlearn.index.store.write import write_index
from monai_unlearn.index.verify import BadFile, verify_index


@pytest.fixture
def index(tmp_path):
    return write_index(pd.DataFrame({"image_id": ["a", "b"]}), tmp_path / "index", kinds={}).directory


def part_of(index):
    return next(index.glob("parts/*.parquet"))


def spoil(path):
    content = bytearray(path.read_bytes())
    content[10] ^= 1
    path.write_bytes(bytes(content))


def test_a_sound_index(index):
    found = verify_index(index)
    assert (found.files, found.bad) == (2, ())
    assert found.hashed == sum(path.stat().st_size for path in index.rglob("*") if path.is_file())
    document = found.document()
    assert document.pop("seconds") >= 0
    assert document == {
        "index": str(index),
        "sound": True,
        "files": 2,
        "bytes_hashed": found.hashed,
        "bad": [],
    }


def test_each_bad_file_is_named(index):
    part = part_of(index)
    expected = file_digest(part)
    spoil(part)
    name = part.relative_to(index).as_posix()
    assert verify_index(index).bad == (BadFile(name, "changed", expected, file_digest(part)),)
    part.unlink()
    assert verify_index(index).bad == (BadFile(name, "missing", expected, None),)
    part.mkdir()
    assert verify_index(index).bad == (BadFile(name, "unreadable", expected, None),)
    assert verify_index(index).document()["bad"][0]["problem"] == "unreadable"


def test_names_vouch_for_the_files_of_a_changed_document(index):
    document = json.loads((index / "index.json").read_text(encoding="utf-8"))
    seal = document["document_digest"]
    (index / "index.json").write_text(json.dumps({**document, "label": "other"}), encoding="utf-8")
    (bad,) = verify_index(index).bad
    assert (bad.file, bad.problem, bad.expected) == ("index.json", "changed", seal)
    assert bad.got not in {seal, None}
    spoil(part_of(index))
    assert [file.file for file in verify_index(index).bad] == [
        "index.json",
        part_of(index).relative_to(index).as_posix(),
    ]


@pytest.mark.parametrize("digests", [None, ["parts"], {"../elsewhere": "sha256:00"}, {"/elsewhere": "sha256:00"}])
def test_a_document_without_digests_is_refused(digests, index):
    document = json.loads((index / "index.json").read_text(encoding="utf-8"))
    (index / "index.json").write_text(json.dumps(sealed({**document, "digests": digests})), encoding="utf-8")
    with pytest.raises(IndexReadError, match=r"expected the digest of each file under `digests`, .* Build it with"):
        verify_index(index)


def test_a_folder_without_index_is_refused(tmp_path):
    with pytest.raises(IndexReadError, match=r"contains no index.json"):
        verify_index(tmp_path)
