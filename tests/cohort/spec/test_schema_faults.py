from __future__ import annotations

import pytest
from cohort_index import HEAD

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.errors import SpecError


def _message(text):
    with pytest.raises(SpecError, match=r"^test\.yaml") as caught:
        CohortSpec.parse(text, source="test.yaml")
    return str(caught.value)


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
def test_each_fault_names_what_was_expected_and_what_came(text, message):
    assert message in _message(text)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("sample: {count: 3, stratify: []}", r"test\.yaml:5: expected at least one field\."),
        ("sample: {count: 3, stratify: [a, 3]}", r"test\.yaml:5:34: 'stratify': expected text, got 3\."),
        ("sample: {count: 3, stratify: ''}", r"test\.yaml:5:30: expected a field's name, without backquotes"),
        ("sample: {count: 3, stratify: '`a`'}", r"test\.yaml:5:30: expected a field's name, without backquotes"),
        ("sample: {count: 3, stratfy: a}", r"unknown key 'stratfy'\. Did you mean 'stratify'\?"),
        (
            "expect: {remain_per_class: {max: 3}}",
            r"(?s)key 'min' is missing.*unknown key 'max'.*The keys here are: min\.",
        ),
        ("expect: {remain_per_class: {min: 0}}", r"5:34: 'min': expected a number at least 1, got 0\."),
        ("expect: {remain_per_class: 3}", r"5:28: 'remain_per_class': expected a mapping of keys, got 3\."),
        ("expect: {remain_per_clas: 3}", r"unknown key 'remain_per_clas'\. Did you mean 'remain_per_class'\?"),
        ("expect: {matched: al}", r"'matched': expected one of all, got 'al'\. Did you mean 'all'\?"),
        (
            "expect: {matched: {goone: {min: 1}}}\nvalue_sets: {gone: [a]}",
            r"5:20: expect: matched names 'goone', which is not in value_sets\. Did you mean 'gone'\?",
        ),
        ("expect: {matched: {x: {mn: 1}}}", r"(?s)unknown key 'mn'\. Did you mean 'min'\? The keys here are: min\."),
        ("absent: 3", r"'absent': expected text, got 3\."),
        ("value_sets: {x: []}", r"test\.yaml:5: expected at least one value\."),
        (
            "value_sets: {x: {fil: a}}",
            r"unknown key 'fil'\. Did you mean 'file'\? The keys here are: file, column, values, absent\.",
        ),
        ("value_sets: {x: {file: ''}}", r"'file': expected text, got ''\."),
        ("value_sets: {x: [1, [2]]}", r"test\.yaml:5: 'x': expected text, got a list\."),
        ("value_sets: {x: true}", r"'x': expected text, got true\."),
        ("value_sets: {x y: [1]}", r"expected the name of a value set to be up to 64 letters, digits and '_'"),
        ("value_sets: [a]", r"'value_sets': expected a mapping of names, got a list\."),
    ],
)
def test_faults_use_the_words_of_authors_and_not_of_pydantic(more, message):
    with pytest.raises(SpecError, match=message):
        CohortSpec.parse(f"{HEAD}forget: a == 1\n{more}\n", source="test.yaml")


def test_a_misspelt_key_is_one_fault_and_not_also_a_missing_one():
    text = "schema_version: 1\nname: x\nreason: other\nforgt: device == old\n"
    with pytest.raises(SpecError, match="unknown key 'forgt'. Did you mean 'forget'") as caught:
        CohortSpec.parse(text, source="test.yaml")
    assert "missing" not in str(caught.value)
    with pytest.raises(SpecError, match="the key 'forget' is missing"):
        CohortSpec.parse(text.replace("forgt", "colour"), source="test.yaml")
