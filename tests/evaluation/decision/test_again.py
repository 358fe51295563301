from __future__ import annotations

import json
from dataclasses import replace

import pytest
from decision_example import binary, decision, everywhere, table
from protocol_example import COHORT, protocol

from monai_unlearn.errors import ConfigError, DataError, ExitCode
from monai_unlearn.evaluation.decision import decide, decide_again
from monai_unlearn.evaluation.decision.applied_protocol import AppliedProtocol
from monai_unlearn.evaluation.decision.target import PredictedTarget
from monai_unlearn.vocabulary.run_folder import RunFolder

GOOD = everywhere(binary(0.8, 0.8))
SHARES = {"original": everywhere(binary(0.99, 0.99)), "revised": GOOD, **{f"reference-{i}": GOOD for i in range(3)}}


def finished(folder, shares, applied=None, target=None, base=None, **config):
    """What a run leaves of its decision."""
    run = RunFolder(folder)
    found = table(shares, patients=60, eyes=2)
    run.evidence.mkdir()
    found.write(run.predictions)
    declared = replace(decision(**config), base_healthy_classes=base)
    metrics = decide(declared, found, applied, target=target).to_metrics()
    run.metrics.write_text(json.dumps(metrics), encoding="utf-8")
    return run, metrics


@pytest.mark.parametrize(
    ("shares", "config"),
    [
        (SHARES, {}),
        ({**SHARES, "repeat-1": SHARES["original"]}, {"min_patients": 5}),
        ({"original": GOOD, "revised": GOOD}, {}),
        (SHARES, {"objective": "erase"}),
        (SHARES, {"objective": "erase", "limit": 0.9}),
        (
            SHARES,
            {"endpoints": [{"subset": "forget_train", "margin": 0.3}, {"subset": "remain_test", "class": "sick"}]},
        ),
    ],
)
def test_is_the_same_byte_by_byte(tmp_path, shares, config):
    run, metrics = finished(tmp_path, shares, **config)
    assert json.dumps(decide_again(run).to_metrics()) == json.dumps(metrics)


@pytest.mark.parametrize("networks", [("original", "revised"), tuple(SHARES)])
def test_a_run_by_a_protocol_is_judged_by_it_again(tmp_path, networks):
    applied = AppliedProtocol(protocol=protocol(cohorts=3), cohort=COHORT, accept_bound=0.65)
    run, metrics = finished(tmp_path, {name: SHARES[name] for name in networks}, applied)
    assert metrics["basis"] == ("protocol" if len(networks) == 2 else "reference")
    assert json.dumps(decide_again(run).to_metrics()) == json.dumps(metrics)


@pytest.mark.parametrize("accept", [None, 0.65])
@pytest.mark.parametrize(
    "target",
    [
        PredictedTarget(name="half_width", kind="rows", proxies=3, cohorts=4, errors={("forget_train", "sick"): 0.01}),
        PredictedTarget(name="shifted_odds", kind="rows", counterparts=("forget", "remain"), errors={}),
        PredictedTarget(name="never_trained", kind="never_trained", counterparts=("forget",), margin=0.2),
    ],
)
def test_a_predicted_target_is_judged_again(tmp_path, target, accept):
    applied = accept and AppliedProtocol(protocol=protocol(cohorts=3), cohort=COHORT, accept_bound=accept)
    proxies = {f"proxy-{i}": everywhere(binary(0.7 + 0.01 * i, 0.8)) for i in range(3)}
    run, metrics = finished(
        tmp_path, {"original": SHARES["original"], "revised": GOOD, **proxies}, applied, target=target
    )
    assert metrics["basis"] == "predicted"
    assert json.dumps(decide_again(run).to_metrics()) == json.dumps(metrics)


def test_what_the_base_bundle_declares_healthy_is_still_said(tmp_path):
    run, metrics = finished(tmp_path, SHARES, base=("sick",))
    assert "Healthy is declared as healthy; the base bundle declares sick." in metrics["decision"]["line"]
    assert json.dumps(decide_again(run).to_metrics()) == json.dumps(metrics)


def test_only_predictions_count(tmp_path):
    run, metrics = finished(tmp_path, SHARES)
    run.metrics.write_text(json.dumps({**metrics, "verdict": "different"}), encoding="utf-8")
    assert decide_again(run).verdict.value == metrics["verdict"]
    table({**SHARES, "revised": SHARES["original"]}, patients=60, eyes=2).write(run.predictions)
    assert decide_again(run).verdict.value != metrics["verdict"]


@pytest.mark.parametrize(
    "text", [None, "{", "[]", "{}", '{"decision": {"declared": {}, "predictor": {}}}', '{"decision": {}}']
)
def test_what_is_no_run_is_refused(tmp_path, text):
    run, _ = finished(tmp_path, SHARES)
    if text is None:
        run.metrics.unlink()
    else:
        run.metrics.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="expected the measurements of a run"):
        decide_again(run)


def test_a_predictor_of_the_wrong_types_is_bad_input(tmp_path):
    target = PredictedTarget(name="half_width", kind="rows", proxies=3, errors={("forget_train", "sick"): 0.01})
    proxies = {f"proxy-{i}": GOOD for i in range(3)}
    run, metrics = finished(tmp_path, {"original": SHARES["original"], "revised": GOOD, **proxies}, target=target)
    metrics["decision"]["predictor"]["proxies"] = "three"
    run.metrics.write_text(json.dumps(metrics), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"metrics\.json: expected a predicted target .*'proxies'") as caught:
        decide_again(run)
    assert caught.value.exit_code == ExitCode.BAD_INPUT
