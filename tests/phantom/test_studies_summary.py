from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from monai_unlearn.phantom import FundusSummary, MriSummary, PeriorbitalSummary, Summary
from monai_unlearn.phantom.patients import Diagnosis, Lack
from monai_unlearn.phantom.studies_summary import count_kinds, count_models

OUT = Path("my studies")
COUNTS = {
    "seed": 1,
    "size": 64,
    "patients": 2,
    "images": 3,
    "devices": {"Spectralis": 3},
    "diagnoses": {"normal": 3},
    "lacking": {"device": 0},
}


@dataclass(frozen=True, kw_only=True)
class Sketches(Summary):
    charcoal: bool

    @property
    def next_command(self):
        return self.index_command(self.out / "drawn", "--label", "diagnosis")


def test_the_document_is_plain_values_with_those_of_the_kind():
    document = json.loads(json.dumps(Sketches(out=OUT, charcoal=True, **COUNTS).document()))
    assert document == {
        **COUNTS,
        "out": "my studies",
        "charcoal": True,
        "labels": str(OUT / "labels.csv"),
        "next": Sketches(out=OUT, charcoal=True, **COUNTS).next_command,
    }


def test_the_command_is_quoted_for_a_shell():
    words = shlex.split(Sketches(out=OUT, charcoal=False, **COUNTS).next_command)
    paths = [str(OUT / "drawn"), "--out", "my studies_index", "--table", str(OUT / "labels.csv")]
    assert words == ["monai-unlearn", "index", "build", *paths, "--label", "diagnosis"]


@pytest.mark.parametrize(
    ("summary", "source", "options"),
    [
        (FundusSummary(out=OUT, **COUNTS), OUT, "--key SOPInstanceUID --label diagnosis"),
        (
            PeriorbitalSummary(out=OUT, reports=True, **COUNTS),
            OUT / "images",
            "--key SOPInstanceUID --label diagnosis --measures 'my studies/reports'",
        ),
        (
            PeriorbitalSummary(out=OUT, reports=False, **COUNTS),
            OUT / "images",
            "--key SOPInstanceUID --label diagnosis",
        ),
        (MriSummary(out=OUT, nifti=False, **COUNTS), OUT, "--label diagnosis --key SOPInstanceUID"),
        (
            MriSummary(out=OUT, nifti=True, **COUNTS),
            OUT / "images",
            (
                "--label diagnosis --key file_name --patient participant "
                "--measures 'my studies/masks' --mask-labels 'my studies/mask_labels.json'"
            ),
        ),
    ],
    ids=["fundus", "reports", "no reports", "slices", "volumes"],
)
def test_every_kind_says_how_it_is_indexed(summary, source, options):
    assert summary.next_command == summary.index_command(source, *shlex.split(options))


def test_models_are_counted_by_name():
    assert list(count_models(["b", "a", "b"]).items()) == [("a", 1), ("b", 2)]


def test_kinds_are_counted_in_their_order_and_also_where_there_is_none():
    found = [Diagnosis.GLAUCOMA, Diagnosis.NORMAL, Diagnosis.GLAUCOMA]
    assert list(count_kinds(found, Diagnosis).items()) == [("normal", 1), ("diabetic_retinopathy", 0), ("glaucoma", 2)]
    assert count_kinds([None, Lack.AGE, None], Lack) == {"device": 0, "date": 0, "age": 1}
