from __future__ import annotations

import pytest
from pydantic import ValidationError

from monai_unlearn.cohort.document import Group, Sample, SpecDocument

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
