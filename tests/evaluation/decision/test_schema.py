from __future__ import annotations

import jsonschema
import pytest
from decision_example import binary, decision, everywhere, table
from protocol_example import applied

from monai_unlearn.evaluation.decision import decide, metrics_properties, schema

GOOD = everywhere(binary(0.8, 0.8))
SHARES = {"original": everywhere(binary(0.99, 0.99)), "revised": GOOD, **{f"reference-{i}": GOOD for i in range(3)}}


def test_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("objective", ["match_reference", "erase"])
@pytest.mark.parametrize("patients", [0, 1, 2, 400])
def test_outcomes_are_valid(objective, patients):
    shares = {**SHARES, "repeat-1": SHARES["original"]}
    document = decide(decision(objective=objective), table(shares, patients=patients)).to_dict()
    jsonschema.validate(document, schema())


@pytest.mark.parametrize("patients", [0, 1, 2, 400])
def test_outcomes_by_a_protocol_are_valid(patients):
    for names in (("original", "revised"), tuple(SHARES)):
        found = table({name: SHARES[name] for name in names}, patients=patients)
        jsonschema.validate(decide(decision(), found, applied(found)).to_dict(), schema())


@pytest.mark.parametrize(("key", "value"), [("verdict", "accepted"), ("basis", "luck"), ("why", [])])
def test_other_words_are_not(key, value):
    document = decide(decision(), table(SHARES, patients=50)).to_dict()
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, key: value}, schema())


@pytest.mark.parametrize("objective", ["match_reference", "erase"])
def test_what_metrics_hold_is_valid(objective):
    found = decide(decision(objective=objective), table(SHARES, patients=50)).to_metrics()
    layout = {"type": "object", "properties": metrics_properties(), "$defs": schema()["$defs"]}
    jsonschema.Draft202012Validator.check_schema(layout)
    jsonschema.validate(found, layout)
    del found["decision"]["line"]
    with pytest.raises(jsonschema.ValidationError, match="'line' is a required property"):
        jsonschema.validate(found, layout)
