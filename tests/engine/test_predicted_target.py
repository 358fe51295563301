from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from bundle_run import BUNDLE, judged, run
from protocol_example import content
from tiny import SPEC, tiny_index, tiny_spec, write_images

from monai_unlearn.engine.predicted_target import predicting, shape_of, wanted_predictors
from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation import PredictionTable
from monai_unlearn.evaluation.decision import Decision, decide_again
from monai_unlearn.evaluation.decision.protocol import Protocol
from monai_unlearn.release import BundleInfo, weights_digest
from monai_unlearn.vocabulary.run_folder import RunFolder

CLASSES = ("up", "down")
DECISION = {"healthy_classes": [], "min_patients": 2}
WITHDRAWN = SPEC.replace("device_deprecation", "consent_withdrawal").replace(
    "forget: ManufacturerModelName == Old", "forget: patient in [patient-001, patient-014]\nscope: patient"
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, []),
        ("", []),
        ([], []),
        ("half_width", [("half_width", None, 3)]),
        ({"name": "last_blocks", "seeds": 4}, [("last_blocks", None, 4)]),
        ("{name: never_trained, margin: 0.08}", [("never_trained", 0.08, 3)]),
        ("[half_width, {name: last_blocks}]", [("half_width", None, 3), ("last_blocks", None, 3)]),
        (["half_width", "last_blocks"], [("half_width", None, 3), ("last_blocks", None, 3)]),
    ],
)
def test_a_predictor_is_named_as_a_method_is(given, expected):
    assert [(one.name, one.margin, one.seeds) for one in wanted_predictors(given)] == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("half_with", "predictor: expected one of .* got 'half_with'. Did you mean 'half_width'"),
        ("{name: half_width", "expected a name, a mapping or a list"),
        ({"seeds": 3}, "a mapping with a name"),
        ({"name": "half_width", "sedes": 3}, "Did you mean 'seeds'"),
        ({"name": "half_width", "seeds": 2}, "at least 3 seeds, got 2"),
        ({"name": "half_width", "seeds": True}, "at least 3 seeds"),
        ({"name": "half_width", "margin": 0.1}, "judged by the margins of the endpoints"),
        ({"name": "never_trained", "margin": 0.5}, "a margin between 0 and 0.5"),
        ({"name": "never_trained", "margin": True}, "a margin between 0 and 0.5"),
        ({"name": "never_trained", "margin": "wide"}, "a margin between 0 and 0.5"),
        (["half_width", "half_width"], "each predictor once"),
        (7, "expected a name"),
    ],
)
def test_what_is_no_predictor_is_refused(given, message):
    with pytest.raises(ConfigError, match=message):
        wanted_predictors(given)


def data(reason="device_deprecation", *, sample=None, forget=6, remain=20):
    """A cohort of two classes, each image of a patient of its own."""
    rows = [
        {"part": part, "split": split, "label": label, "patient": f"{part}{split}{label}{i}"}
        for part, count in (("forget", forget), ("remain", remain))
        for split in ("train", "test")
        for label in CLASSES
        for i in range(count)
    ]
    spec = SimpleNamespace(reason=SimpleNamespace(value=reason), sample=sample)
    return SimpleNamespace(frame=pd.DataFrame(rows), class_names=CLASSES, cohort=SimpleNamespace(spec=spec))


def measured(**changed):
    """A protocol that measured both predictors for a device on such cohorts."""
    entry = {
        "name": "half_width",
        "reasons": ["device_deprecation"],
        "cohorts": 3,
        "seeds": 3,
        "errors": [
            {"subset": subset, "class": label, "error": 0.04}
            for subset in ("forget_train", "forget_test")
            for label in CLASSES
        ],
        **changed,
    }
    given = content(predictors=[entry])
    given["qualified_for"] = {
        "reasons": ["device_deprecation"],
        "patients": {"min": 10, "max": 20},
        "share": {"min": 0.1, "max": 0.5},
        "classes": list(CLASSES),
    }
    return Protocol.from_dict(given, source="protocol.yaml")


def found(given="half_width", *, cohort=None, protocol=None, has_reference=False, **config):
    return predicting(
        given,
        data=cohort or data(),
        decision=Decision.from_config({"healthy_classes": [], **config}, class_names=CLASSES),
        record={},
        has_reference=has_reference,
        protocol=protocol,
    )


def test_nothing_is_predicted_unless_it_is_asked_for():
    assert found(None).targets == ()
    assert found(None).proxies(None) == []


