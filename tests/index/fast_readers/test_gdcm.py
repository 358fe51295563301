from __future__ import annotations

import sys
from importlib.util import find_spec

import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.fast_readers import Reader
from monai_unlearn.index.fast_readers.gdcm import load_gdcm, read_with_gdcm
from monai_unlearn.index.readers import read_file


def test_reader_that_is_not_installed_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "gdcm", None)
    load_gdcm.cache_clear()
    with pytest.raises(IndexReadError, match=r"GDCM is not installed. .* pip install 'monai-unlearn\[gdcm\]"):
        Reader.GDCM.check()
    Reader.PLAIN.check()


@pytest.mark.skipif(find_spec("gdcm") is None, reason="python-gdcm is not installed")
def test_rows_are_those_of_pydicom_or_left_to_it(tmp_path, make_dicom):
    good = make_dicom(tmp_path / "good", 3)
    cut = make_dicom(tmp_path / "cut", 4)
    cut.write_bytes(cut.read_bytes()[:-1])
    (tmp_path / "words").write_text("words", encoding="utf-8")
    paths = [good, tmp_path / "words", cut, tmp_path / "absent"]
    load_gdcm.cache_clear()
    assert list(read_with_gdcm([str(path) for path in paths])) == [read_file(good), None, None, None]
