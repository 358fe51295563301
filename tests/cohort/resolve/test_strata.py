from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from cohort_index import make_index, make_spec
from hypothesis import given
from hypothesis import strategies as st

from monai_unlearn import strict_yaml
from monai_unlearn.cohort import CohortSpec, parse
from monai_unlearn.cohort.resolve.strata import Strata, strata_of
from monai_unlearn.cohort.spec.document import Reason, Sample
from monai_unlearn.errors import SpecError
from monai_unlearn.vocabulary.fields import Kind

_ROWS = st.lists(st.tuples(st.integers(0, 6), st.integers(-1, 2), st.integers(-1, 1)), max_size=40)


@given(_ROWS)
def test_units_share_a_stratum_if_their_rows_have_the_same_combinations_of_values(rows):
    numbers = {unit: number for number, unit in enumerate(sorted({unit for unit, _, _ in rows}))}
    unit = np.array([numbers[unit] for unit, _, _ in rows], dtype=np.int64)
    columns = [np.array([row[place] for row in rows], dtype=np.int64) for place in (1, 2)]
    found = strata_of(unit, columns).tolist()
    assert len(found) == len(numbers)
    assert set(found) == set(range(len(set(found))))
    combinations = defaultdict(set)
    for row in rows:
        combinations[numbers[row[0]]].add(row[1:])
    for one in numbers.values():
        for other in numbers.values():
            assert (found[one] == found[other]) == (combinations[one] == combinations[other])


def test_a_missing_value_is_a_stratum_of_its_own():
    assert len(set(strata_of(np.arange(3), [np.array([-1, 0, 1])]).tolist())) == 3


def test_drawn_units_are_counted():
    strata, chosen = np.array([0, 0, 1, 2, 2, 2]), np.array([True, False, False, True, True, True])
    values = [np.array([-1, 0, 1, 1, 1, 1]), np.array([-1, -1, 0, 0, 0, 0])]
    found = Strata.of(strata, chosen, values)
    assert found == Strata(count=3, empty=1, least_share=0, largest_share=1, images_without_value=2)


# Fields


@pytest.fixture
def index(tmp_path):
    kinds = {"device": Kind.TEXT, "diagnosis": Kind.TEXT, "age": Kind.AGE, "odd name": Kind.TEXT}
    return make_index(
        tmp_path / "index",
        {
            "device": ["old"] * 6 + ["new"] * 2,
            "diagnosis": ["a", "a", "b", "b", "b", None, "a", "b"],
            "age": [1.0, 1.0, 2.0, 2.0, 3.0, None, 1.0, 2.0],
            "odd name": ["x"] * 8,
        },
        kinds,
    )


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (
            "sample: {count: 2, stratify: diagnose}",
            r"test\.yaml:5:30: unknown field 'diagnose'\. Did you mean 'diagnosis'\? The columns of this index",
        ),
        ("sample: {count: 2, stratify: [age, diagnose]}", r"test\.yaml:5:36: unknown field 'diagnose'"),
        ("sample:\n  count: 2\n  stratify:\n  - age\n  - 'diagnose'", r"test\.yaml:9:6: unknown field 'diagnose'"),
        (
            "sample: {count: 2, stratify: Modality}",
            r"5:30: 'Modality' is a DICOM keyword that this index does not have",
        ),
        ("sample: {count: 2, stratify: sex}", r"5:30: 'sex' is an alias for PatientSex, which this index"),
        ("sample: {count: 2, stratify: patientt}", r"5:30: unknown field 'patientt'\. Did you mean 'patient'"),
    ],
)
def test_a_field_that_the_index_does_not_have_is_shown_in_its_line(index, sample, message):
    with pytest.raises(SpecError, match=message) as caught:
        make_spec("device == old", sample).resolve(index)
    assert "^^^" in str(caught.value)


def test_such_a_field_is_reported_with_the_other_faults(index):
    with pytest.raises(SpecError, match=r"(?s)2 faults:.*4:9: unknown field 'devise'.*5:30: unknown field 'ag3'"):
        make_spec("devise == old", "sample: {count: 2, stratify: ag3}").resolve(index)


def test_resolving_parses_no_yaml(index, monkeypatch):
    spec = make_spec("device == old", "sample: {count: 2, stratify: diagnose}")

    def parsed(*_, **__):
        raise AssertionError("YAML was parsed again")

    monkeypatch.setattr(strict_yaml, "parse", parsed)
    monkeypatch.setattr(strict_yaml, "load", parsed)
    with pytest.raises(SpecError, match=r"test\.yaml:5:30: unknown field 'diagnose'"):
        spec.resolve(index)


def test_a_field_of_a_spec_that_was_not_read_from_a_file_is_named_too(index):
    spec = CohortSpec(
        name="x",
        reason=Reason.OTHER,
        forget=parse("device == old"),
        sample=Sample(count=2, stratify=("diagnose",)),
    )
    with pytest.raises(SpecError, match="unknown field 'diagnose'. Did you mean 'diagnosis'"):
        spec.resolve(index)


@pytest.mark.parametrize("fields", ["odd name", "[odd name, 'odd name']"])
def test_any_column_can_be_named(index, fields):
    cohort = make_spec("device == old", f"sample: {{count: 3, stratify: {fields}}}").resolve(index)
    assert (cohort.images["forget"], cohort.membership.strata.count) == (3, 1)


@pytest.mark.parametrize(("fields", "count"), [("diagnosis", 3), ("age", 4), ("[diagnosis, age]", 4), ("patient", 6)])
def test_each_combination_of_values_is_a_stratum(index, fields, count):
    cohort = make_spec("device == old", f"sample: {{count: 3, stratify: {fields}}}").resolve(index)
    assert cohort.membership.strata.count == count
