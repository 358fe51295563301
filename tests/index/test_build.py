from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from measure_files import image_group, make_mask, make_sr
from measure_files import number as measured
from pydicom import dcmread

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.scan import options, read, spool
from monai_unlearn.index.store.store import Index
from monai_unlearn.index.tables.key import Key
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from monai_unlearn.index.build_report import BuildReport


@pytest.fixture
def run(tmp_path):
    """Build an index of `tmp_path/images`; `run.read` lists the names of the files that were read."""

    def build_it(*sources: Path, out: str = "index", **options: object) -> BuildReport:
        build_it.read = []

        def track(files):
            for file in files:
                build_it.read.append(Path(file.path).name)
                yield file

        request = BuildRequest(sources=sources or (tmp_path / "images",), out=tmp_path / out, **options)
        return build(request, track=track)

    return build_it


@pytest.fixture
def table(tmp_path):
    def write(text: str, key: str, name: str = "table.csv") -> tuple[Key, ...]:
        path = tmp_path / "images" / name
        path.write_text(text, encoding="utf-8")
        return (Key.parse(path, key),)

    return write


@pytest.fixture
def archive(tmp_path, make_dicom) -> Path:
    """Two good images of two patients and one of each common fault."""
    folder = tmp_path / "images"
    for seed in (1, 2):
        make_dicom(folder / f"{seed}.dcm", seed)
    make_dicom(folder / "again.dcm", 1)
    make_dicom(folder / "cut.dcm", 3)
    content = (folder / "cut.dcm").read_bytes()
    (folder / "cut.dcm").write_bytes(content[:-1])
    make_dicom(folder / "nameless.dcm", 4, SOPInstanceUID=None)
    make_dicom(folder / "orphan.dcm", 5, PatientID=" ")
    (folder / "empty").write_bytes(b"")
    (folder / "words.dcm").write_text("words", encoding="utf-8")
    (folder / "notes.txt").write_text("words", encoding="utf-8")
    (folder / "DICOMDIR").write_text("words", encoding="utf-8")
    return folder


def test_every_file_has_a_row_and_every_fault_its_code(archive, run):
    report = run()
    frame = report.index.frame()
    assert dict(zip(frame["path"].map(lambda path: Path(path).name), frame["fault"].fillna("good"), strict=True)) == {
        "1.dcm": "good",
        "2.dcm": "good",
        "again.dcm": "duplicate_sop_instance_uid",
        "cut.dcm": "truncated",
        "empty": "empty_file",
        "nameless.dcm": "missing_sop_instance_uid",
        "orphan.dcm": "missing_patient_id",
        "words.dcm": "not_an_image",
    }
    assert (report.index.images, report.index.rows, report.ignored) == (3, 8, 2)
    assert (report.patients, report.without_patient, report.patient_from) == (2, 1, "PatientID")
    assert report.formats == {"dicom": 3}
    assert report.faults[Fault.TRUNCATED] == (1, (archive / "cut.dcm").as_posix())


def test_dicom_rows_have_identity_and_tags(archive, run):
    frame = run().index.frame().set_index("path")
    row = frame.loc[(archive / "2.dcm").as_posix()]
    assert row["patient"] == "P2"
    assert row["ManufacturerModelName"] == "Cirrus 800 FA"
    assert row["image_id"].startswith("1.2.826.")
    assert row["study"] != row["series"]
    assert row["file_size"] == (archive / "2.dcm").stat().st_size
    assert len(frame.loc[(archive / "words.dcm").as_posix(), "image_id"]) == 32
    assert "relative" not in frame
    assert "SOPInstanceUID" not in frame


def test_good_copy_counts_if_an_earlier_one_is_cut(tmp_path, make_dicom, run):
    make_dicom(tmp_path / "images" / "a", 1)
    content = (tmp_path / "images" / "a").read_bytes()
    (tmp_path / "images" / "a").write_bytes(content[:-1])
    make_dicom(tmp_path / "images" / "b", 1)
    assert run().index.frame()["fault"].fillna("good").tolist() == ["truncated", "good"]


