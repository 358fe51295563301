from __future__ import annotations

import pytest
from cohort_index import HEAD

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.errors import SpecError

FAULTS = """\
test.yaml: 10 faults:
test.yaml:1:17: 'schema_version': expected 1, the only version so far, got 2.
test.yaml:2:7: 'name': expected up to 64 lower-case letters, digits and '-', beginning with a letter or digit, \
got 'Retire It'.
test.yaml:3:9: 'reason': expected one of device_deprecation, consent_withdrawal, label_error, anatomical_outlier, \
policy_change, other, got 'device'.
test.yaml:4:16: expected one of == != ~= < <= > >=, 'in', 'between', 'contains', 'like', 'matches' or 'within', \
got '='. To compare, write ==.
test.yaml:5:1: unknown key 'scop'. Did you mean 'scope'? The keys here are: schema_version, name, reason, forget, \
population, value_sets, absent, scope, unknown, why, implausible, sample, expect, allow_empty_record.
test.yaml:6:20: 'fraction': expected a number at most 1, got 2.
test.yaml:6:27: 'by': expected one of image, patient, got 'pat'. Did you mean 'patient'?
test.yaml:7: expected 'min' not to be above 'max'.
test.yaml:7:36: unknown key 'shares'. Did you mean 'share'? The keys here are: images, patients, share, \
remain_per_class, matched.
test.yaml:8:21: 'allow_empty_record': expected true or false, got 'no'."""


def _message(text):
    with pytest.raises(SpecError, match=r"^test\.yaml") as caught:
        CohortSpec.parse(text, source="test.yaml")
    return str(caught.value)


def test_all_faults_are_reported_at_once_each_with_its_line():
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


def test_code_is_refused_with_one_message():
    assert _message("$import os") == (
        "test.yaml:1:1: text that starts with '$' is refused. Cohort specs are data: nothing in them is expanded, "
        "imported or run.\n    1 | $import os\n      | ^^^^^^^^^^"
    )


def test_no_message_shows_what_follows_the_fault():
    message = _message(HEAD + "forget: a == 1\npatients: [P17, P18]\n")
    assert "unknown key 'patients'" in message
    assert "P17" not in message
