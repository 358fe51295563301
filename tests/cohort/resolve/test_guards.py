from __future__ import annotations

import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort.reports.suppress import masked
from monai_unlearn.cohort.resolve.guards import refusal
from monai_unlearn.cohort.resolve.resolve import resolve_unguarded
from monai_unlearn.errors import CohortError
from monai_unlearn.vocabulary.fields import Kind


@pytest.fixture
def index(tmp_path):
    columns = {"device": ["old"] * 3 + ["new"] * 6 + [None], "patient": ["a", "a", "b", *"bcdefgh"]}
    return make_index(tmp_path / "index", columns, {"device": Kind.TEXT})


def test_an_empty_forget_part_shows_which_rule_emptied_it(index):
    with pytest.raises(CohortError, match="the forget part of 'test' is empty") as caught:
        make_spec("[device == old, patient == P17]").resolve(index)
    assert str(caught.value).splitlines()[1:] == [
        "Images, rule by rule:",
        "         10 → 10        readable images",
        "         10 → 3         device == old",
        "          3 → 0         patient == …",
    ]


def test_an_empty_remain_part_is_refused(index):
    with pytest.raises(CohortError, match=r"the remain part of 'test' is empty \(undetermined images: 1\)"):
        make_spec("device in [old, new]").resolve(index)


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ("{images: {min: 4}}", r"expected at least 4 images in the forget part \(expect: images\), found 3\."),
        ("{images: {min: 1, max: 2}}", r"expected at least 1 and at most 2 images .* found 3\."),
        ("{patients: {max: 1}}", r"expected at most 1 patient in the forget part \(expect: patients\), found 2\."),
        (
            "{share: {min: 0.5}}",
            r"expected a share of at least 0\.5 to forget \(expect: share\), found 0\.3 \(images: 3 of 10\)",
        ),
    ],
)
def test_another_cohort_than_expected_is_refused(index, expect, message):
    with pytest.raises(CohortError, match=message):
        make_spec("device == old", f"expect: {expect}").resolve(index)


def test_an_empty_population_has_a_share_of_nothing(index):
    with pytest.raises(CohortError, match=r"\(expect: share\), found 0 \(images: 0 of 0\)"):
        make_spec("device == old", "population: patient == nobody\nexpect: {share: {min: 0.5}}").resolve(index)


def test_every_expectation_that_fails_is_listed(index):
    with pytest.raises(CohortError, match=r"(?s)expect: images.*expect: patients.*expect: share"):
        make_spec("device == old", "expect: {images: {max: 1}, patients: {max: 1}, share: {max: 0.1}}").resolve(index)


def test_the_refusal_is_the_message_without_the_attrition(index):
    assert refusal(resolve_unguarded(make_spec("device == old"), index)) is None
    spec = make_spec("device == old", "expect: {images: {min: 4}, patients: {min: 3}}")
    reason = refusal(resolve_unguarded(spec, index))
    assert [line.partition(" (expect")[0] for line in reason.splitlines()] == [
        "test.yaml: expected at least 4 images in the forget part",
        "test.yaml: expected at least 3 patients in the forget part",
    ]
    with pytest.raises(CohortError, match="Images, rule by rule:") as refused:
        spec.resolve(index)
    assert str(refused.value).startswith(f"{reason}\nImages, rule by rule:\n")


def test_bounds_are_inclusive(index):
    expect = "expect: {images: {min: 3, max: 3}, patients: {min: 2, max: 2}, share: {min: 0.3, max: 0.3}}"
    assert make_spec("device == old", expect).resolve(index).images["forget"] == 3


def test_a_refusal_without_its_numbers_does_not_tell_a_count_of_one(tmp_path):
    texts = set()
    for many in (1, 2):
        devices = {"device": ["old"] * many + [None] * many + ["new"] * 5 * many}
        index = make_index(tmp_path / f"i{many}", devices, {"device": Kind.TEXT})
        for forget in ("device == old", "device == odd", "device in [old, new]"):
            spec = make_spec(
                forget, "unknown: fail\nexpect: {images: {min: 100}, patients: {min: 100}, share: {min: 1}}"
            )
            texts.add((forget, masked(refusal(resolve_unguarded(spec, index)), source=spec.source)))
    assert len(texts) == 3