def test_plain_images_have_no_dicom_columns(tmp_path, make_image, run):
    make_image(tmp_path / "images" / "a" / "1.png")
    index = run().index
    assert "Modality" not in index.columns
    assert index.columns["path"] is Kind.TEXT
    (image_id,) = index.frame()["image_id"]
    # sha256("a/1.png"): it depends on nothing but the path from the source on.
    assert image_id == "8630ea930807848200ebc0d15980dfec"


def test_same_content_in_another_folder_has_the_same_digest(archive, run, tmp_path):
    first = run()
    shutil.copytree(archive, tmp_path / "copy")
    assert run(tmp_path / "copy", out="other").index.digest == first.index.digest
    (tmp_path / "copy" / "2.dcm").unlink()
    assert run(tmp_path / "copy", out="other").index.digest != first.index.digest


def test_second_run_reads_only_what_is_new_or_changed(archive, run, make_dicom):
    first = run()
    assert (first.files.added, first.files.reused) == (10, 0)
    second = run()
    assert run.read == []
    assert (second.files.reused, second.index) == (10, first.index)
    make_dicom(archive / "new.dcm", 9)
    make_dicom(archive / "2.dcm", 2, Modality="CT")
    os.utime(archive / "2.dcm", ns=(0, 1))
    (archive / "1.dcm").unlink()
    third = run()
    assert run.read == ["2.dcm", "new.dcm"]
    counts = third.files
    assert (counts.added, counts.changed, counts.reused, counts.vanished) == (1, 1, 8, 1)
    frame = third.index.frame().assign(name=lambda rows: rows["path"].str.rpartition("/")[2]).set_index("name")
    assert frame.loc["2.dcm", "Modality"] == "CT"
    # Its earlier copy is gone: what was marked as the duplicate counts now.
    assert frame.loc["again.dcm"].isna()["fault"]
    assert "1.dcm" not in frame.index
    shutil.rmtree(archive.parent / "index")
    assert run().index.digest == third.index.digest


def test_files_with_temporary_faults_are_read_again(tmp_path, make_dicom, run, monkeypatch):
    path = make_dicom(tmp_path / "images" / "a", 1)
    make_dicom(tmp_path / "images" / "b", 2)
    opening, opening_by_path = os.open, Path.open
    with monkeypatch.context() as patched:

        def refuse(opened: str, *options: object, **more: object) -> int:
            if opened == str(path):
                raise PermissionError(13, "Permission denied")
            return opening(opened, *options, **more)

        def refuse_by_path(opened: Path, *options: object, **more: object) -> object:
            if opened == path:
                raise PermissionError(13, "Permission denied")
            return opening_by_path(opened, *options, **more)

        patched.setattr(os, "open", refuse)
        patched.setattr(Path, "open", refuse_by_path)
        assert run().faults == {Fault.PERMISSION_DENIED: (1, path.as_posix())}
    report = run()
    assert run.read == ["a"]
    assert (report.faults, report.index.images, report.files.reused) == ({}, 2, 2)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: next(folder.glob("files-*")).write_bytes(b"no parquet"),
        lambda folder: next(folder.glob("files-*")).unlink(),
        lambda folder: shutil.copy(next(folder.glob("parts/*")), next(folder.glob("files-*"))),
        lambda folder: (folder / "index.json").write_text("no document", encoding="utf-8"),
    ],
)
def test_files_are_read_again_if_the_stored_rows_are_damaged(spoil, archive, run):
    first = run()
    spoil(first.index.directory)
    assert run().index.digest == first.index.digest
    assert len(run.read) == 10


def test_index_of_another_version_is_read_again(archive, run, monkeypatch):
    run()
    monkeypatch.setattr(options, "__version__", "99")
    run()
    assert len(run.read) == 10


