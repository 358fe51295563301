from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from cohort_index import HEAD
from jsonschema import Draft202012Validator

from monai_unlearn.cohort.spec.document import Reason, Scope, Unknown
from monai_unlearn.cohort.spec.schema import json_schema
from monai_unlearn.cohort.spec.spec import CohortSpec
from monai_unlearn.errors import SpecError

READY = sorted((Path(__file__).parents[3] / "cohort_specs").glob("*.yaml"))
VALIDATOR = Draft202012Validator(json_schema())


def accepts(text: str) -> bool:
    return VALIDATOR.is_valid(yaml.safe_load(text))


def test_it_is_a_schema():
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_it_accepts_the_specs_to_start_from(path):
    assert accepts(path.read_text(encoding="utf-8"))


VALID = [
    "forget: {any: [a == 1, {not: b == 2}]}",
    "forget: {not: {all: [a == 1]}}",
    "forget: [a == 1, {any: [b == 1]}]",
    "forget: exists(a)\npopulation: a in [1, 2]",
    "forget: a in @list\nvalue_sets: {list: [x, y]}",
    "forget: a in @list\nvalue_sets: {list: x}",
    "forget: a == 1\nsample: {count: 3, by: patient, stratify: [b, c], seed: 1}",
    "forget: a == 1\nsample: {fraction: 0.5, stratify: b}",
    "forget: a == 1\nexpect: {images: {min: 1, max: 2}, patients: {max: 9}, share: {min: 0.1}}",
    "forget: a == 1\nexpect: {remain_per_class: {min: 2}}",
    "forget: a == 1\nexpect: {matched: all}",
    "forget: a in @list\nvalue_sets: {list: [x]}\nexpect: {matched: {list: {min: 1}}}",
    "forget: a in @list\nvalue_sets: {list: {values: [x], absent: [y]}}",
    "forget: a == 1\nabsent: [x, 3]\nwhy: They are phantoms.",
    "forget: a == 1\nallow_empty_record: true",
    *(f"forget: a == 1\nscope: {choice.value}" for choice in Scope),
    *(f"forget: a == 1\nunknown: {choice.value}" for choice in Unknown),
]
INVALID = [
    "forgot: a == 1",
    "population: a == 1",  # no forget
    "forget: 3",
    "forget: {some: [a == 1]}",
    "forget: {}",
    "forget: a == 1\nscope: device",
    "forget: a == 1\nunknown: maybe",
    "forget: a == 1\nsample: {by: image}",  # neither a fraction nor a count
    "forget: a == 1\nsample: {fraction: 0.5, count: 3}",
    "forget: a == 1\nsample: {fraction: 0}",
    "forget: a == 1\nsample: {count: 0}",
    "forget: a == 1\nsample: {fraction: 1.5}",
    "forget: a == 1\nexpect: {images: {}}",
    "forget: a == 1\nexpect: {images: {least: 1}}",
    "forget: a == 1\nexpect: {share: {max: 2}}",
    "forget: a == 1\nvalue_sets: {list: {path: x.txt}}",
    "forget: a == 1\nexpect: {matched: some}",
    "forget: a == 1\nexpect: {matched: {}}",
    "forget: a in @list\nvalue_sets: {list: [x]}\nexpect: {matched: {list: {min: 0}}}",
    "forget: a == 1\nvalue_sets: {list: {values: [x], file: y}}",
    "forget: a == 1\nvalue_sets: {list: {absent: [x]}}",
    "forget: a == 1\nabsent: {column: x}",
    "forget: a == 1\nwhy: ''",
    "forget: a == 1\nallow_empty_record: 1",
]


@pytest.mark.parametrize("text", VALID)
def test_it_accepts_what_the_tool_accepts(text, tmp_path):
    assert accepts(HEAD + text)
    path = tmp_path / "spec.yaml"
    path.write_text(HEAD + text + "\n", encoding="utf-8")
    CohortSpec.read(path)


@pytest.mark.parametrize("text", INVALID)
def test_it_refuses_what_the_tool_refuses(text, tmp_path):
    assert not accepts(HEAD + text)
    path = tmp_path / "spec.yaml"
    path.write_text(HEAD + text + "\n", encoding="utf-8")
    with pytest.raises(SpecError, match=r"spec\.yaml"):
        CohortSpec.read(path)


def test_every_reason_is_offered_with_a_text():
    reason = json_schema()["properties"]["reason"]
    assert reason["enum"] == [choice.value for choice in Reason]
    assert len(reason["enumDescriptions"]) == len(reason["enum"])


def test_every_key_has_a_text_that_an_editor_shows():
    schema = json_schema()
    models = [schema, *schema["$defs"].values()]
    keys = [(key, value) for model in models for key, value in model.get("properties", {}).items()]
    assert len(keys) > 20
    assert [key for key, value in keys if not value.get("description")] == []
