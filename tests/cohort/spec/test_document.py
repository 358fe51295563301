from __future__ import annotations

import jsonschema
import pytest
from cohort_index import HEAD, make_spec
from pydantic import ValidationError

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.cohort.spec.document import Expect, Group, Sample, SpecDocument
from monai_unlearn.errors import SpecError

PLAIN = {"schema_version": 1, "name": "a", "reason": "other", "forget": "a == 1"}


def test_documents_are_closed_and_frozen():
    document = SpecDocument.model_validate(PLAIN)
    with pytest.raises(ValidationError, match="frozen"):
        document.name = "b"
    with pytest.raises(ValidationError, match="extra_forbidden"):
        SpecDocument.model_validate({**PLAIN, "raw_sql": "1"})


@pytest.mark.parametrize(
    "change", [{"schema_version": True}, {"schema_version": "1"}, {"allow_empty_record": 1}, {"name": 3}]
)
def test_nothing_is_taken_for_another_type(change):
    with pytest.raises(ValidationError, match=r"_type"):
        SpecDocument.model_validate({**PLAIN, **change})


@pytest.mark.parametrize("name", ["A", "-a", "a_b", "a\n", "", "a" * 65, "ä"])
def test_names_are_plain(name):
    with pytest.raises(ValidationError, match="string_pattern_mismatch"):
        SpecDocument.model_validate({**PLAIN, "name": name})


def test_errors_never_carry_the_input():
    with pytest.raises(ValidationError, match="literal_error") as caught:
        Sample.model_validate({"count": 1, "by": "P17"})
    assert "P17" not in str(caught.value)


def test_the_schema_can_be_written_for_editors():
    schema = SpecDocument.model_json_schema()
    assert schema["additionalProperties"] is False
    assert set(Group.model_json_schema(by_alias=True)["$defs"]["Group"]["properties"]) == {"all", "any", "not"}


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("value_sets", {"a": [1, 2.5, "x"], "b": "x", "c": 3, "d": {"file": "a.csv", "column": "id"}}, {"a": []}),
        ("sample", {"count": 3, "stratify": "a"}, {"count": 3, "stratify": []}),
        ("sample", {"count": 3, "stratify": ["a", "odd name"]}, {"count": 3, "stratify": 3}),
        ("expect", {"remain_per_class": {"min": 1}}, {"remain_per_class": {"min": 0}}),
        ("expect", {"remain_per_class": {"min": 1}}, {"remain_per_class": {"max": 3}}),
    ],
)
def test_editors_are_told_what_the_reader_takes(key, good, bad):
    schema = SpecDocument.model_json_schema(by_alias=True)
    jsonschema.validate({**PLAIN, key: good}, schema)
    SpecDocument.model_validate({**PLAIN, key: good})
    with pytest.raises(jsonschema.ValidationError, match="valid|minimum|non-empty|required"):
        jsonschema.validate({**PLAIN, key: bad}, schema)
    with pytest.raises(ValidationError, match=key):
        SpecDocument.model_validate({**PLAIN, key: bad})


def test_one_field_to_stratify_by_is_a_list_of_one():
    one, listed = (make_spec("a == 1", f"sample: {{count: 3, stratify: {text}}}") for text in ("b", "[b]"))
    assert one.sample.stratify == listed.sample.stratify == ("b",)
    assert one.digest == listed.digest
    assert hash(one.sample) == hash(listed.sample)
    assert one.digest != make_spec("a == 1", "sample: {count: 3}").digest


def test_what_was_not_said_is_not_written():
    sample, expect = Sample(count=3), Expect.model_validate({"images": {"min": 3}})
    assert sample.model_dump() == {"count": 3, "by": "image", "seed": 0}
    assert expect.model_dump() == {"images": {"min": 3}}
    assert Sample.model_validate(sample.model_dump()) == sample


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
        ("value_sets: {x: []}", r"test\.yaml:5: expected at least one value\."),
        ("value_sets: {x: {fil: a}}", r"unknown key 'fil'\. Did you mean 'file'\? The keys here are: file, column\."),
        ("value_sets: {x: {file: ''}}", r"'file': expected text, got ''\."),
        ("value_sets: {x: [1, [2]]}", r"test\.yaml:5: 'x': expected text, got a list\."),
        ("value_sets: {x: true}", r"'x': expected text, got true\."),
        ("value_sets: {x y: [1]}", r"expected the name of a value set to be up to 64 letters, digits and '_'"),
        ("value_sets: [a]", r"'value_sets': expected a mapping of names, got a list\."),
    ],
)
def test_a_fault_in_a_key_is_said_in_its_author_s_words(more, message):
    with pytest.raises(SpecError, match=message):
        CohortSpec.parse(f"{HEAD}forget: a == 1\n{more}\n", source="test.yaml")
