from __future__ import annotations

from dataclasses import replace

import pytest
from cohort_index import HEAD

from monai_unlearn.cohort import CohortSpec, parse
from monai_unlearn.cohort.language.term import Field
from monai_unlearn.cohort.spec.document import Counts, Expect, Reason, Sample, Scope, Share, Unknown
from monai_unlearn.errors import SpecError

FULL = """
schema_version: 1
name: retire-cirrus
reason: device_deprecation
forget: device == Cirrus 800 FA
population: modality == OP
scope: patient
unknown: fail
sample: {fraction: 0.5, by: patient, seed: 7}
expect: {images: {min: 20, max: 2000}, patients: {min: 3}, share: {max: 0.4}}
allow_empty_record: true
"""


def test_every_key_is_read():
    spec = CohortSpec.parse(FULL)
    assert (spec.name, spec.reason, str(spec.forget)) == (
        "retire-cirrus",
        Reason.DEVICE_DEPRECATION,
        "device == Cirrus 800 FA",
    )
    assert (str(spec.population), spec.scope, spec.unknown) == ("modality == OP", Scope.PATIENT, Unknown.FAIL)
    assert spec.sample == Sample(fraction=0.5, by="patient", seed=7)
    assert spec.expect == Expect(images=Counts(min=20, max=2000), patients=Counts(min=3), share=Share(max=0.4))
    assert spec.allow_empty_record


def test_the_defaults_are_the_cautious_ones():
    spec = CohortSpec.parse(HEAD + "forget: a == 1\n")
    assert (spec.scope, spec.unknown, spec.allow_empty_record) == (Scope.IMAGE, Unknown.EXCLUDE, False)
    assert (spec.population, spec.sample, spec.expect) == (None, None, None)


def test_the_digest_covers_the_content_and_not_the_layout():
    spec = CohortSpec.parse(FULL)
    lines = FULL.strip().splitlines()
    assert CohortSpec.parse("# a comment\n" + "\n".join(reversed(lines)), source="other").digest == spec.digest
    assert spec == CohortSpec.parse(FULL, source="other")
    for old, new in [
        ("0.5", "0.6"),
        ("OP", "MR"),
        ("patient\nu", "study\nu"),
        ("800", "900"),
        ("max: 0.4", "max: 0.3"),
    ]:
        assert CohortSpec.parse(FULL.replace(old, new)).digest != spec.digest
    assert spec.digest.startswith("sha256:")


def test_a_spec_survives_its_canonical_text():
    spec = CohortSpec.parse(FULL)
    assert CohortSpec.parse(HEAD + f"forget: {spec.to_dict()['forget']}\n").forget == spec.forget


def test_messages_name_a_file_as_it_was_given(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(HEAD + "forget: a == 1\n")
    assert CohortSpec.read(path).source == str(path)
    with pytest.raises(SpecError, match=r"missing\.yaml: cannot be read \(No such file or directory\)"):
        CohortSpec.read(tmp_path / "missing.yaml")


def test_predicates_are_the_population_and_the_condition_to_forget():
    spec = CohortSpec.parse(FULL)
    assert [str(predicate) for predicate in spec.predicates] == ["modality == OP", "device == Cirrus 800 FA"]
    assert CohortSpec.parse(HEAD + "forget: a == 1\n").predicates == (parse("a == 1"),)


# The fields that the sample is stratified by


def _stratified(text):
    return CohortSpec.parse(f"{HEAD}forget: a == 1\nsample: {{count: 2, stratify: {text}}}\n", source="test.yaml")


@pytest.mark.parametrize("text", ["odd name", "[odd name, b]", "['odd name', \"b\"]"])
def test_fields_to_stratify_by_know_their_place_in_the_file(text):
    for field in _stratified(text).stratify:
        fault = field.at.fault("not there", names_field=True)
        line = fault.snippet.splitlines()
        assert fault.line == 5
        assert line[0][line[1].index("^") : line[1].rindex("^") + 1] == field.name


def test_places_change_neither_equality_nor_the_digest():
    read = _stratified("[b]")
    made = replace(read, stratify=())
    assert made.stratify == (Field("b"),)
    assert (read.stratify[0].at is None, made.stratify[0].at) == (False, None)
    assert made == read
    assert made.digest == read.digest


@pytest.mark.parametrize("sample", [None, Sample(count=1), Sample(count=1, stratify=("c", "d"))])
def test_fields_to_stratify_by_are_those_of_the_sample(sample):
    names = [field.name for field in replace(_stratified("b"), sample=sample).stratify]
    assert names == list((sample.stratify if sample else None) or ())


def test_what_implausible_values_mean_is_in_the_digest_only_where_it_is_not_the_default():
    text = "schema_version: 1\nname: test\nreason: other\nforget: age < 18\n"
    plain, unknown, keep = (
        CohortSpec.parse(text + more) for more in ("", "implausible: unknown\n", "implausible: keep\n")
    )
    assert "implausible" not in plain.to_dict()
    assert plain.digest == unknown.digest != keep.digest
    assert CohortSpec.from_dict(keep.to_dict()) == keep