def test_killed_run_leaves_the_previous_index(archive, run, make_dicom, tmp_path):
    first = run()
    make_dicom(archive / "new.dcm", 9)

    def killed(_):
        raise KeyboardInterrupt("killed")

    with pytest.raises(KeyboardInterrupt, match="killed"):
        build(BuildRequest(sources=(archive,), out=tmp_path / "index"), track=killed)
    assert Index.open(tmp_path / "index") == first.index
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "index"]


def test_index_inside_its_source_is_not_indexed(archive, run):
    first = run(out="images/index")
    assert run(out="images/index").ignored == first.ignored == 2


def test_many_files_are_read_in_batches(tmp_path, make_image, run, monkeypatch):
    monkeypatch.setattr(read, "FILES_A_CHUNK", 2)
    monkeypatch.setattr(spool, "FILES_A_BATCH", 3)
    for number in range(5):
        make_image(tmp_path / "images" / f"{number}.png", size=2)
    assert [path[-5:] for path in run().index.frame()["path"]] == [f"{number}.png" for number in range(5)]


def test_same_path_in_two_sources_of_plain_images_is_refused(tmp_path, make_image, run):
    make_image(tmp_path / "a" / "1.png")
    make_image(tmp_path / "b" / "1.png")
    with pytest.raises(IndexReadError, match=r"a/1.png and .*b/1.png have the same path within their source"):
        run(tmp_path / "a", tmp_path / "b")


def test_sources_without_a_readable_image_are_refused(tmp_path, run):
    (tmp_path / "images").mkdir()
    with pytest.raises(IndexReadError, match=r"images: expected DICOM, NIfTI, JPEG, .* images, found none"):
        run()
    for name in ("a", "b"):
        (tmp_path / "images" / name).write_text("words", encoding="utf-8")
    (tmp_path / "images" / "c").touch()
    with pytest.raises(
        IndexReadError, match=r"no image can be read: 2 not_an_image, 1 empty_file\. The first is file \w{12}\.$"
    ):
        run()
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize("name", ["cut.dcm", "empty", "notes.txt"])
def test_faulty_file_that_the_user_named_is_refused(name, archive, run):
    code = {"cut.dcm": "truncated", "empty": "empty_file", "notes.txt": "not_an_image"}[name]
    with pytest.raises(IndexReadError, match=rf"{name}: this file .*{Fault.of(code).sentence[:8]}.*\({code}\)"):
        run(archive / "1.dcm", archive / name)
    assert not (archive.parent / "index").exists()


def test_named_files_are_indexed(archive, run):
    assert run(archive / "1.dcm", archive / "orphan.dcm").index.images == 2


def test_table_brings_columns_and_label(archive, run, table):
    report = run(keys=table("name,diagnosis,site\n1.dcm,normal,north\n2.dcm,glaucoma,\n", "name"))
    index = report.index
    assert (index.label, report.label_found) == ("diagnosis", True)
    frame = index.frame(["diagnosis", "site"])[:2]
    assert frame.to_numpy(na_value=None).tolist() == [["normal", "north"], ["glaucoma", None]]
    assert report.matches[0].images_without_row == 1
    assert report.ignored == 2


def test_requested_label_must_exist(archive, run, table):
    keys = table("name,label,diagnosis\n1.dcm,a,b\n", "name")
    assert run(keys=keys).index.label is None
    report = run(keys=keys, label="Modality")
    assert (report.index.label, report.label_found) == ("Modality", False)
    with pytest.raises(IndexReadError, match=r"--label lable: the index has no such column. Did you mean 'label'"):
        run(keys=keys, label="lable")


def test_table_names_patients_of_plain_images_as_it_spells_them(tmp_path, make_image, run, table):
    for name in "abc":
        make_image(tmp_path / "images" / f"{name}.png")
    report = run(keys=table("name,subject,patient_id\na.png,s,1\nb.png,s,1\n", "name"))
    assert report.index.frame()["patient"].tolist() == ["1", "1", pd.NA]
    assert (report.patient_from, report.patients, report.without_patient) == ("patient_id", 1, 1)
    assert report.index.columns["patient_id"] is Kind.NUMBER
    assert run(keys=table("name,subject\na.png,s\n", "name")).patient_from == "subject"
    assert run(keys=table("name,eye\na.png,s\n", "name")).patient_from is None


