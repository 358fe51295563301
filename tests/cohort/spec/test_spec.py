"""Specs as files: what is read, and every message for what is not."""

from __future__ import annotations

import pytest
from cohort_index import HEAD

from monai_unlearn.cohort import CohortSpec
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


def test_the_digest_covers_what_is_said_and_not_how():
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


FAULTS = """\
test.yaml: 10 faults:
test.yaml:1:17: 'schema_version': expected 1, the only version so far, got 2.
test.yaml:2:7: 'name': expected up to 64 lower-case letters, digits and '-', beginning with a letter or digit, \
got 'Retire It'.
test.yaml:3:9: 'reason': expected one of device_deprecation, consent_withdrawal, label_error, anatomical_outlier, \
policy_change, other, got 'device'.
test.yaml:4:16: expected one of == != ~= < <= > >=, 'in', 'between', 'contains', 'matches' or 'within', got '='. \
To compare, write ==.
test.yaml:5:1: unknown key 'scop'. Did you mean 'scope'? The keys here are: schema_version, name, reason, forget, \
population, value_sets, scope, unknown, sample, expect, allow_empty_record.
test.yaml:6:20: 'fraction': expected a number at most 1, got 2.
test.yaml:6:27: 'by': expected one of image, patient, got 'pat'. Did you mean 'patient'?
test.yaml:7: expected 'min' not to be above 'max'.
test.yaml:7:36: unknown key 'shares'. Did you mean 'share'? The keys here are: images, patients, share, \
remain_per_class.
test.yaml:8:21: 'allow_empty_record': expected true or false, got 'no'."""


def _message(text):
    with pytest.raises(SpecError, match=r"^test\.yaml") as caught:
        CohortSpec.parse(text, source="test.yaml")
    return str(caught.value)


def test_all_faults_come_at_once_each_with_its_line():
    text = """schema_version: 2
name: Retire It
reason: device
forget: devise = 5
scop: image
sample: {fraction: 2, by: pat}
expect: {images: {min: 3, max: 1}, shares: {max: 1}}
allow_empty_record: no
"""
    lines = [line for line in _message(text).splitlines() if line.startswith("test.yaml")]
    assert lines == FAULTS.splitlines()


def test_a_document_of_code_ends_in_one_clear_message():
    assert _message("$import os") == (
        "test.yaml:1:1: text that starts with '$' is refused. Cohort specs are data: nothing in them is expanded, "
        "imported or run.\n    1 | $import os\n      | ^^^^^^^^^^"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "",
            "expected a mapping with the keys schema_version, name, reason and forget, got an empty document.",
        ),
        ("- a", "got a list."),
        ("a", "got a single value."),
        ("schema_version: 1\n", "test.yaml:1: the key 'forget' is missing."),
        (HEAD + "forget:\n", "test.yaml:4:1: 'forget' has no value."),
        (HEAD + "forget: a == 1\npopulation:\n", "test.yaml:5:1: 'population' has no value."),
        (HEAD + "forget: $x\n", "test.yaml:4:9: text that starts with '$' is refused."),
        (HEAD + "forget: [a == 1, ' $x']\n", "test.yaml:4:18: text that starts with '$' is refused."),
        (HEAD + "forget: a == 1\n_target_: os.system\n", "test.yaml:5:1: the key '_target_' is refused."),
        (HEAD + "forget: {all: [a == 1], _mode_: x}\n", "test.yaml:4:25: the key '_mode_' is refused."),
        (HEAD + "forget: a == 1\n$ref: x\n", "test.yaml:5:1: the key '$ref' is refused."),
        (HEAD + "forget: a == 1\nsample: {by: image}\n", "expected exactly one of 'fraction' and 'count'."),
        (HEAD + "forget: a == 1\nsample: {count: 1, fraction: 1}\n", "expected exactly one of 'fraction' and 'count'."),
        (HEAD + "forget: a == 1\nsample: {fraction: 0}\n", "'fraction': expected a number above 0, got 0."),
        (HEAD + "forget: a == 1\nsample: {count: 0}\n", "'count': expected a number at least 1, got 0."),
        (HEAD + "forget: a == 1\nsample: {count: 1.5}\n", "'count': expected a whole number, got 1.5."),
        (HEAD + "forget: a == 1\nsample: {count: 1, seed: x}\n", "'seed': expected a whole number, got 'x'."),
        (HEAD + "forget: a == 1\nsample: [1]\n", "test.yaml:5: 'sample': expected a mapping of keys, got a list."),
        (HEAD + "forget: a == 1\nexpect: {images: {}}\n", "expected 'min', 'max' or both."),
        (HEAD + "forget: a == 1\nexpect: {share: {max: 1.0e999}}\n", "'max': expected a number at most 1, got inf."),
        (HEAD + "forget: {all: {a: b}}\n", "'all': expected a list, got a mapping."),
        (HEAD + "forget: {any: []}\n", "'any': expected at least one condition, got an empty list."),
        (HEAD + "forget: {not: {}}\n", "expected 'all', 'any' or 'not'."),
        (HEAD + "forget: {al: [a == 1]}\n", "unknown key 'al'. Did you mean 'all'? The keys here are: all, any, not."),
        (HEAD + "forget: a == 1\nscope: 1\n", "'scope': expected one of image, series, study, patient, got 1."),
    ],
)
def test_what_a_spec_may_not_say(text, message):
    assert message in _message(text)


@pytest.mark.parametrize(
    "forget", ["missing(device)", "missing(device) or a == 1", "not exists(a)", "[missing(a), missing(b)]"]
)
def test_a_predicate_that_nothing_satisfies_is_refused(forget):
    message = _message(HEAD + f"forget: {forget}\n")
    assert message.startswith("test.yaml:4:1: 'forget' holds for an image of which nothing is known")
    allowed = CohortSpec.parse(HEAD + f"forget: {forget}\nallow_empty_record: true\n")
    assert allowed.allow_empty_record


def test_no_message_shows_what_follows_the_fault():
    message = _message(HEAD + "forget: a == 1\npatients: [P17, P18]\n")
    assert "unknown key 'patients'" in message
    assert "P17" not in message


def test_a_file_is_named_as_it_was_given(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(HEAD + "forget: a == 1\n")
    assert CohortSpec.read(path).source == str(path)
    with pytest.raises(SpecError, match=r"missing\.yaml: cannot be read \(No such file or directory\)"):
        CohortSpec.read(tmp_path / "missing.yaml")


def test_a_misspelt_key_is_one_fault_and_not_also_a_missing_one():
    text = "schema_version: 1\nname: x\nreason: other\nforgt: device == old\n"
    with pytest.raises(SpecError, match="unknown key 'forgt'. Did you mean 'forget'") as caught:
        CohortSpec.parse(text, source="test.yaml")
    assert "missing" not in str(caught.value)
    with pytest.raises(SpecError, match="the key 'forget' is missing"):
        CohortSpec.parse(text.replace("forgt", "colour"), source="test.yaml")
