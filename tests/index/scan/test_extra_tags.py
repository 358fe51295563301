from __future__ import annotations

import datetime as dt
import json

import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.index.pseudonyms import Pseudonyms
from monai_unlearn.index.scan.decisions import FREE_TEXT, Decisions
from monai_unlearn.index.scan.extra_tags import ExtraTags
from monai_unlearn.index.scan.options import ScanOptions
from monai_unlearn.vocabulary.fields import Kind

KEY = Pseudonyms(b"0123456789abcdef")


def _extra(*tags: str, raw_values: bool = False, pseudonyms: Pseudonyms | None = None) -> ExtraTags:
    return ExtraTags.of(tags, raw_values=raw_values, pseudonyms=pseudonyms)


@pytest.fixture
def index(tmp_path, make_dicom, make_image):
    """Index two DICOM images, one with invalid values, and a plain image, with the given options."""
    folder = tmp_path / "images"
    tags = {"PatientName": "Doe^Jane", "PatientBirthDate": "19540504", "AccessionNumber": "A1", "KVP": "120"}
    make_dicom(folder / "a.dcm", 1, **tags, ImageComments="left\\right")
    path = make_dicom(folder / "b.dcm", 2, PatientName="Ä^B", SpecificCharacterSet="ISO_IR 100", PatientAge="045Y")
    content = path.read_bytes().replace(b"045Y", b"*** ").replace(b"DA\x08\x0020180605", b"DA\x08\x00NO DATE ")
    path.write_bytes(content)
    make_image(folder / "c.png")

    def run(**options: object):
        request = BuildRequest(sources=(folder,), out=tmp_path / "index", scan=ScanOptions(workers=1, **options))
        return build(request, track=iter)

    return run


def test_index_has_no_extra_columns_unless_asked(index):
    found = index().index
    assert not {"PatientName", "PatientBirthDate", "AccessionNumber", "raw_values", "extra_tags"} & set(found.columns)


def test_requested_keywords_become_columns_of_their_kinds(index):
    extra_tags = _extra("PatientName", "PatientBirthDate", "AccessionNumber", "KVP", "Modality", "PatientID")
    found = index(extra_tags=extra_tags).index
    assert extra_tags.kinds == {
        "PatientName": Kind.TEXT,
        "PatientBirthDate": Kind.DATE,
        "AccessionNumber": Kind.TEXT,
        "KVP": Kind.NUMBER,
    }
    first, second, third = found.frame([*extra_tags.kinds]).astype(object).where(lambda f: f.notna(), None).to_numpy()
    assert first.tolist() == ["Doe^Jane", dt.date(1954, 5, 4), "A1", 120.0]
    assert second.tolist() == ["Ä^B", None, None, None]
    assert third.tolist() == [None] * 4


def test_raw_text_of_invalid_values_is_kept_when_asked(index):
    frame = index(extra_tags=_extra(raw_values=True)).index.frame(["fault", "StudyDate", "raw_values"])
    assert frame["fault"].fillna("").tolist() == ["", "invalid_date", ""]
    assert frame["raw_values"].isna().tolist() == [True, False, True]
    assert json.loads(frame["raw_values"].iloc[1]) == {"PatientAge": "***", "StudyDate": "NO DATE"}


def test_files_are_read_again_for_another_request(index):
    assert index().files.reused == 0
    assert index(extra_tags=_extra("KVP")).files.reused == 0
    assert index(extra_tags=_extra("KVP")).files.reused == 3
    assert index().files.reused == 0


def test_pseudonyms_replace_requested_identifiers(index, tmp_path):
    extra_tags = _extra("AccessionNumber", "StudyID", "KVP", raw_values=True, pseudonyms=KEY)
    keep = frozenset(("path", *FREE_TEXT, "raw_values"))
    options = {"extra_tags": extra_tags, "pseudonyms": KEY, "decisions": Decisions(keep=keep)}
    frame = index(**options).index.frame(["AccessionNumber", "raw_values"])
    assert frame["AccessionNumber"].iloc[0] == KEY.of("accession", "A1")
    assert "StudyDate" in frame["raw_values"].iloc[1]


@pytest.mark.parametrize(
    "tag", ["PatientName", "PatientBirthDate", "PatientAddress", "ReferringPhysicianName", "OtherPatientIDs"]
)
def test_keyword_that_reveals_a_pseudonym_is_refused(tag):
    _extra(tag)
    with pytest.raises(IndexReadError, match=f"--tag {tag}: it would reveal who is behind a pseudonym"):
        _extra(tag, pseudonyms=KEY)


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ("PatientNam", "DICOM has no such keyword. Did you mean 'PatientName'"),
        ("PixelData", "expected a tag of text, numbers, dates or ages, got one of OB"),
        ("RequestAttributesSequence", "got one of SQ"),
    ],
)
def test_keyword_that_no_column_can_hold_is_refused(tag, message):
    with pytest.raises(IndexReadError, match=message):
        _extra(tag)


