from __future__ import annotations

import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort.reports.suppress_preview import preview_for_others, suppress_preview
from monai_unlearn.cohort.resolve.resolve import resolve_unguarded
from monai_unlearn.errors import CohortError
from monai_unlearn.vocabulary.fields import Kind

COLUMNS = {
    "device": ["Biograph 64"] * 5 + ["Biograph64", "BIOGRAPH-64", "Biograph  64", "Spectralis", None],
    "OperatorsName": ["Op One", "OpOne"] * 5,
    "subject": ["S 1", "S1"] * 5,
    "mrn": ["M 1", "M1"] * 5,
    "age": [50.0] * 10,
}
KINDS = {**dict.fromkeys(["device", "OperatorsName", "subject", "mrn"], Kind.TEXT), "age": Kind.AGE}


@pytest.fixture
def index(tmp_path):
    return make_index(tmp_path / "index", COLUMNS, KINDS)


def _variants(index, forget, more=""):
    return resolve_unguarded(make_spec(forget, more), index).preview()["variants"]


def test_other_spellings_of_a_value_have_their_counts_and_those_that_are_caught_are_named(index):
    assert _variants(index, "device == Biograph64") == [
        {
            "field": "device",
            "value": "Biograph64",
            "variants": {"Biograph 64": 5, "BIOGRAPH-64": 1, "Biograph  64": 1},
            "caught": {"Biograph64": 1},
        }
    ]


@pytest.mark.parametrize(
    ("forget", "caught"),
    [
        ("device == Biograph 64", {"Biograph 64": 5, "Biograph  64": 1}),
        ("device == 'Biograph 64'", {"Biograph 64": 5}),
        ("device ~= biograph 64", {"Biograph 64": 5, "Biograph  64": 1}),
        ("device like biograph64", {"Biograph 64": 5, "BIOGRAPH-64": 1, "Biograph  64": 1, "Biograph64": 1}),
        ("device not in [biograph 64]", {}),
    ],
)
def test_what_is_caught_is_what_the_condition_takes_to_be_equal(index, forget, caught):
    (entry,) = _variants(index, forget)
    assert entry["caught"] == caught
    cohort = resolve_unguarded(make_spec(forget), index)
    if " not " not in forget:
        assert cohort.images["forget"] == sum(caught.values())


@pytest.mark.parametrize(
    ("forget", "spellings", "images", "missed"),
    [
        ("device == Biograph64", 3, 7, (3, 7)),
        ("device == Biograph 64", 3, 3, (2, 2)),
        ("device like biograph64", 4, 8, (0, 0)),
    ],
)
def test_the_manifest_counts_other_spellings_without_their_texts(index, forget, spellings, images, missed):
    manifest = resolve_unguarded(make_spec(forget), index).manifest
    assert manifest["variants"] == [
        {
            "field": "device",
            "value": forget.split(maxsplit=2)[2],
            "spellings": spellings,
            "images": images,
            "not_caught": {"spellings": missed[0], "images": missed[1]},
        }
    ]
    assert "BIOGRAPH-64" not in str(manifest)


def test_value_sets_and_the_population_count_as_well(index):
    found = _variants(index, "age > 3", "population: device in @old\nvalue_sets: {old: [biograph 64, Spectralis]}\n")
    assert [(entry["value"], len(entry["variants"])) for entry in found] == [("biograph 64", 4)]


@pytest.mark.parametrize(
    "forget", ["OperatorsName == Op One", "subject == S1", "mrn in [M1]", "patient == p00", "device == Spectralis"]
)
def test_fields_that_identify_people_and_values_of_one_spelling_have_none(index, forget):
    assert _variants(index, forget) == []
    assert resolve_unguarded(make_spec(forget), index).manifest["variants"] == []


def test_an_empty_forget_part_shows_values_near_those_that_occur_nowhere(index):
    with pytest.raises(CohortError, match="is empty") as caught:
        make_spec("device in [Biograf46, Spektralis, Maestro]").resolve(index)
    message = str(caught.value)
    assert "No image has the value 'Spektralis' of device. Near it: 'Spectralis' (images: 1)." in message
    assert "No image has the value 'Biograf46' of device. Near it: 'Biograph 64' (images: 5)" in message
    assert "Maestro' of" not in message


@pytest.mark.parametrize("forget", ["OperatorsName == Op-One", "subject == S-1", "mrn == M-1", "patient == p0"])
def test_nothing_near_is_shown_of_fields_that_identify_people(index, forget):
    with pytest.raises(CohortError, match="is empty") as caught:
        make_spec(forget).resolve(index)
    assert "Near it" not in str(caught.value)


def test_suppression_hides_the_counts_of_spellings(index):
    cohort = resolve_unguarded(make_spec("device == Biograph64"), index)
    (entry,) = suppress_preview(cohort, below=5)["variants"]
    assert (entry["value"], set(entry["variants"].values())) == ("Biograph64", {"hidden"})
    with pytest.raises(CohortError, match=r"Near it: 'Spectralis' \(images: …\)"):
        preview_for_others(make_spec("device == Spektralis"), index, below=5)
