from __future__ import annotations

import pytest

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.errors import SpecError
from monai_unlearn.studio.faults import faults_of

HEAD = "schema_version: 1\nname: test\nreason: other\n"


def faults(text):
    with pytest.raises(SpecError) as found:
        CohortSpec.parse(text)
    return faults_of(found.value)


def test_every_fault_has_its_line_its_column_and_its_width():
    found = faults(f"{HEAD}forget: device == \nfoo: 1\n")
    assert [one.line for one in found] == [4, 5]
    assert (found[1].column, found[1].width) == (1, 3)
    assert found[1].snippet.endswith("^^^")
    assert found[1].message.startswith("unknown key 'foo'")


@pytest.mark.parametrize(("text", "line"), [("a: [", 1), (f"{HEAD}forget: {{x\n", 5), ("a: \x00", 1)])
def test_faults_of_yaml_have_their_line(text, line):
    (found,) = faults(text)
    assert found.line == line
    assert found.message.startswith("not valid YAML")


def test_what_names_people_is_not_repeated():
    (found,) = faults(f"{HEAD}forget: patient === SECRET\n")
    assert "SECRET" not in found.message + found.snippet


def test_a_message_without_a_place_is_about_the_whole_spec():
    (found,) = faults_of(SpecError("too large"))
    assert (found.line, found.column, found.message) == (0, 0, "too large")
