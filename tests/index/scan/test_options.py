from __future__ import annotations

import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.fast_readers import Reader
from monai_unlearn.index.pseudonyms import Pseudonyms
from monai_unlearn.index.scan.extra_tags import ExtraTags
from monai_unlearn.index.scan.options import ScanOptions


def test_options_of_a_command_line():
    assert ScanOptions.of(reader="plain", workers=3, dask=None) == ScanOptions(reader=Reader.PLAIN, workers=3)
    with pytest.raises(
        IndexReadError,
        match=r"--reader: expected one of auto, plain, pydicom, gdcm, got 'pydicm'. Did you mean 'pydicom'",
    ):
        ScanOptions.of(reader="pydicm", workers=None, dask=None)
    with pytest.raises(IndexReadError, match="--workers and --dask: a dask cluster has its own workers"):
        ScanOptions.of(reader="auto", workers=2, dask="local")


def test_mark_changes_with_what_rows_depend_on():
    plain = ScanOptions().mark
    assert ScanOptions(reader=Reader.PYDICOM, workers=3, dask="local").mark == plain
    for options in (
        {"decode_check": True},
        {"pseudonyms": Pseudonyms(b"k" * 16)},
        {"extra_tags": ExtraTags(("KVP",))},
        {"extra_tags": ExtraTags(raw_values=True)},
    ):
        assert ScanOptions(**options).mark != plain


def test_mark_does_not_contain_the_key():
    assert "secret" not in str(ScanOptions(pseudonyms=Pseudonyms(b"secret" * 3)).mark)
