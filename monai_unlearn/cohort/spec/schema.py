"""The JSON Schema of cohort specs, for editors: completion, hover texts, and faults while you type.

It is generated from the closed schema in `document`, so it cannot fall behind. Editors check less than
`CohortSpec.read`: no JSON Schema can check a predicate, or whether `min` is below `max`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.spec.document import Implausible, Reason, Scope, SpecDocument, Unknown

if TYPE_CHECKING:
    from enum import Enum

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_BOUNDS = {"min": "The smallest number that you expect.", "max": "The largest number that you expect."}
_FILE = {
    "file": "A file in the spec's folder or below: one value per line, or a CSV.",
    "column": "The column of the CSV that holds the values; leave it out for a file with one value per line.",
}
# What an editor shows beside a key, by the model of the key.
_KEYS: dict[str, dict[str, str]] = {
    "SpecDocument": {
        "schema_version": "The version of the cohort language: 1.",
        "name": "The name of the cohort: lower-case letters, digits and '-'. Reports and model cards show it.",
        "reason": "Why the images must be forgotten; it heads the model-card diff.",
        "forget": (
            "Which images to forget: a condition on their metadata such as `device == Cirrus 800 FA`, a list of "
            "conditions that must all hold, or a group of `all`, `any` and `not`. Where a tag is missing, the answer "
            "is unknown."
        ),
        "population": "Which images the cohort is about; the others belong to no part. Without it: all images.",
        "value_sets": "Lists of values by name; a condition uses one as `patient in @name`.",
        "absent": (
            "Listed values that are known to have no images here: a file in the spec's folder with one value per line, "
            "or the values. A value of it that does occur in the index is refused."
        ),
        "scope": "What is forgotten together with a selected image.",
        "unknown": "How to treat an image when missing metadata make the rule unknown.",
        "why": (
            "Why undetermined images may be left out. With `reason: consent_withdrawal`, undetermined images that the "
            "model was trained on stop an unlearning run without it. The model card shows the text."
        ),
        "implausible": (
            "What implausible dates and ages mean: a date of 1900-01-01 or before or after the index was built, an age "
            "of 000Y or of 120 years or more."
        ),
        "sample": "Forget only some of the selected images: a share or a number, drawn by a seed.",
        "expect": "What you expect to forget and to keep; anything else stops the run.",
        "allow_empty_record": (
            "Whether `forget` may hold for an image whose every tag is missing, as `missing(device)` does."
        ),
    },
    "Group": {
        "all": "Conditions that must all hold.",
        "any": "Conditions; at least one must hold.",
        "not": "A condition that must not hold: one condition, or a group that joins several.",
    },
    "ValueFile": _FILE,
    "ValueSource": {
        **_FILE,
        "values": "The values, in place of a file.",
        "absent": "Values of this set that are known to have no images here: a file, or the values.",
    },
    "Sample": {
        "fraction": "The share of units to forget, above 0 and at most 1.",
        "count": "The number of units to forget.",
        "by": "What is drawn: single images, or patients with all their images.",
        "stratify": "The field or fields by whose values the sample is stratified.",
        "seed": "Another seed gives another sample; the same seed keeps its choice when the index grows.",
    },
    "Expect": {
        "images": "How many images the forget part should have.",
        "patients": "How many patients the forget part should have.",
        "share": "Which share of the cohort's images should be in the forget part, from 0 to 1.",
        "remain_per_class": "How many images every class must keep in the remain part.",
        "matched": (
            "How many listed values must occur in the index: `all` of every list, or a smallest number by the name of "
            "the value set. With `reason: consent_withdrawal`, all values of every list on a field that identifies "
            "people (patients, studies, images) must occur by default; other lists are only reported."
        ),
    },
    "Counts": _BOUNDS,
    "Share": _BOUNDS,
    "Least": {"min": "The smallest number of images of every class in the remain part."},
    "LeastMatched": {"min": "The smallest number of its values that must occur in the index."},
}
_CHOICES: dict[type[Enum], dict[Enum, str]] = {
    Reason: {
        Reason.DEVICE_DEPRECATION: "A device is retired, or no longer trusted.",
        Reason.CONSENT_WITHDRAWAL: "Patients withdrew their consent.",
        Reason.LABEL_ERROR: "Images have wrong labels.",
        Reason.ANATOMICAL_OUTLIER: "Images show anatomy that the model must not have learnt from.",
        Reason.POLICY_CHANGE: "The rules on which data may be used have changed.",
        Reason.OTHER: "Something else; explain it in a comment.",
    },
    Scope: {
        Scope.IMAGE: "The image alone.",
        Scope.SERIES: "All images of its series.",
        Scope.STUDY: "All images of its study.",
        Scope.PATIENT: "All images of its patient.",
    },
    Unknown: {
        Unknown.EXCLUDE: "Use it for neither part.",
        Unknown.FORGET: "Forget it.",
        Unknown.REMAIN: "Let it remain.",
        Unknown.FAIL: "Stop: there must be none.",
    },
    Implausible: {
        Implausible.UNKNOWN: "They are unknown.",
        Implausible.KEEP: "They count as what they say.",
    },
}
_EXAMPLES: dict[str, dict[str, list[object]]] = {
    "SpecDocument": {
        "name": ["retire-cirrus-800-fa"],
        "forget": [
            "device == Cirrus 800 FA",
            "device == Cirrus 800 FA and acquired < 2019-01-01",
            ["device in [TrioTim, Prisma]", "age >= 60"],
            {"any": ["acquisition_flags == lens dust", "fov_style_inferred == truncated"]},
        ],
        "population": ["eye_label in [N, D, G]"],
        "value_sets": [{"withdrawn": {"file": "withdrawn.txt"}}],
        "absent": ["no-images-here.txt"],
        "sample": [{"fraction": 0.5, "by": "patient", "seed": 7}],
        "expect": [{"images": {"min": 20, "max": 2000}, "share": {"max": 0.4}}],
    },
}
# What models check of several keys at once.
_TOGETHER: dict[str, dict[str, object]] = {
    "Sample": {"oneOf": [{"required": ["fraction"]}, {"required": ["count"]}]},
    "Counts": {"minProperties": 1},
    "Share": {"minProperties": 1},
    "ValueSource": {"oneOf": [{"required": ["file"]}, {"required": ["values"]}]},
    "Group": {"minProperties": 1},
}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a cohort spec, draft 2020-12."""
    schema = SpecDocument.model_json_schema(by_alias=True)
    models: dict[str, Any] = schema.pop("$defs")
    enums = {choices.__name__: _choices(choices) for choices in _CHOICES}
    shared = {name: _tidied(body, enums) for name, body in models.items() if name not in enums}
    described = {
        name: _described(name, body) for name, body in {**shared, "SpecDocument": _tidied(schema, enums)}.items()
    }
    root = described.pop("SpecDocument")
    return {
        "$schema": DIALECT,
        **root,
        "title": "Cohort spec",
        "description": "Which images a deployed model must forget, and what must hold of them.",
        "$defs": described,
    }


