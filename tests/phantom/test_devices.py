from __future__ import annotations

import pytest
from pydicom.sr.codedict import codes

from monai_unlearn.phantom.devices import CIRRUS, DEVICES, SPECTRALIS
from monai_unlearn.phantom.mri_scanners import SCANNERS

MODELS = [*DEVICES, *SCANNERS]


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.model)
def test_the_kind_is_a_code_of_the_standard(device):
    known = [getattr(codes.cid4202, name) for name in codes.cid4202.dir()]
    assert device.kind in {(code.value, code.scheme_designator, code.meaning) for code in known}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.model)
def test_what_dicom_records_fits_its_tags(model):
    for text in (model.manufacturer, model.model):
        assert 0 < len(text) <= 64  # LO
        assert "\\" not in text
    for station in model.stations:
        assert 0 < len(station.name) <= 16  # SH
        for text in (station.institution, station.serial_number, station.software):
            assert 0 < len(text) <= 64
            assert "\\" not in text


@pytest.mark.parametrize("models", [DEVICES, SCANNERS], ids=["cameras", "scanners"])
def test_every_station_is_one_device_in_the_world(models):
    stations = [station for model in models for station in model.stations]
    assert len({station.name for station in stations}) == len(stations)
    assert len({station.serial_number for station in stations}) == len(stations)


@pytest.mark.parametrize("models", [DEVICES, SCANNERS], ids=["cameras", "scanners"])
def test_no_model_is_identified_by_its_institution_alone(models):
    """Retiring a model and leaving out an institution are different cohorts."""
    places = [{station.institution for station in model.stations} for model in models]
    assert all(len(found) > 1 for found in places)
    assert all(any(found & other for other in places if other is not found) for found in places)


def test_the_two_cameras_render_a_retina_differently():
    assert CIRRUS.optics != SPECTRALIS.optics