def test_patients_of_dicom_come_from_a_table_only_if_asked(archive, run, table):
    keys = table("name,subject\n1.dcm,s1\n2.dcm,s1\norphan.dcm,s1\n", "name")
    report = run(keys=keys)
    assert (report.patient_from, report.patients) == ("PatientID", 2)
    report = run(keys=keys, patient="subject")
    assert (report.patient_from, report.patients, report.without_patient) == ("subject", 1, 0)
    assert Fault.MISSING_PATIENT_ID not in report.faults
    # The files' own patients are not forgotten: the next run has them again, and reads nothing.
    assert run(keys=keys).patients == 2
    assert run.read == []
    with pytest.raises(IndexReadError, match=r"--patient subjekt: no table has this column. Did you mean 'subject'"):
        run(keys=keys, patient="subjekt")


def test_mixed_archive_takes_each_patient_from_its_own_origin(archive, run, table, make_image):
    make_image(archive / "x.png")
    report = run(keys=table("name,patient_id\nx.png,7\n1.dcm,8\n", "name"))
    frame = report.index.frame(["path", "patient"])
    assert set(frame["patient"].dropna()) >= {"P1", "P2", "7"}
    assert "8" not in set(frame["patient"].dropna())
    assert report.patient_from == "PatientID, patient_id"


def test_other_folder_is_refused_before_anything_is_read(archive, run):
    with pytest.raises(IndexReadError, match="got a folder with other content"):
        run(out="images")
    assert run.read == []


def test_nifti_images_have_rows_and_patients_of_a_table(tmp_path, make_dicom, run, table):
    make_dicom(tmp_path / "images" / "1.dcm", 1)
    make_mask(tmp_path / "images" / "a.nii.gz", np.ones((2, 2, 2)))
    make_mask(tmp_path / "images" / "b.nii", np.ones((2, 2, 2)))
    cut = make_mask(tmp_path / "images" / "cut.nii.gz", np.ones((2, 2, 2)))
    cut.write_bytes(cut.read_bytes()[:-9])
    report = run(keys=table("name,subject\na,s1\nb,s2\n", "name=file_stem"))
    assert report.formats == {"dicom": 1, "nifti": 2}
    assert report.faults == {Fault.TRUNCATED: (1, cut.as_posix())}
    frame = report.index.frame()
    assert frame["patient"].tolist() == ["P1", "s1", "s2", pd.NA]
    assert report.matches[0].matched_rows == 2
    assert (report.patient_from, report.without_patient) == ("PatientID, subject", 0)


def test_same_path_in_two_sources_of_nifti_images_is_refused(tmp_path, run):
    for name in "ab":
        make_mask(tmp_path / name / "1.nii", np.ones((2, 2, 2)))
    with pytest.raises(IndexReadError, match=r"a/1.nii and .*b/1.nii have the same path within their source"):
        run(tmp_path / "a", tmp_path / "b")


def test_index_keeps_units_and_origins_of_its_columns(archive, run, table):
    keys = table("name,width,site\n1.dcm,3,north\n2.dcm,4,south\n", "name")
    index = run(keys=keys, units={"width": "mm"}).index
    assert index.units == {"MagneticFieldStrength": "T", "SliceThickness": "mm", "width": "mm"}
    assert index.origins == {"name": "table:table.csv", "width": "table:table.csv", "site": "table:table.csv"}
    # The same numbers in another unit are another index.
    assert run(keys=keys, units={"width": "cm"}).index.digest != index.digest


def test_index_of_plain_images_has_no_units_of_dicom(tmp_path, make_image, run):
    make_image(tmp_path / "images" / "1.png")
    assert run().index.units == {}