def _choices(choices: type[Enum]) -> dict[str, Any]:
    texts = _CHOICES[choices]
    # Not a keyword of JSON Schema, but editors show it beside each value.
    return {
        "type": "string",
        "enum": [choice.value for choice in choices],
        "enumDescriptions": [texts[choice] for choice in choices],
    }


def _tidied(schema: Any, enums: dict[str, Any]) -> Any:  # noqa: ANN401 - a schema is any tree of plain values
    """Return a schema without what pydantic adds: titles of keys, and null for optional keys."""
    if isinstance(schema, list):
        return [_tidied(child, enums) for child in schema]
    if not isinstance(schema, dict):
        return schema
    reference = str(schema.get("$ref", "")).rpartition("/")[2]
    if reference in enums:
        schema = {**enums[reference], **{key: value for key, value in schema.items() if key != "$ref"}}
    kept = {key: value for key, value in schema.items() if not (key == "default" and value is None)}
    if isinstance(kept.get("title"), str):
        del kept["title"]
    if "minimum" in kept and kept["minimum"] == kept.get("maximum"):
        kept = {"const": kept["minimum"]}
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    if "anyOf" in kept:
        choices = [choice for choice in kept.pop("anyOf") if choice != {"type": "null"}]
        kept = {**kept, **choices[0]} if len(choices) == 1 else {**kept, "anyOf": choices}
        return _tidied(kept, enums)
    return {key: _tidied(child, enums) for key, child in kept.items()}


def _described(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return a model's schema with a text beside every key."""
    for key, schema in body.get("properties", {}).items():
        if text := _KEYS.get(name, {}).get(key):
            schema["description"] = text
        if examples := _EXAMPLES.get(name, {}).get(key):
            schema["examples"] = examples
    if "description" in body:
        body["description"] = body["description"].partition("\n")[0]
    return {**body, **_TOGETHER.get(name, {})}