@pytest.mark.parametrize("name", ["half_width", "last_blocks"])
def test_an_unmeasured_predictor_may_not_decide(name):
    with pytest.raises(ConfigError, match=f"error of {name} was not measured, .*monai-unlearn rehearse"):
        found(name)
    if name == "last_blocks":
        with pytest.raises(ConfigError, match="was not measured"):
            found(name, protocol=measured())


def test_beside_a_reference_it_may_be_measured():
    assert [one.errors for one in found("[half_width, last_blocks]", has_reference=True).targets] == [{}, {}]


def test_several_decide_nothing():
    with pytest.raises(ConfigError, match="expected one to decide, got half_width, last_blocks"):
        found("[half_width, last_blocks]", protocol=measured())


def test_the_errors_are_those_of_the_protocol():
    (target,) = found(protocol=measured()).targets
    assert (target.name, target.proxies, target.cohorts) == ("half_width", 3, 3)
    assert set(target.errors.values()) == {0.04}
    assert len(target.errors) == 4


@pytest.mark.parametrize(
    ("protocol", "cohort", "given", "config", "message"),
    [
        ({"reasons": ["other"]}, {}, "half_width", {}, "measured for the reason other, not device_deprecation"),
        ({}, {"forget": 30}, "half_width", {}, "had 10 to 20 patients to train on; the cohort has 60"),
        ({"errors": []}, {}, "half_width", {}, "not measured on forget test, class down"),
        ({"seeds": 5}, {}, "half_width", {}, "measured with 5 seeds, and this run has 3"),
        (
            {},
            {},
            "half_width",
            {"endpoints": [{"subset": "forget_test", "measure": "sensitivity"}, {"subset": "remain_test"}]},
            "predicts mean probabilities, and the decision declares sensitivity on forget test",
        ),
    ],
)
def test_what_was_measured_elsewhere_does_not_hold_here(protocol, cohort, given, config, message):
    with pytest.raises(ConfigError, match=message):
        found(given, cohort=data(**cohort), protocol=measured(**protocol), **config)


def test_more_seeds_than_were_measured_do():
    assert found({"name": "half_width", "seeds": 5}, protocol=measured()).targets[0].proxies == 5


@pytest.mark.parametrize("name", ["never_trained", "shifted_odds"])
@pytest.mark.parametrize("has_reference", [True, False])
def test_a_predictor_for_other_reasons_is_refused(name, has_reference):
    with pytest.raises(ConfigError, match=f"predictor: {name} is for the reasons"):
        found(name, has_reference=has_reference)


def test_never_trained_carries_its_own_measurement():
    (target,) = found("never_trained", cohort=data("consent_withdrawal", forget=1)).targets
    assert (target.kind, target.margin, target.counterparts) == ("never_trained", 0.10, ("forget", "remain"))
    with pytest.raises(ConfigError, match="more than 10 %"):
        found("never_trained", cohort=data("consent_withdrawal"))


def test_to_erase_is_not_what_retraining_gives():
    with pytest.raises(ConfigError, match="with objective erase, leave it out"):
        found(has_reference=True, objective="erase")


def test_the_shape_is_that_of_the_training_images():
    shape = shape_of(data("other", sample=object()), {"recipe": {"class_balance": 1.0}})
    assert (shape.forget, shape.remain) == ({"up": 6, "down": 6}, {"up": 20, "down": 20})
    assert (shape.is_sample, shape.class_balance, shape.reason) == (True, 1.0, "other")
    assert shape_of(data(), {}).class_balance == 0.0
    with pytest.raises(ConfigError, match="cohort_spec is not set"):
        shape_of(replace_cohort(data()), {})


def replace_cohort(found):
    return SimpleNamespace(frame=found.frame, class_names=CLASSES, cohort=None)


# Whole runs, on the tiny cohort.


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("predicted")
    tiny_index(folder, frame=write_images(folder / "images", patients=48))
    tiny_spec(folder)
    run("train", "train.yaml", index_dir=str(folder / "index"), checkpoint=str(folder / "model.pt"), max_epochs=2)
    return folder


def settings(folder, out, **more):
    return {
        "index_dir": str(folder / "index"),
        "cohort_spec": str(folder / "spec.yaml"),
        "checkpoint": str(folder / "model.pt"),
        "output_dir": str(out),
        "decision": DECISION,
        "max_epochs": 1,
        "steps": 2,  # a tenth of so short a training pays for none
        **more,
    }


def ended(**given):
    """Run, and return what it left, whatever its verdict."""
    out = RunFolder(given.pop("out"))
    with pytest.raises(Exception, match="Needs|inconclusive|undetermined|different"):
        judged(**given)
    return out, json.loads(out.metrics.read_text(encoding="utf-8"))


