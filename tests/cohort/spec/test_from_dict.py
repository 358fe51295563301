from __future__ import annotations

import json
from pathlib import Path

import pytest
from cohort_index import HEAD, make_spec
from hypothesis import given
from hypothesis import strategies as st

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.cohort.language.parse import MAX_LENGTH
from monai_unlearn.errors import SpecError
from monai_unlearn.strict_yaml import MAX_NODES

READY = sorted((Path(__file__).parents[3] / "cohort_specs").glob("*.yaml"))
MORE = """
population: site == a or exists(`odd name`)
value_sets: {list: ['007', no, 1.10, 2019-01-01]}
scope: study
unknown: remain
sample: {count: 3, by: patient, stratify: [site, odd name], seed: -4}
expect: {images: {min: 1}, patients: {max: 9}, share: {min: 0.1, max: 0.9}, remain_per_class: {min: 2}}
allow_empty_record: true
"""


def _through_json(spec):
    return CohortSpec.from_dict(json.loads(json.dumps(spec.to_dict())), source="m.json")


def _check_identity(spec):
    for again in (CohortSpec.from_dict(spec.to_dict()), _through_json(spec)):
        assert again == spec
        assert again.digest == spec.digest
        assert again.to_dict() == spec.to_dict()


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_a_ready_spec_reads_back_from_its_dictionary(path):
    _check_identity(CohortSpec.read(path))


LATER = """
value_sets: {list: {values: ['007', x], absent: [x]}}
absent: [1.10, nobody]
why: The patients could not be asked.
expect: {matched: {list: {min: 1}}}
"""


def test_later_keys_read_back_and_change_no_other_digest():
    spec = make_spec("device in @list", LATER)
    _check_identity(spec)
    assert spec.to_dict()["absent"] == ["1.10", "nobody"]
    plain = make_spec("device in @list", "value_sets: {list: ['007', x]}")
    assert not {"absent", "why"} & plain.to_dict().keys()
    assert plain.digest == "sha256:6a430cb782897d30696e68e037df475527e29e2aff343d7c32bdb2794b68b0d5"
    assert make_spec("device in @list", "value_sets: {list: {values: ['007', x]}}").digest == plain.digest
    _check_identity(make_spec("device in @list", "value_sets: {list: [a]}\nexpect: {matched: all}"))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"absent": "file.txt"}, "absent"),
        ({"absent": [3]}, "absent"),
        ({"value_sets": {"list": {"values": ["a"]}}}, "value_sets.list"),
        ({"value_sets": {"list": {"file": "a.txt"}}}, "value_sets.list"),
        ({"value_sets": {"list": {"values": ["a"], "absent": "file.txt"}}}, "value_sets.list.absent"),
        ({"expect": {"matched": {"other": {"min": 1}}}}, "expect.matched"),
    ],
)
def test_a_dictionary_names_no_files_and_no_set_that_it_lacks(changes, place):
    content = {**make_spec("device in @list", "value_sets: {list: [a]}").to_dict(), **changes}
    with pytest.raises(SpecError, match=f"got something else at '{place}'"):
        CohortSpec.from_dict(content)


def test_every_key_reads_back():
    _check_identity(make_spec("{any: [device in @list, {not: device == x}]}", MORE))


@given(st.floats(min_value=0, max_value=1, exclude_min=True), st.floats(0, 1), st.integers(-(10**18), 10**18))
def test_numbers_that_no_spec_may_write_read_back(fraction, share, seed):
    content = make_spec("a == 1", "sample: {fraction: 0.5}\nexpect: {share: {max: 0.5}}\n").to_dict()
    content["sample"] |= {"fraction": fraction, "seed": seed}
    content["expect"]["share"]["max"] = share
    spec = CohortSpec.from_dict(content)
    assert (spec.sample.fraction, spec.expect.share.max) == (fraction, share)
    _check_identity(spec)


def test_a_fraction_in_exponents_reads_back():
    spec = make_spec("a == 1", "sample: {fraction: 0.00001}\n")
    assert "1e-05" in json.dumps(spec.to_dict())
    _check_identity(spec)


