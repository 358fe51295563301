from __future__ import annotations

import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index import Index
from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.index.summary import summarise


@pytest.fixture
def index(tmp_path, make_dicom, make_image) -> Index:
    """An index of six good images of two devices, some without tags; four cut files; a plain image; and a text file."""
    folder = tmp_path / "images"
    for number in range(4):
        make_dicom(folder / f"a{number}.dcm", number, Manufacturer="ZEISS", PatientID=f"SECRET{number // 2}")
    make_dicom(folder / "b0.dcm", 10, ManufacturerModelName="Spectralis", PatientAge=None)
    make_dicom(folder / "b1.dcm", 11, ManufacturerModelName=None, StudyDate=None, PatientID=None)
    for number in range(4):
        path = make_dicom(folder / f"c[bold]{number}.dcm", 20 + number)
        path.write_bytes(path.read_bytes()[:-9])
    make_image(folder / "d.png")
    (folder / "notes.txt").write_text("words", encoding="utf-8")
    return build(BuildRequest(sources=(folder,), out=tmp_path / "index"), track=iter).index


def test_summary_counts_images_faults_devices_and_fill(index, tmp_path):
    summary = summarise(Index.open(index.directory))
    assert (summary["rows"], summary["images"], summary["ignored"]) == (11, 7, 1)
    assert (summary["patients"], summary["studies"], summary["series"]) == (3, 6, 6)
    assert summary["formats"] == {"dicom": 6, "image": 1}
    assert summary["devices"] == [
        {"manufacturer": "ZEISS", "model": "Cirrus 800 FA", "images": 4},
        {"manufacturer": None, "model": None, "images": 2},
        {"manufacturer": None, "model": "Spectralis", "images": 1},
    ]
    cut = summary["faults"]["truncated"]
    assert (cut["count"], cut["usable"]) == (4, False)
    assert cut["examples"] == [f"{tmp_path}/images/c[bold]{number}.dcm" for number in range(3)]
    assert summary["faults"]["missing_patient_id"]["count"] == 1
    fill = summary["fill"]
    assert fill["Modality"] == round(6 / 7, 4)
    assert fill["PatientAge"] == round(5 / 7, 4)
    assert fill["AcquisitionDate"] == 0
    assert not {"path", "image_id", "fault"} & set(fill)


def test_summary_over_several_parts_is_that_of_one(index, tmp_path, monkeypatch):
    import pyarrow.parquet as pq

    whole = summarise(index)
    table = pq.read_table(index.parts[0])
    index.parts[0].unlink()
    parts = []
    for start in range(0, table.num_rows, 2):
        parts.append(index.directory / "parts" / f"part-{start:05d}.parquet")
        pq.write_table(table.slice(start, 2), parts[-1])
    split = Index(**{**vars(index), "parts": tuple(parts)})
    assert summarise(split) == whole


def test_number_of_examples_can_be_chosen(index):
    assert len(summarise(index, examples=10)["faults"]["truncated"]["examples"]) == 4


def test_damaged_part_is_named(index):
    index.parts[0].write_bytes(b"words")
    with pytest.raises(IndexReadError, match="this part of the index cannot be read"):
        summarise(index)


def test_reports_count_the_notes_of_images_alone(tmp_path, make_dicom):
    from monai_unlearn.cohort import CohortSpec
    from monai_unlearn.cohort.reports.explain import explain

    segmentation = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66.4", "Modality": "SEG"}
    make_dicom(tmp_path / "images" / "a.dcm", 1, PatientAge="000Y", **segmentation)
    make_dicom(tmp_path / "images" / "b.dcm", 2, PatientAge="000Y")
    make_dicom(tmp_path / "images" / "c.dcm", 3)
    built = build(BuildRequest(sources=(tmp_path / "images",), out=tmp_path / "index"), track=iter)
    found = {code: (fault["count"], fault["example"][-5:]) for code, fault in built.document()["faults"].items()}
    assert found == {"derived_object": (1, "a.dcm"), "implausible_age": (1, "b.dcm")}
    summary = summarise(built.index)["faults"]["implausible_age"]
    assert (summary["count"], [path[-5:] for path in summary["examples"]]) == (1, ["b.dcm"])
    spec = CohortSpec.from_dict({"schema_version": 1, "name": "young", "reason": "other", "forget": "age < 18"})
    assert explain(spec, built.index)["notes"] == {"implausible_age": 1}