def test_an_unmeasured_predictor_ends_the_run_before_it_begins(trained, tmp_path):
    with pytest.raises(ConfigError, match="was not measured"):
        judged(**settings(trained, tmp_path / "out", predictor="half_width"))
    assert list(tmp_path.iterdir()) == []


def test_beside_references_they_decide_and_predictors_are_measured(trained, tmp_path):
    out, metrics = ended(
        out=tmp_path / "out",
        **settings(trained, tmp_path / "out", reference="retrain", predictor="[half_width, last_blocks]"),
    )
    assert metrics["basis"] == "reference"
    assert metrics["decision"]["predictor"] is None
    assert set(metrics["predicted"]) == {"half_width", "last_blocks"}
    for rows in metrics["predicted"].values():
        assert {(one["subset"], one["class"]) for one in rows} == {
            (subset, label) for subset in ("forget_train", "forget_test") for label in CLASSES
        }
        assert all(one["error"] >= abs(one["predicted"] - one["retrained"]) - 1e-12 for one in rows)
    table = PredictionTable.read(out.predictions)
    proxies = [(one.name, one.predictor, one.seed) for one in table.networks if one.role == "proxy"]
    assert proxies == [(f"{name}-{seed}", name, seed) for name in ("half_width", "last_blocks") for seed in (1, 2, 3)]
    images = (table.frame["part"] == "forget") & (table.frame["split"] == "train") & (table.frame["label"] == "up")
    said = [table.probabilities(f"half_width-{seed}")[images, 0] for seed in (1, 2, 3)]
    # Both eyes of a patient are photographed by one camera here, so that a mean over images is one over patients.
    expected = float(sum(one.mean() for one in said) / 3)
    assert metrics["predicted"]["half_width"][0]["predicted"] == pytest.approx(expected)
    assert set(metrics["models"]) & {name for name, *_ in proxies} == set()
    cost = metrics["cost"]
    assert cost["proxies"] == 6
    assert cost["with_predictor"]["gradient_evaluations"] > cost["this_run"]["gradient_evaluations"]
    assert json.dumps(decide_again(out).to_metrics()["decision"]) == json.dumps(metrics["decision"])


def test_a_measured_predictor_decides_where_there_is_no_reference(trained, tmp_path):
    weights = weights_digest(torch.load(trained / "model.pt", weights_only=True))
    given = measured().to_dict()
    given |= {"decision": DECISION, "settings": {"image_size": [16, 16], "max_epochs": 2, "steps": 2}}
    given["bundle"] = {"name": BundleInfo.read(BUNDLE).name, "version": "0.1.0", "weights": weights}
    given["qualified_for"] |= {"patients": {"min": 1, "max": 99}, "share": {"min": 0.1, "max": 0.9}}
    Protocol.from_dict(given, source="p").write(tmp_path / "protocol.yaml")
    out, metrics = ended(
        out=tmp_path / "out",
        **settings(trained, tmp_path / "out", predictor="half_width", protocol=str(tmp_path / "protocol.yaml")),
    )
    assert (metrics["basis"], metrics["predicted"]) == ("predicted", {})
    assert metrics["decision"]["predictor"]["name"] == "half_width"
    assert {one["error"] for one in metrics["decision"]["endpoints"] if "error" in one} == {0.04}
    assert json.dumps(decide_again(out).to_metrics()["decision"]) == json.dumps(metrics["decision"])
    # A file that was changed is another decision.
    table = PredictionTable.read(out.predictions)
    replace(table, logits={**table.logits, "revised": table.logits["original"]}).write(out.predictions)
    assert decide_again(out).why != tuple(metrics["why"])


def test_a_withdrawn_consent_is_judged_by_images_never_trained_on(trained, tmp_path):
    spec = tiny_spec(tmp_path, WITHDRAWN)
    out, metrics = ended(
        out=tmp_path / "out",
        **{**settings(trained, tmp_path / "out", predictor="never_trained"), "cohort_spec": str(spec)},
    )
    assert (metrics["verdict"], metrics["basis"]) == ("inconclusive", "predicted")
    assert next(one["measure"] for one in metrics["decision"]["endpoints"]) == "membership_auc"
    assert metrics["cost"]["proxies"] == 0
    card = (out.evidence / "model_card_diff.md").read_text(encoding="utf-8")
    assert "membership auc" in card
    assert json.dumps(decide_again(out).to_metrics()["decision"]) == json.dumps(metrics["decision"])
