"""Frames that differ in a number: the same rows and digest from every reader, in every build, and their cohorts."""

from __future__ import annotations

import pytest
from cohort_index import make_spec
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.index.fast_readers import Reader
from monai_unlearn.index.scan.extra_tags import ExtraTags
from monai_unlearn.index.scan.options import ScanOptions

FRAMES = {"a": ["2.5", "5", "2.5"], "b": ["5", "5.0"], "c": ["2", "3"], "d": ["7"]}


def _frame(thickness):
    measures = Dataset()
    measures.SliceThickness, measures.PixelSpacing = thickness, [thickness, "0.5"]
    item = Dataset()
    item.PixelMeasuresSequence = Sequence([measures])
    return item


@pytest.fixture
def write(tmp_path, dataset):
    def enhanced(name, thicknesses):
        made = dataset(ord(name))
        made.PerFrameFunctionalGroupsSequence = Sequence(map(_frame, thicknesses))
        (tmp_path / "images").mkdir(exist_ok=True)
        made.save_as(tmp_path / "images" / f"{name}.dcm", enforce_file_format=True)

    return enhanced


@pytest.fixture
def made(tmp_path, write):
    for name, thicknesses in FRAMES.items():
        write(name, thicknesses)

    def index(name="index", reader=Reader.AUTO, tags=()):
        extra = ExtraTags.of(tags, raw_values=False, pseudonyms=None)
        options = ScanOptions(workers=1, reader=reader, extra_tags=extra)
        return build(BuildRequest(sources=(tmp_path / "images",), out=tmp_path / name, scan=options), track=iter)

    return index


def test_every_reader_gives_the_same_index(made):
    pytest.importorskip("gdcm")
    indexes = [made(reader.value, reader).index for reader in Reader]
    assert len({index.digest for index in indexes}) == 1
    rows = indexes[0].frame(["SliceThickness", "several_values", "faults"]).astype(object).fillna("-")
    assert rows["SliceThickness"].tolist() == ["-", 5.0, "-", 7.0]
    assert rows["several_values"].tolist() == ["SliceThickness=2.5/5.0", "-", "SliceThickness=2.0/3.0", "-"]
    assert rows["faults"].tolist() == ["several_numbers", "-", "several_numbers", "-"]


def test_an_index_that_is_brought_up_to_date_is_the_one_that_is_made_anew(made, write):
    first = made()
    assert made().files.reused == 4
    write("a", ["5", "5"])
    write("b", ["1", "2", "3"])
    again, anew = made(), made("anew")
    assert (again.files.reused, anew.files.reused) == (2, 0)
    assert again.index.digest == anew.index.digest != first.index.digest
    parts = [[part.name for part in report.index.parts] for report in (again, anew)]
    assert parts[0] == parts[1]  # a part is named by its bytes
    write("a", FRAMES["a"])
    write("b", FRAMES["b"])
    assert made().index.digest == first.index.digest


@pytest.mark.parametrize(
    ("rule", "part"),
    [
        ("SliceThickness < 2.6 mm", {"a": "forget", "b": "remain", "c": "forget", "d": "remain"}),
        ("any(SliceThickness) > 0.4 cm", {"a": "forget", "b": "forget", "c": "remain", "d": "forget"}),
        ("all(SliceThickness) > 2.2", {"a": "forget", "b": "forget", "c": "remain", "d": "forget"}),
        ("not SliceThickness == 5", {"a": "remain", "b": "remain", "c": "forget", "d": "forget"}),
        (
            "percentile_rank(SliceThickness) > 60",
            {"a": "undetermined", "b": "remain", "c": "undetermined", "d": "forget"},
        ),
        ("any(PixelSpacing) == 3", {"a": "remain", "b": "remain", "c": "forget", "d": "remain"}),
        ("all(PixelSpacing) < 5.1", {"a": "forget", "b": "forget", "c": "forget", "d": "remain"}),
        ("fault == several_numbers", {"a": "forget", "b": "remain", "c": "forget", "d": "remain"}),
    ],
)
def test_a_cohort_asks_the_numbers_of_all_frames(rule, part, made):
    index = made(tags=["PixelSpacing"]).index
    names = index.frame(["image_id", "path"]).itertuples(index=False)
    found = make_spec(rule).resolve(index).image_ids
    of = {image: name for name, ids in found.items() for image in ids}
    assert {path[-5]: of[image] for image, path in names} == part
