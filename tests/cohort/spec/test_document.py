from __future__ import annotations

import jsonschema
import pytest
from cohort_index import make_spec
from pydantic import ValidationError

from monai_unlearn.cohort.spec.document import Expect, Group, Sample, SpecDocument

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
def test_no_value_is_converted_to_another_type(change):
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


def test_the_schema_is_closed_for_editors_too():
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
def test_editors_accept_what_the_reader_accepts(key, good, bad):
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


def test_keys_that_were_not_given_are_not_written():
    sample, expect = Sample(count=3), Expect.model_validate({"images": {"min": 3}})
    assert sample.model_dump() == {"count": 3, "by": "image", "seed": 0}
    assert expect.model_dump() == {"images": {"min": 3}}
    assert Sample.model_validate(sample.model_dump()) == sample
