from __future__ import annotations

from pydicom.datadict import dictionary_VR, tag_for_keyword

from monai_unlearn.vocabulary.fields import Kind, vocabulary

# The value representations of each kind (DICOM PS3.5, section 6.2).
_REPRESENTATIONS = {
    Kind.TEXT: {"UI", "CS", "LO", "SH", "LT", "ST"},
    Kind.NUMBER: {"US", "DS", "IS", "FD", "FL"},
    Kind.DATE: {"DA"},
    Kind.DATETIME: {"DT"},
    Kind.AGE: {"AS"},
}


def test_every_keyword_is_in_the_standard_with_its_kind():
    for keyword, kind in vocabulary().dicom.items():
        assert tag_for_keyword(keyword) is not None, keyword
        assert dictionary_VR(keyword) in _REPRESENTATIONS[kind], keyword


def test_an_alias_has_keywords_of_one_kind_and_is_not_a_keyword():
    dicom = vocabulary().dicom
    for alias, keywords in vocabulary().aliases.items():
        assert alias not in dicom
        kinds = {Kind.DATE if dicom[keyword] is Kind.DATETIME else dicom[keyword] for keyword in keywords}
        assert len(kinds) == 1, alias


def test_aliases_that_the_documentation_uses():
    assert vocabulary().aliases["device"] == ("ManufacturerModelName",)
    assert vocabulary().aliases["acquired"] == ("AcquisitionDate", "AcquisitionDateTime", "StudyDate")
    assert set(vocabulary().names) >= {"device", "acquired", "StationName"}


def test_names_and_birth_dates_are_absent():
    assert not {"PatientName", "PatientBirthDate"} & set(vocabulary().dicom)