def test_more_values_than_a_spec_may_write_read_back(tmp_path):
    names = [f"patient {number:05d}" for number in range(MAX_NODES + 1)]
    (tmp_path / "many.txt").write_text("\n".join(names))
    path = tmp_path / "spec.yaml"
    path.write_text(f"{HEAD}forget: patient in @many\nvalue_sets: {{many: {{file: many.txt}}}}\n")
    spec = CohortSpec.read(path)
    assert spec.value_sets == {"many": tuple(names)}
    _check_identity(spec)


def test_conditions_that_are_longer_in_one_text_than_a_condition_may_be_read_back():
    rule = "device in [" + ", ".join(f"model {number}" for number in range(600)) + "]"
    spec = make_spec(f"['{rule}', '{rule}', '{rule}']")
    assert len(rule) < MAX_LENGTH < len(str(spec.forget))
    _check_identity(spec)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"schema_version": 2}, "schema_version"),
        ({"name": "Not Allowed"}, "name"),
        ({"name": None}, "name"),
        ({"reason": "because"}, "reason"),
        ({"forget": ["device == old"]}, "forget"),
        ({"forget": {"all": ["device == old"]}}, "forget"),
        ({"forget": None}, "forget"),
        ({"population": [[[]]]}, "population"),
        ({"value_sets": {"a": []}}, "value_sets.a"),
        ({"value_sets": {"a": [1]}}, "value_sets.a"),
        ({"value_sets": {"a": "x"}}, "value_sets.a"),
        ({"value_sets": {"a": {"file": "x.txt"}}}, "value_sets.a"),
        ({"value_sets": {"a": ["x", "\n"]}}, "value_sets.a"),
        ({"value_sets": {"a b": ["x"]}}, "value_sets.a b"),
        ({"value_sets": ["a"]}, "value_sets"),
        ({"scope": "hospital"}, "scope"),
        ({"sample": {"fraction": 2}}, "sample.fraction"),
        ({"sample": {"other": 2}}, "sample"),
        ({"sample": {"count": 2, "stratify": [3]}}, "sample.stratify"),
        ({"expect": 7}, "expect"),
        ({"allow_empty_record": "yes"}, "allow_empty_record"),
        ({"raw_sql": "1"}, "raw_sql"),
    ],
)
def test_what_is_not_canonical_is_refused_with_its_key(change, place):
    content = {**make_spec("device == SECRET").to_dict(), **change}
    with pytest.raises(SpecError, match=r"^m\.json: expected a cohort spec as CohortSpec\.to_dict") as refused:
        CohortSpec.from_dict(content, source="m.json")
    assert f"'{place}" in str(refused.value)
    assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"forget": "device = old"}, r"^m\.json, forget:1:8: .* write =="),
        ({"forget": "device < 3"}, r"^m\.json, forget:1:1: 'device' holds text"),
        ({"forget": "device in @lost"}, r"^m\.json, forget:1:11: there is no 'lost' under value_sets"),
        ({"forget": "missing(device)"}, r"^m\.json: 'forget' holds for an image whose every tag is missing"),
        ({"population": "device ="}, r"^m\.json, population:1:8: "),
        ({"population": "zscore(a) > 1"}, r"^m\.json, population:1:1: zscore is computed over the population"),
        ({"forget": "a == 1 or " * 200_000 + "a == 1"}, r"^m\.json, forget:1:\d: expected a predicate of at most"),
    ],
)
def test_predicates_are_checked_as_in_a_file(change, message):
    with pytest.raises(SpecError, match=message):
        CohortSpec.from_dict({**make_spec("device == old").to_dict(), **change}, source="m.json")


def test_a_changed_spec_has_another_digest():
    content = make_spec("device == old").to_dict()
    assert CohortSpec.from_dict({**content, "forget": "device == new"}).digest != CohortSpec.from_dict(content).digest
    # Another layout of the same predicate is the same spec.
    assert CohortSpec.from_dict({**content, "forget": "(device == old)"}).to_dict() == content
