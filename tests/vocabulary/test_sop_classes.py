from __future__ import annotations

import pydicom.uid as uids
import pytest

from monai_unlearn.vocabulary.sop_classes import (
    DERIVED_MODALITIES,
    IMAGE_LIKE_MODALITIES,
    derived_classes,
    is_derived,
    is_image_like,
)


@pytest.mark.parametrize(
    ("sop_class", "is_like"),
    [
        (uids.SegmentationStorage, True),
        (uids.RTDoseStorage, True),
        (uids.ParametricMapStorage, True),
        ("1.2.840.10008.5.1.4.1.1.66.7", True),  # Label Map Segmentation
        (uids.ComprehensiveSRStorage, False),
        (uids.RTStructureSetStorage, False),
        (uids.RTPlanStorage, False),
        (uids.MicroscopyBulkSimpleAnnotationsStorage, False),
        (uids.GrayscaleSoftcopyPresentationStateStorage, False),
        (uids.KeyObjectSelectionDocumentStorage, False),
        (uids.RawDataStorage, False),
        (uids.EncapsulatedPDFStorage, False),
        (uids.TwelveLeadECGWaveformStorage, False),
    ],
)
def test_object_about_images_is_derived(sop_class, is_like):
    assert is_derived(sop_class)
    assert is_image_like(sop_class) is is_like
    assert sop_class in derived_classes()


@pytest.mark.parametrize(
    "sop_class",
    [
        uids.CTImageStorage,
        uids.EnhancedMRImageStorage,
        uids.RTImageStorage,
        uids.SecondaryCaptureImageStorage,
        uids.MultiFrameTrueColorSecondaryCaptureImageStorage,
        uids.VLWholeSlideMicroscopyImageStorage,
        uids.OphthalmicTomographyImageStorage,
        uids.EnhancedUSVolumeStorage,
        uids.MediaStorageDirectoryStorage,  # a DICOMDIR, which has a fault of its own
        "1.2.3.4",  # a private class may well be an image
        "",
    ],
)
def test_image_or_unknown_class_is_not_derived(sop_class):
    assert not is_derived(sop_class)


def test_modalities_of_images_are_not_among_the_derived():
    assert IMAGE_LIKE_MODALITIES < DERIVED_MODALITIES
    assert not DERIVED_MODALITIES & {"CT", "MR", "OP", "OPT", "US", "PT", "SM", "DX", "CR", "MG", "RTIMAGE", "OT", "XC"}


def test_every_storage_class_that_pydicom_knows_is_an_image_or_derived():
    stored = {uid: name for uid, (name, kind, *_) in uids.UID_dictionary.items() if kind == "SOP Class"}
    wanted = {uid for uid, name in stored.items() if uid.startswith("1.2.840.10008.5.1.4.") and "Storage" in name}
    images = {uid for uid in wanted if "Image Storage" in stored[uid]}
    images |= {f"1.2.840.10008.5.1.4.1.1.{suffix}" for suffix in ("6.2", "501.4", "501.5")}
    assert wanted - images <= set(derived_classes())
    assert not images & set(derived_classes())
