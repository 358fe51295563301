from __future__ import annotations

import pkgutil
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import jsonschema
import pytest
from card_example import build
from evidence_example import evidence

from monai_unlearn.card import schema, to_markdown
from monai_unlearn.evaluation import metrics, read_criteria
from monai_unlearn.evaluation.metrics import Estimate, Metric, register, registered, registry

FULL = {"forget": 90, "remain": 95}
MODELS = {"original": FULL, "revised": {"forget": 50, "remain": 92}, "reference": {"forget": 58, "remain": 94}}


@pytest.fixture
def errors_squared(monkeypatch):
    """A metric that is registered for one test alone: no interval, beyond 1, negative."""
    monkeypatch.setattr(registry, "_METRICS", dict(registered()))
    metric = Metric(
        name="errors_squared",
        description="minus the square of how many images are classified incorrectly; higher is better",
        direction="higher_is_better",
        range=(-float("inf"), 0.0),
        margin=1.0,
        value=lambda predictions: -(float((~predictions.correct).sum()) ** 2),
        interval=lambda _: None,
        difference=lambda a, b: Estimate(value=float((~a.correct).sum()) ** 2 - float((~b.correct).sum()) ** 2),
    )
    register(metric)
    return metric


def test_accuracy_is_first():
    assert next(iter(registered())) == "accuracy"


def test_every_file_of_a_metric_is_registered_and_tested():
    """The file's record is in the registry, under the file's name, and a test has the same name."""
    shared = {"metric", "registry", "mean_loss"}
    files = {module.name for module in pkgutil.iter_modules(metrics.__path__)} - shared
    assert files == set(registered())
    for name in files:
        records = vars(import_module(f"{metrics.__name__}.{name}")).values()
        assert registered()[name] in [record for record in records if isinstance(record, Metric)]
        assert Path(__file__).with_name(f"test_{name}.py").exists()


def test_a_duplicate_name_is_refused(errors_squared):
    with pytest.raises(ValueError, match="A metric named 'errors_squared' is already registered"):
        register(replace(errors_squared, margin=2.0))
    assert registered()["errors_squared"].margin == 1.0


def test_the_registry_cannot_be_changed_past_register():
    with pytest.raises(TypeError, match="does not support item assignment"):
        registered()["other"] = registered()["accuracy"]


def test_a_registered_metric_is_in_the_evidence(errors_squared):
    found = evidence(**MODELS)
    subset = found["models"]["revised"]["forget"]["test"]
    assert subset["errors_squared"] == {"value": -2500.0, "interval": None}
    assert subset["classes"]["a"]["errors_squared"] == {"value": -625.0, "interval": None}
    assert found["changes"]["forget"]["test"]["errors_squared"]["value"] == 100 - 2500
    assert found["gaps_to_reference"]["forget"]["test"]["errors_squared"]["value"] == 42**2 - 2500


def test_a_registered_metric_can_be_a_criterion(errors_squared):
    limits = {
        "forget_test_errors_squared": {"max": -2500},
        "remain_train_errors_squared_drop": {"max": 38},
        "forget_test_errors_squared_gap_to_reference": {"max": 1},
        "forget_test_errors_squared_worst_class_gap_to_reference": {"min": 184},
    }
    rows = [criterion.judge(evidence(**MODELS)) for criterion in read_criteria(limits)]
    assert [row["value"] for row in rows] == [-2500, 64 - 25, 2500 - 42**2, 25**2 - 21**2]
    assert [row["verdict"] for row in rows] == ["passed", "failed", "failed", "passed"]


def test_a_registered_metric_is_on_the_card_and_in_its_schema(errors_squared):
    diff = build(**MODELS)
    row = next(row for row in diff["metrics"] if row["key"] == "errors_squared/remain/test/all")
    assert (row["before"], row["verdict"]) == ({"value": -25.0, "interval": None}, "no_interval")
    assert "| Errors squared | remain | test | 100 | -25.000 | -64.000 |" in to_markdown(diff)
    jsonschema.validate(diff, schema())
    row["before"]["value"] = 1.0
    with pytest.raises(jsonschema.ValidationError, match="1.0 is greater than the maximum of 0.0"):
        jsonschema.validate(diff, schema())


def test_without_registration_it_is_nowhere():
    assert "errors_squared" not in str(build(**MODELS))
    assert "errors_squared" not in str(schema())
