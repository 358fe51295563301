from __future__ import annotations

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage

from monai_unlearn.index.measures.dicom_seg import SOP_CLASSES as SEGMENTATIONS
from monai_unlearn.index.measures.reading import Target
from monai_unlearn.index.measures.sr_references import evidence, references


def made(**values):
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def instance(uid, class_uid=CTImageStorage):
    return made(ReferencedSOPInstanceUID=uid, ReferencedSOPClassUID=class_uid)


def image(uid, class_uid=CTImageStorage, **values):
    return made(ValueType="IMAGE", ReferencedSOPSequence=[instance(uid, class_uid)], **values)


def uid_reference(code, uid):
    return made(ValueType="UIDREF", UID=uid, ConceptNameCodeSequence=[made(CodeValue=code)])


def test_images_are_found_at_any_depth():
    items = [made(ValueType="CONTAINER", ContentSequence=[image("1.1", ContentSequence=[image("1.2")])])]
    assert references(items) == Target(images=frozenset(["1.1", "1.2"]))


def test_references_of_numbers_are_their_own():
    assert references([made(ValueType="NUM", ContentSequence=[image("1.1")])]) is None


@pytest.mark.parametrize(
    ("items", "target"),
    [
        ([uid_reference("112002", "1.5"), uid_reference("110180", "1.6")], Target(series=frozenset(["1.5"]))),
        ([uid_reference("121232", "1.5")], Target(series=frozenset(["1.5"]))),
        ([uid_reference("110180", "1.6")], Target(studies=frozenset(["1.6"]))),
        ([uid_reference("112002", "1.5"), image("1.1")], Target(images=frozenset(["1.1"]))),
        ([image("1.9", SEGMENTATIONS[0])], Target()),  # refers to something, but not to an image
        ([uid_reference("999", "1.7")], None),
        ([], None),
    ],
)
def test_most_specific_reference_counts(items, target):
    assert references(items) == target


def test_evidence_lists_images_otherwise_series_otherwise_studies():
    series = made(SeriesInstanceUID="1.5", ReferencedSOPSequence=[instance("1.1"), instance("1.9", SEGMENTATIONS[1])])
    study = made(StudyInstanceUID="1.6", ReferencedSeriesSequence=[series])
    document = made(CurrentRequestedProcedureEvidenceSequence=[study])
    assert evidence(document) == Target(images=frozenset(["1.1"]))
    del series.ReferencedSOPSequence
    assert evidence(document) == Target(series=frozenset(["1.5"]))
    del study.ReferencedSeriesSequence
    assert evidence(document) == Target(studies=frozenset(["1.6"]))
    assert evidence(made()) == Target()
