from __future__ import annotations

import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort.resolve.resolve import question_of, resolve, resolve_unguarded
from monai_unlearn.errors import CohortError, SpecError
from monai_unlearn.vocabulary.fields import Kind

#            00   01    02    03    04    05    06
DEVICES = ["old", "new", None, "new", "new", "old", None]
PATIENTS = ["p1", "p1", "p1", "p2", None, None, None]


@pytest.fixture
def index(tmp_path):
    return make_index(
        tmp_path / "index",
        {
            "device": DEVICES,
            "patient": PATIENTS,
            "study": ["s1", "s2", "s1", "s3", "s4", "s4", None],
            "site": ["a", "a", "a", "a", "a", "b", None],
            "StudyDate": [None] * 7,
        },
        {"device": Kind.TEXT, "site": Kind.TEXT, "StudyDate": Kind.DATE},
    )


def test_the_method_of_a_spec_is_this_function(index):
    spec = make_spec("device == old")
    assert spec.resolve(index).manifest == resolve(spec, index).manifest


def test_without_the_guards_the_cohort_is_the_same(index):
    spec = make_spec("device == old")
    assert resolve_unguarded(spec, index).manifest == resolve(spec, index).manifest
    narrow = make_spec("device == old", "expect: {images: {min: 3}}\n")
    with pytest.raises(CohortError, match="rule by rule"):
        resolve(narrow, index)
    assert resolve_unguarded(narrow, index).images == {"forget": 2, "remain": 3, "undetermined": 2}


def test_a_question_has_the_fields_of_rules_population_and_strata(index):
    spec = make_spec("[device == old, patient != x]", "population: exists(study)\nsample: {count: 1, stratify: site}\n")
    question = question_of(spec, index)
    assert sorted(question.bound) == ["device", "patient", "site", "study"]
    assert (question.rules, question.population) == (spec.rules, spec.population)
    assert [field.name for field in question.strata] == ["site"]


def test_value_sets_are_looked_up_and_checked(index):
    cohort = resolve(make_spec("device in @before", "value_sets: {before: [old, older]}\n"), index)
    assert cohort.image_ids["forget"] == ["i00", "i05"]
    with pytest.raises(SpecError, match="expected a date"):
        question_of(make_spec("acquired in @days", "value_sets: {days: [yesterday]}\n"), index)


def test_the_message_for_an_unknown_field_says_where_the_columns_are_listed(index):
    message = r"unknown field 'devise'\. Did you mean 'device'\? .* under \"columns\" in .*index\.json"
    with pytest.raises(SpecError, match=message):
        question_of(make_spec("devise == old"), index)


def test_the_attrition_keeps_the_author_s_order(index):
    rows = (
        make_spec("[site == a, device == old]", "population: exists(series)\nscope: study\n").resolve(index).attrition
    )
    assert [(row.rule, row.images_in, row.images_out) for row in rows] == [
        ("readable images", 7, 7),
        ("population: exists(series)", 7, 7),
        ("site == a", 7, 5),
        ("device == old", 5, 1),
        ("scope: study", 1, 2),
    ]
    assert (rows[0].patients_in, rows[0].studies_in, rows[3].patients_out, rows[4].studies_out) == (2, 4, 1, 1)


def test_unknown_forget_has_a_row_of_its_own(index):
    rows = make_spec("device == old", "unknown: forget\n").resolve(index).attrition
    assert [(row.rule, row.images_out) for row in rows][-2:] == [("device == old", 2), ("unknown: forget", 4)]
    assert rows[-1].images_in == 2


def test_identifiers_are_counted_in_the_attrition_and_not_named(index):
    cohort = make_spec("patient in [p1, p9]").resolve(index)
    assert cohort.attrition[-1].rule == "patient in [… 2 values]"
    assert "p9" not in str(cohort.preview())
