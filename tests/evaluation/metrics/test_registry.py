from __future__ import annotations

import pkgutil
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import jsonschema
import pytest
from card_example import build
from evidence_example import evidence

from monai_unlearn.card import schema, to_html
from monai_unlearn.evaluation import metrics
from monai_unlearn.evaluation.metrics import Estimate, Metric, register, registered, registry

FULL = {"forget": 90, "remain": 95}
MODELS = {"original": FULL, "revised": {"forget": 50, "remain": 92}, "reference": {"forget": 58, "remain": 94}}


@pytest.fixture
def errors_squared(monkeypatch):
    """A metric that is registered for one test alone: no interval, beyond 1, negative."""
    monkeypatch.setattr(registry._METRICS, "_records", dict(registered()))
    metric = Metric(
        name="errors_squared",
        description="minus the square of how many images are classified incorrectly; higher is better",
        direction="higher_is_better",
        range=(-float("inf"), 0.0),
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
    shared = {"metric", "registry", "mean_loss", "share"}
    files = {module.name for module in pkgutil.iter_modules(metrics.__path__)} - shared
    assert files == set(registered())
    for name in files:
        records = vars(import_module(f"{metrics.__name__}.{name}")).values()
        assert registered()[name] in [record for record in records if isinstance(record, Metric)]
        assert Path(__file__).with_name(f"test_{name}.py").exists()


def test_a_duplicate_name_is_refused(errors_squared):
    with pytest.raises(ValueError, match="A metric named 'errors_squared' is already registered"):
        register(replace(errors_squared, percent=True))
    assert registered()["errors_squared"].percent is False


def test_the_registry_cannot_be_changed_past_register():
    with pytest.raises(TypeError, match="does not support item assignment"):
        registered()["other"] = registered()["accuracy"]


def test_a_registered_metric_is_in_the_evidence(errors_squared):
    found = evidence(**MODELS)
    subset = found["models"]["revised"]["forget"]["test"]
    assert subset["errors_squared"] == {"value": -2500.0, "interval": None}
    assert subset["classes"]["a"]["errors_squared"] == {"value": -625.0, "interval": None}
    assert found["changes"]["forget"]["test"]["errors_squared"]["value"] == 100 - 2500


def test_a_registered_metric_is_on_the_card_and_in_its_schema(errors_squared):
    diff = build(**MODELS)
    row = next(row for row in diff["metrics"] if row["key"] == "errors_squared/remain/test/all")
    assert row["before"] == {"value": -25.0, "interval": None}
    shown = "".join(to_html(diff).split())
    assert '<thscope="row">Errorssquared</th><td>remain</td><td>test</td><td>all</td>' in shown
    assert ">-25.000</td>" in shown
    jsonschema.validate(diff, schema())
    row["before"]["value"] = 1.0
    with pytest.raises(jsonschema.ValidationError, match="1.0 is greater than the maximum of 0.0"):
        jsonschema.validate(diff, schema())


def test_without_registration_it_is_nowhere():
    assert "errors_squared" not in str(build(**MODELS))
    assert "errors_squared" not in str(schema())
