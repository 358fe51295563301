from __future__ import annotations

import numpy as np
from measure_files import make_mask

from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.index.build_view import render, track
from monai_unlearn.index.scan.extra_tags import ExtraTags
from monai_unlearn.index.scan.options import ScanOptions
from monai_unlearn.index.tables.key import Key


def _built(tmp_path, make_image, text):
    for name in "abc":
        make_image(tmp_path / "images" / f"{name}.png")
    (tmp_path / "images" / "[bold]cut.dcm").write_bytes(b"words")
    (tmp_path / "images" / "notes.txt").write_bytes(b"words")
    table = tmp_path / "t.csv"
    table.write_text(text, encoding="utf-8")
    keys = (Key(table, "name"),)
    return build(BuildRequest(sources=(tmp_path / "images",), out=tmp_path / "index", keys=keys), track=track)


def test_report_shows_counts_and_no_value_of_a_patient(tmp_path, make_image, capsys):
    report = _built(tmp_path, make_image, "name,patient_id,label\na.png,secret1,x\nb.png,,y\nq.png,secret2,z\n")
    bar = capsys.readouterr()
    assert "5/5" in bar.err
    render(report)
    out, err = capsys.readouterr()
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert lines["images"] == "3 (3 image)"
    assert lines["patients"] == "1, from patient_id; 2 images without a patient"
    assert lines["label"] == "label, found by its name"
    assert lines["table"].endswith(
        "t.csv: 2 of 3 rows matched by name = file_name; no image for row 3; 1 image without a row"
    )
    assert lines["fault"] == f"1 not_an_image (left out), e.g. {tmp_path}/images/[bold]cut.dcm"
    assert lines["ignored"] == "1 other file"
    assert lines["files"] == "5 added, 0 changed, 0 moved, 0 reused, 0 vanished"
    assert lines["next"] == f"monai-unlearn cohort preview SPEC --index {tmp_path}/index"
    assert err == ""
    assert "secret" not in out + bar.out + bar.err


def test_report_shows_what_is_missing(tmp_path, make_image, capsys):
    rows = "".join(f"{number}.png,1\n" for number in range(9))
    report = _built(tmp_path, make_image, f"name,n\na.png,1\n{rows}")
    capsys.readouterr()
    render(report)
    out = capsys.readouterr().out
    assert "unknown: no PatientID" in out
    assert "none (name the column that contains the class with --label FIELD)" in out
    assert "no image for row 2, 3, 4, 5, 6, …" in out


def test_report_says_where_words_became_null(tmp_path, make_image, capsys):
    report = _built(tmp_path, make_image, "name,diagnosis,n\na.png,None,N/A\nb.png,none,2\nc.png,x,1\n")
    render(report)
    out = capsys.readouterr().out
    assert "diagnosis: “None” in 1 row, “none” in 1 row read as missing" in out
    assert "n: “N/A” in 1 row read as missing" in out


def test_report_names_tags_that_no_file_fills(tmp_path, make_dicom, capsys):
    make_dicom(tmp_path / "images" / "a.dcm", KVP="120", PatientBirthDate=None)
    tags = ExtraTags.of(("KVP", "AccessionNumber"), raw_values=False, pseudonyms=None)
    options = ScanOptions(workers=1, extra_tags=tags)
    report = build(BuildRequest(sources=(tmp_path / "images",), out=tmp_path / "i", scan=options), track=iter)
    render(report)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("warning")]
    assert lines == ["warning  --tag AccessionNumber: no file has a value (0 of 1 DICOM image)"]


def test_nothing_to_read_shows_no_bar(capsys):
    assert list(track([])) == []
    assert capsys.readouterr() == ("", "")


def test_report_shows_how_measures_matched_the_images(tmp_path, make_image, capsys):
    for name in "ab":
        make_image(tmp_path / "images" / f"{name}.png")
    ones = np.ones((2, 2, 2), np.uint8)
    for name in ("a_seg", "a_mask", "q1", "q2"):
        make_mask(
            tmp_path / "masks" / f"{name}.nii", ones if name != "a_mask" else ones * np.array([[1], [0]], np.uint8)
        )
    (tmp_path / "masks" / "[bold]notes.txt").write_text("words", encoding="utf-8")
    request = BuildRequest(sources=(tmp_path / "images",), out=tmp_path / "index", measures=(tmp_path / "masks",))
    report = build(request, track=iter)
    render(report)
    out = [line.split(maxsplit=1)[1] for line in capsys.readouterr().out.splitlines() if line.startswith("measures")]
    masks, columns = tmp_path / "masks", "label_1_centroid_y, label_1_volume"
    sentence = "this file is neither a NIfTI mask, a DICOM segmentation nor a DICOM measurement report"
    assert out == [
        f"{masks}: 2 of 4 files matched (4 NIfTI), 5 columns, 1 image measured; 1 image without a measure",
        f"2 files match no image: {masks}/q1.nii, {masks}/q2.nii",
        f"1 not_measures, e.g. {masks}/[bold]notes.txt: {sentence}",
        f"2 values are missing because files contradict each other, in {columns}, e.g. of {tmp_path}/images/a.png",
    ]


def test_report_without_faults_or_other_files_has_no_line_for_them(tmp_path, make_image, capsys):
    make_image(tmp_path / "images" / "a.png")
    render(build(BuildRequest(sources=(tmp_path / "images",), out=tmp_path / "index"), track=iter))
    heads = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert heads == ["images", "patients", "label", "files", "index", "next"]
