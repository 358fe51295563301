from __future__ import annotations

import pydicom
import pytest
from pydicom.dataset import Dataset

from monai_unlearn.index.readers import read_file
from monai_unlearn.index.readers.lenient import lenient_values, value_of
from monai_unlearn.index.values import UNDECODED


@pytest.fixture
def malformed():
    """A dataset with an unsigned short of three bytes."""
    dataset = Dataset()
    dataset.PatientID = "P1"
    tag = pydicom.tag.Tag("Rows")
    dataset._dict[tag] = pydicom.dataelem.RawDataElement(
        tag, "US", 3, b"abc", 0, is_implicit_VR=False, is_little_endian=True
    )
    return dataset


def test_malformed_value_is_marked_and_missing_is_null(malformed):
    with lenient_values():
        assert value_of(malformed, "Rows") == UNDECODED
        assert value_of(malformed, "Columns") is None
        assert value_of(malformed, "PatientID") == "P1"


def test_settings_are_restored_after_an_error(monkeypatch):
    monkeypatch.setattr(pydicom.config.settings, "reading_validation_mode", pydicom.config.RAISE)
    with pytest.raises(KeyError, match="inside"), lenient_values():
        assert pydicom.config.settings.reading_validation_mode == pydicom.config.IGNORE
        assert pydicom.config.logger.disabled
        raise KeyError("inside")
    assert pydicom.config.settings.reading_validation_mode == pydicom.config.RAISE
    assert not pydicom.config.logger.disabled


def test_reading_leaves_the_settings_of_pydicom_unchanged(tmp_path, make_dicom, monkeypatch):
    for mode in (pydicom.config.WARN, pydicom.config.RAISE):
        monkeypatch.setattr(pydicom.config.settings, "reading_validation_mode", mode)
        read_file(make_dicom(tmp_path / "a"))
        assert pydicom.config.settings.reading_validation_mode == mode
        assert not pydicom.config.logger.disabled
