from __future__ import annotations

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation.decision import Decision

CLASSES = ["normal", "glaucoma", "cataract"]


def read(**config):
    return Decision.from_config({"healthy_classes": ["normal"], **config}, class_names=CLASSES)


def test_defaults():
    decision = read()
    assert decision.objective == "match_reference"
    assert [(one.subset, one.label, one.measure, one.margin, one.min_patients) for one in decision.endpoints] == [
        ("forget_train", "all", "mean_probability", 0.10, 30),
        ("forget_test", "all", "mean_probability", 0.10, 30),
        ("remain_test", "all", "mean_probability", 0.05, 30),
        ("remain_test", "all", "macro_sensitivity", 0.05, 30),
    ]
    assert decision.diseases == ("glaucoma", "cataract")
    assert decision.notes() == ()


def test_endpoints_of_a_config():
    endpoints = [
        {"subset": "forget_test", "class": "glaucoma", "measure": "mean_probability", "margin": 0.2},
        {"subset": "remain_test", "min_patients": 50},
    ]
    decision = read(endpoints=endpoints, min_patients=40)
    first, second = decision.endpoints
    assert (first.label, first.margin, first.min_patients) == ("glaucoma", 0.2, 40)
    assert (second.label, second.measure, second.margin, second.min_patients) == ("all", "mean_probability", 0.05, 50)
    assert decision.subsets == ("forget_test", "remain_test")
    assert decision.min_patients("remain_test") == 50


def test_erase():
    decision = read(objective="erase")
    assert decision.chance_or_limit == pytest.approx(1 / 3)
    assert {one.measure for one in decision.endpoints if one.part == "forget"} == {"sensitivity"}
    assert read(objective="erase", limit=0.1).chance_or_limit == 0.1
    assert "above chance" in read(objective="erase", limit=0.5).notes()[0]


def test_what_is_more_lenient_than_the_default_is_said():
    endpoints = [{"subset": "forget_test", "margin": 0.2}, {"subset": "remain_test", "min_patients": 5}]
    said = " ".join(Decision.from_config({"healthy_classes": [], "endpoints": endpoints}, class_names=CLASSES).notes())
    assert "forget test is 20 points, wider than the default 10" in said
    assert "remain test is judged from 5 patients on; the default is 30" in said
    assert "mean_probability on forget train, macro_sensitivity on remain test" in said
    assert "No class is declared healthy" in said


@pytest.mark.parametrize(
    ("declared", "base", "said"),
    [
        (["glaucoma"], ["normal"], "Healthy is declared as glaucoma; the base bundle declares normal."),
        ([], ["normal"], "Healthy is declared as no class; the base bundle declares normal."),
        (["normal"], [], "Healthy is declared as normal; the base bundle declares no class."),
        (["normal", "cataract"], ["cataract", "normal"], None),
        (["normal"], None, None),
    ],
)
def test_other_healthy_classes_than_those_of_the_base_bundle_are_said(declared, base, said):
    found = Decision.from_config({"healthy_classes": declared}, class_names=CLASSES, base_healthy_classes=base)
    told = [line for line in found.notes() if line.startswith("Healthy is declared")]
    assert told == ([said] if said else [])
    assert found.to_dict()["base_healthy_classes"] == base


FORGET, REMAIN = {"subset": "forget_test"}, {"subset": "remain_test"}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (None, "decision: expected {objective"),
        ({}, "expected healthy_classes, the list .* normal, glaucoma, cataract"),
        ({"healthy_classes": "normal"}, "expected healthy_classes, the list"),
        ({"healthy_classes": ["norml"]}, "Did you mean 'normal'"),
        ({"healthy_classes": CLASSES}, "every class in healthy_classes"),
        ({"healthy_classes": ["normal"], "endpoint": []}, "Did you mean 'endpoints'"),
        ({"healthy_classes": ["normal"], "objective": "match"}, "decision: objective: expected one of"),
        ({"healthy_classes": ["normal"], "endpoints": "forget_test"}, "endpoints as a list"),
        ({"healthy_classes": ["normal"], "endpoints": ["forget_test"]}, "each endpoint as"),
        ({"healthy_classes": ["normal"], "endpoints": [{**FORGET, "clas": "normal"}, REMAIN]}, "Did you mean 'class'"),
        (
            {"healthy_classes": ["normal"], "endpoints": [{**FORGET, "class": "gl"}, REMAIN]},
            "class of mean_probability",
        ),
        ({"healthy_classes": ["normal"], "endpoints": [FORGET]}, "an endpoint on the remain part"),
        ({"healthy_classes": ["normal"], "endpoints": [REMAIN]}, "an endpoint on the forget part"),
        ({"healthy_classes": ["normal"], "endpoints": [FORGET, FORGET, REMAIN]}, "declared twice"),
        ({"healthy_classes": ["normal"], "endpoints": [{**FORGET, "margin": 0}, REMAIN]}, "above 0: a difference"),
        ({"healthy_classes": ["normal"], "limit": 0.1}, "limit belongs to objective erase"),
        ({"healthy_classes": ["normal"], "objective": "erase", "limit": 20}, "a limit above 0 and below 1, got 20"),
        ({"healthy_classes": ["normal"], "min_patients": 0}, "min_patients"),
        (
            {"healthy_classes": ["normal"], "objective": "erase", "endpoints": [FORGET, REMAIN]},
            "the forget part is judged by sensitivity",
        ),
        (
            {
                "healthy_classes": ["normal"],
                "endpoints": [{**FORGET, "measure": "false_negatives", "class": "normal"}, REMAIN],
            },
            "a class that is not healthy, got 'normal'",
        ),
    ],
)
def test_faults(config, message):
    with pytest.raises(ConfigError, match=message) as error:
        Decision.from_config(config, class_names=CLASSES)
    assert error.value.exit_code == 2