def test_unit_is_that_of_a_tables_column_of_numbers(archive, run, table):
    keys = table("name,width,site\n1.dcm,3,north\n", "name")
    with pytest.raises(IndexReadError, match=r"--unit widht=…: no table has this column. Did you mean 'width'"):
        run(keys=keys, units={"widht": "mm"})
    with pytest.raises(IndexReadError, match=r"--unit site=…: expected a column of numbers, got one of kind text"):
        run(keys=keys, units={"site": "mm"})
    with pytest.raises(IndexReadError, match=r"--unit SliceThickness=…: no table has this column"):
        run(keys=keys, units={"SliceThickness": "cm"})


@pytest.fixture
def masks(archive) -> Path:
    """A mask of the image 1.dcm within the folder of the images."""
    folder = archive / "masks"
    make_mask(folder / "1_seg.nii.gz", np.pad(np.ones((1, 1, 1), np.uint8), 1))
    (folder / "labels.json").write_text('{"iris": 1}', encoding="utf-8")
    return folder


def test_measures_become_columns_and_their_files_are_not_images(archive, run, masks):
    plain = run()
    assert plain.formats == {"dicom": 3, "nifti": 1}
    report = run(measures=(masks,), mask_labels=masks / "labels.json")
    index = report.index
    assert report.formats == {"dicom": 3}
    assert index.columns["iris_volume"] is Kind.NUMBER
    assert index.units["iris_volume"] == "ml"
    assert index.origins["iris_volume"] == "mask:masks"
    assert index.frame(["iris_volume"])["iris_volume"].tolist() == [0.001] + [pd.NA] * 7
    (match,) = report.measures
    assert (match.matched_files, match.images_with_measures, match.images_without_measures) == (1, 1, 2)
    assert match.faults == {}  # the file of labels is not one of them
    assert report.document()["measures"] == [{**match.document()}]
    assert report.document()["units"]["iris_volume"] == "ml"


def test_measures_are_read_again_by_each_run(archive, run, masks):
    request = {"measures": (masks,), "mask_labels": masks / "labels.json"}
    first = run(**request)
    again = run(**request)
    assert again.index == first.index
    assert run.read == ["1_seg.nii.gz"]  # nothing but the measures
    make_mask(masks / "1_seg.nii.gz", np.ones((3, 3, 3), np.uint8))
    changed = run(**request)
    assert changed.index.frame()["iris_volume"].iloc[0] == pytest.approx(0.027)
    assert changed.index.digest != first.index.digest
    assert "1.dcm" not in run.read
    # Without them the columns go, and the files are images again.
    assert "iris_volume" not in run().index.columns


def test_reports_among_the_images_are_not_images(archive, run):
    image = dcmread(archive / "1.dcm")
    for keyword in ("PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyTime"):
        setattr(image, keyword, "")
    image.ReferringPhysicianName = ""
    report = make_sr([image_group([measured("Width", 7.5)], [image])], [image])
    report.save_as(archive / "report.dcm", enforce_file_format=True)
    assert run().faults[Fault.DERIVED_OBJECT][0] == 1
    built = run(measures=(archive / "report.dcm",))
    assert Fault.DERIVED_OBJECT not in built.faults
    assert built.index.frame(["width"])["width"].tolist()[0] == 7.5
    # The later file of the same image has a fault, and no measures.
    assert built.index.frame(["width"])["width"].notna().sum() == 1


def test_measures_that_contain_the_images_are_refused_before_anything_is_read(archive, run):
    with pytest.raises(IndexReadError, match="this contains the source"):
        run(measures=(archive,))
    assert run.read == []


def test_measure_with_the_name_of_a_tables_column_is_refused(archive, run, masks, table):
    keys = table("name,Iris_Volume\n1.dcm,3\n", "name")
    with pytest.raises(IndexReadError, match=r"'Iris_Volume', like the measure 'iris_volume' \(mask:masks\)"):
        run(keys=keys, measures=(masks,), mask_labels=masks / "labels.json")