def test_deleted_file_has_no_extra_tags(tmp_path, make_dicom):
    from monai_unlearn.index.fast_readers import Reader, read_files
    from monai_unlearn.index.listing import Listed

    path = make_dicom(tmp_path / "a.dcm", PatientName="Doe^Jane")
    listed = Listed(path=str(path), relative="a.dcm", size=1, mtime_ns=1)
    rows = read_files([listed], reader=Reader.PYDICOM)
    path.unlink()
    found = _extra("PatientName").rows(rows, None)
    assert found["extra_tags"].to_pylist() == [None]
    assert found.schema == rows.schema


def test_requested_tags_that_nothing_fills_are_counted(index):
    extra_tags = _extra("KVP", "SourceApplicationEntityTitle", "ImageComments", "PatientBirthDate", raw_values=True)
    assert index(extra_tags=extra_tags).tags == {
        "KVP": {"images": 1, "of": 2, "invalid": 0},
        "SourceApplicationEntityTitle": {"images": 0, "of": 2, "invalid": 0},
        "ImageComments": {"images": 1, "of": 2, "invalid": 0},
        "PatientBirthDate": {"images": 1, "of": 2, "invalid": 0},
    }


def test_several_numbers_and_dates_are_listed(tmp_path, make_dicom):
    several = {"PixelSpacing": ["0.50", "0.25"], "DateOfLastCalibration": ["20180102", "20180101"]}
    make_dicom(tmp_path / "images" / "a.dcm", 1, KVP="120", SliceThickness=["2", "1"], **several)
    make_dicom(tmp_path / "images" / "b.dcm", 2, KVP="80", PixelSpacing=["0.50", "0.5"])
    options = ScanOptions(workers=1, extra_tags=_extra("PixelSpacing", "KVP", "DateOfLastCalibration"))
    report = build(BuildRequest(sources=(tmp_path / "images",), out=tmp_path / "i", scan=options), track=iter)
    found = report.index
    names = ("PixelSpacing", "KVP", "DateOfLastCalibration")
    assert [found.columns[name] for name in names] == [Kind.NUMBER, Kind.NUMBER, Kind.DATE]
    assert found.tags == set(names)
    assert [report.tags[name]["images"] for name in names] == [2, 2, 1]
    rows = found.frame(["several_values", "PixelSpacing", "fault"])
    assert rows["several_values"].fillna("").tolist() == [
        "SliceThickness=1.0/2.0\\PixelSpacing=0.25/0.5\\DateOfLastCalibration=2018-01-01/2018-01-02",
        "",
    ]
    assert rows["PixelSpacing"].fillna(0).tolist() == [0.0, 0.5]
    assert rows["fault"].fillna("").tolist() == ["several_numbers", ""]


def test_private_tags_and_file_meta_become_columns(tmp_path, dataset):
    made = dataset(1)
    made.private_block(0x0019, "GEMS_ACQU_01", create=True).add_new(0xBB, "DS", "2.50")
    made.private_block(0x0019, "OWN", create=True).add_new(0x01, "LO", "yes")
    made.file_meta.SourceApplicationEntityTitle = "ROOM1"
    (tmp_path / "images").mkdir()
    made.save_as(tmp_path / "images" / "a.dcm", enforce_file_format=True)
    tags = ('(0019,"GEMS_ACQU_01",BB)', "(0019,xx01,'OWN')", "(0002,0016)")
    options = ScanOptions(workers=1, extra_tags=_extra(*tags))
    found = build(BuildRequest(sources=(tmp_path / "images",), out=tmp_path / "i", scan=options), track=iter).index
    names = ['(0019,"GEMS_ACQU_01",BB)', '(0019,"OWN",01)', "SourceApplicationEntityTitle"]
    assert found.frame(names).iloc[0].tolist() == [2.5, "yes", "ROOM1"]
    assert found.columns[names[0]] is Kind.NUMBER


def test_values_of_another_kind_are_counted(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "images" / "a.dcm", 1, PatientBirthDate="19540504")
    path.write_bytes(path.read_bytes().replace(b"19540504", b"NO DATE "))
    options = ScanOptions(workers=1, extra_tags=_extra("PatientBirthDate"))
    report = build(BuildRequest(sources=(tmp_path / "images",), out=tmp_path / "i", scan=options), track=iter)
    assert report.tags == {"PatientBirthDate": {"images": 0, "of": 1, "invalid": 1}}


def test_values_that_are_no_text_are_counted(tmp_path, dataset):
    made = dataset(1)
    made.private_block(0x0019, "NOBODY", create=True).add_new(0x10, "UN", b"\xff\xfe")
    (tmp_path / "images").mkdir()
    made.save_as(tmp_path / "images" / "a.dcm", enforce_file_format=True)
    tag = '(0019,"NOBODY",10)'
    options = ScanOptions(workers=1, extra_tags=_extra(tag))
    report = build(BuildRequest(sources=(tmp_path / "images",), out=tmp_path / "i", scan=options), track=iter)
    assert report.tags == {tag: {"images": 0, "of": 1, "invalid": 1}}
    assert report.index.frame([tag])[tag].isna().all()


def test_nested_identifiers_may_be_asked_for_beside_pseudonyms():
    assert _extra("OtherPatientIDsSequence.PatientID", pseudonyms=KEY).tags == ("OtherPatientIDsSequence.PatientID",)