def test_a_large_number_is_not_rounded(tmp_path):
    index = make_index(tmp_path / "many", {"device": ["old"] * 12_345 + ["new"]}, {"device": Kind.TEXT})
    with pytest.raises(CohortError, match=r"\(expect: images\), found 12345\. .*") as caught:
        make_spec("device == old", "expect: {images: {max: 12344}, share: {max: 0.9999}}").resolve(index)
    assert "found 0.999919 (images: 12345 of 12346)" in str(caught.value)


# Classes that remain

CLASSES = {
    "device": ["old", "old", "old", "new", "new", "new", "new", None, "old"],
    "diagnosis": ["amd", "amd", "cataract", "amd", "cataract", "cataract", None, "drusen", None],
}


@pytest.fixture
def labelled(tmp_path):
    return make_index(tmp_path / "labelled", CLASSES, {"device": Kind.TEXT, "diagnosis": Kind.TEXT}, label="diagnosis")


def _kept(index, least, more=""):
    return make_spec("device == old", f"expect: {{remain_per_class: {{min: {least}}}}}\n{more}").resolve(index)


def test_every_class_keeps_so_many_remain_images_or_the_cohort_is_refused(labelled):
    message = (
        r"expected at least 2 images of every class in the remain part \(expect: remain_per_class\), "
        r"found 1 of 'amd', 0 of 'drusen'\. Fix the rules"
    )
    with pytest.raises(CohortError, match=message) as caught:
        _kept(labelled, 2)
    assert "cataract" not in str(caught.value)
    assert "no label" not in str(caught.value)


def test_a_class_may_keep_exactly_as_many(labelled):
    # The drusen image may be old: it is undetermined, so it does not remain.
    with pytest.raises(CohortError, match=r"found 0 of 'drusen'\."):
        _kept(labelled, 1)
    assert _kept(labelled, 1, "unknown: remain").counts.classes["drusen"]["remain"] == 1


def test_a_class_outside_the_population_does_not_count(labelled):
    assert _kept(labelled, 1, "population: diagnosis in [amd, cataract]").images["forget"] == 3


@pytest.mark.parametrize(("count", "more"), [(10, ""), (11, " and 1 more class"), (14, " and 4 more classes")])
def test_ten_classes_are_named_and_further_ones_counted(tmp_path, count, more):
    names = [f"c{number:02d}" for number in range(count)]
    columns = {"device": ["old"] * count + ["new"], "diagnosis": [*names, "x"]}
    index = make_index(tmp_path / "many", columns, {"device": Kind.TEXT, "diagnosis": Kind.TEXT}, label="diagnosis")
    with pytest.raises(CohortError, match=rf"0 of 'c09'{more}\. Fix"):
        _kept(index, 1)


def test_without_classes_the_expectation_cannot_be_checked(index, tmp_path):
    with pytest.raises(
        CohortError, match=r"this index does not say which column holds them\. Build it again with --label"
    ):
        _kept(index, 1)
    empty = {"device": ["old", "new"], "diagnosis": [None, " "]}
    unlabelled = make_index(tmp_path / "empty", empty, {"device": Kind.TEXT, "diagnosis": Kind.TEXT}, label="diagnosis")
    with pytest.raises(CohortError, match="no image of the cohort has a value of 'diagnosis'"):
        _kept(unlabelled, 1)


def test_everything_that_does_not_hold_is_reported_at_once(labelled):
    expect = "expect: {remain_per_class: {min: 3}, images: {max: 1}, patients: {max: 1}, share: {max: 0.1}}"
    pattern = r"(?s)unknown: fail.*expect: images.*expect: patients.*expect: share.*expect: remain_per_class"
    with pytest.raises(CohortError, match=pattern):
        make_spec("device == old", f"{expect}\nunknown: fail").resolve(labelled)


def test_a_class_may_be_forgotten_as_a_whole_and_every_document_says_so(labelled):
    cohort = make_spec("diagnosis == amd").resolve(labelled)
    warning = "The class amd has no image left in the remain part."
    assert cohort.counts.classes_emptied == ["amd"]
    for document in (cohort.preview(), cohort.manifest):
        assert document["classes_emptied"] == ["amd"]
        assert warning in document["warnings"]
    # Undetermined images are not trained on either.
    assert make_spec("device == old").resolve(labelled).counts.classes_emptied == ["drusen"]
    assert make_spec("device == old", "unknown: remain").resolve(labelled).counts.classes_emptied == []
