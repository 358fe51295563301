from __future__ import annotations

import pytest
from cohort_index import HEAD, make_spec

from monai_unlearn.cohort import CohortSpec, parse
from monai_unlearn.cohort.spec.content import population_faults, type_faults
from monai_unlearn.errors import SpecError


@pytest.mark.parametrize(
    "forget", ["missing(device)", "missing(device) or a == 1", "not exists(a)", "[missing(a), missing(b)]"]
)
def test_a_predicate_that_holds_for_an_empty_record_is_refused(forget):
    with pytest.raises(SpecError, match=r"^test\.yaml:4:1: 'forget' holds for an image whose every tag is missing"):
        make_spec(forget)
    allowed = CohortSpec.parse(HEAD + f"forget: {forget}\nallow_empty_record: true\n")
    assert allowed.allow_empty_record


@pytest.mark.parametrize(
    ("forget", "more"),
    [
        ("[missing(age), device == x]", ""),
        ("missing(age) and exists(device)", ""),
        ("missing(age)", "population: device == x\n"),
        ("missing(age)", "population: exists(device)\n"),
    ],
)
def test_a_missing_value_may_stand_beside_something_that_an_empty_record_fails(forget, more):
    assert not make_spec(forget, more).allow_empty_record


def test_a_population_that_an_empty_record_belongs_to_does_not_help():
    with pytest.raises(SpecError, match="every tag is missing"):
        make_spec("missing(age)", "population: missing(device)\n")


def test_types_of_dicom_keywords_are_checked_without_an_index():
    assert [fault.message for fault in type_faults([parse("device < 3")], {})] == [
        "'device' holds text, which has no order: expected ==, != or in, got <."
    ]
    assert type_faults([parse("my_column < 3")], {}) == []


def test_references_to_value_sets_are_checked_only_where_the_sets_are_known():
    predicate = parse("my_column in @lost")
    assert [fault.message for fault in type_faults([predicate], {})] == ["there is no 'lost' under value_sets."]
    assert type_faults([predicate], {"lost": ["a"]}) == type_faults([predicate], None) == []


def test_a_statistic_cannot_choose_the_population_that_it_is_computed_over():
    (fault,) = population_faults(parse("a == 1 and zscore(b) < 3"))
    assert fault.message == "zscore is computed over the population, so it cannot be used to choose the population."
    assert list(population_faults(parse("b < 3"))) == list(population_faults(None)) == []
    with pytest.raises(SpecError, match=r"test\.yaml:5:13: zscore is computed over the population"):
        make_spec("device == x", "population: zscore(vpf) < 3\n")
