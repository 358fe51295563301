from __future__ import annotations

from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from decision_example import CLASSES, SUBSETS, binary, decision, everywhere, table
from protocol_example import COHORT, protocol

from monai_unlearn.evaluation.decision import decide, schema
from monai_unlearn.evaluation.decision.applied_protocol import AppliedProtocol
from monai_unlearn.evaluation.decision.evidence import gather
from monai_unlearn.evaluation.decision.predicted import predicted_rows
from monai_unlearn.evaluation.decision.target import PredictedTarget

ORIGINAL = everywhere(binary(0.95, 0.94), forget_train=binary(0.99, 0.99))


def forgot(train=0.75, test=0.78, remain=(0.95, 0.94)):
    return everywhere(binary(*remain), forget_train=binary(train, train), forget_test=binary(test, test))


GOOD = forgot()
ERRORS = {(subset, label): 0.02 for subset in ("forget_train", "forget_test") for label in CLASSES}
TARGET = PredictedTarget(name="half_width", kind="rows", proxies=3, cohorts=10, errors=ERRORS)
# Proxies are smaller networks: worse on remain, which is nothing to hold a revision against.
PROXIES = [forgot(0.74, 0.77, (0.85, 0.85)), forgot(0.75, 0.78, (0.84, 0.85)), forgot(0.76, 0.79, (0.85, 0.84))]


def predictions(revised=GOOD, proxies=PROXIES, patients=400, original=ORIGINAL, **others):
    named = {f"proxy-{i}": one for i, one in enumerate(proxies)}
    return table({"original": original, "revised": revised, **named, **others}, patients=patients)


def judged(revised=GOOD, target=TARGET, proxies=PROXIES, patients=400, config=None, **others):
    return decide(decision(**(config or {})), predictions(revised, proxies, patients, **others), target=target)


def errors(of):
    return replace(TARGET, errors=dict.fromkeys(ERRORS, of))


def test_a_run_that_meets_the_prediction_is_qualified():
    outcome = judged()
    assert (outcome.verdict, outcome.basis, outcome.exit_code) == ("qualified", "predicted", 0)
    assert "half_width (3 proxies); its error on 10 rehearsal cohorts was up to 2.0 points" in outcome.line
    assert "no worse than under the original" in outcome.why[0]
    jsonschema.validate(outcome.to_dict(), schema())


def test_intervals_are_widened_by_the_error_of_their_class():
    plain = {(one.subset, one.label): one for one in judged(target=errors(0.0)).comparisons if not one.is_guard}
    wide = [one for one in judged().comparisons if not one.is_guard and one.error is not None]
    assert {(one.subset, one.label) for one in wide} == set(ERRORS)
    for one in wide:
        before = plain[one.subset, one.label]
        assert (one.low, one.high) == pytest.approx((before.low - 0.02, before.high + 0.02))
        assert one.to_dict()["error"] == 0.02


def test_an_error_beyond_the_margin_is_inconclusive():
    outcome = judged(target=errors(0.11))
    assert outcome.verdict == "inconclusive"
    assert any(
        "the measured error of the prediction, 11.0 points, exceeds the margin, 10" in why for why in outcome.why
    )
    one = replace(TARGET, errors={**ERRORS, ("forget_test", "sick"): 0.11})
    assert judged(target=one).verdict == "inconclusive"


def test_an_error_within_the_margin_narrows_what_qualifies():
    near = forgot(0.80, 0.78)
    assert judged(near, target=errors(0.0)).verdict == "qualified"
    assert judged(near, target=errors(0.06)).verdict == "inconclusive"


def test_an_error_that_was_not_measured_is_no_error_of_zero():
    outcome = judged(target=replace(TARGET, errors={}))
    assert outcome.verdict == "inconclusive"
    assert any("error of half_width was not measured" in why for why in outcome.why)


def test_nothing_but_mean_probabilities_is_predicted():
    endpoints = [{"subset": "forget_train", "measure": "sensitivity"}, {"subset": "remain_test"}]
    assert judged(config={"endpoints": endpoints}).verdict == "inconclusive"


@pytest.mark.parametrize("proxies", [0, 1, 2])
def test_fewer_than_three_proxies_predict_nothing(proxies):
    assert judged(proxies=PROXIES[:proxies]).verdict == "inconclusive"


def test_the_same_proxy_given_twice_counts_once():
    found = predictions()
    same = {**found.logits, "proxy-1": found.logits["proxy-0"]}
    assert decide(decision(), replace(found, logits=same), target=TARGET).verdict == "inconclusive"


def test_proxies_that_disagree_predict_nothing():
    apart = [forgot(0.6), forgot(0.75), forgot(0.9)]
    assert judged(proxies=apart, target=errors(0.0)).verdict == "inconclusive"


@pytest.mark.parametrize("error", [0.0, 0.02, 0.3, 0.9])
@pytest.mark.parametrize("margin", [0.1, 0.5])
def test_a_no_op_is_never_qualified(error, margin):
    endpoints = [
        {"subset": "forget_train", "margin": margin},
        {"subset": "forget_test", "margin": margin},
        {"subset": "remain_test", "margin": margin},
    ]
    outcome = judged(ORIGINAL, target=errors(error), config={"endpoints": endpoints})
    assert outcome.verdict == "inconclusive"
    found = predictions()
    exact = replace(found, logits={**found.logits, "revised": found.logits["original"]})
    assert decide(decision(endpoints=endpoints), exact, target=errors(error)).verdict == "inconclusive"


def test_where_the_original_meets_the_prediction_nothing_is_shown():
    original = everywhere(binary(0.95, 0.94), forget_train=binary(0.76, 0.76), forget_test=binary(0.79, 0.79))
    outcome = judged(original=original)
    assert outcome.verdict == "inconclusive"
    assert "The original itself meets what half_width predicts" in outcome.why[0]


def test_remain_is_held_against_the_original():
    outcome = judged(forgot(remain=(0.95, 0.85)))
    assert outcome.verdict == "inconclusive"
    assert any(why.startswith("Not shown to be kept: remain test, class sick") for why in outcome.why)


def test_few_patients_qualify_nothing():
    few = {**{subset: dict.fromkeys(CLASSES, 400) for subset in SUBSETS}, "forget_test": {"healthy": 400, "sick": 12}}
    outcome = judged(patients=few)
    assert outcome.verdict == "inconclusive"
    assert any("12 patients are too few" in why for why in outcome.why)
    assert any(one.label == "sick" and one.has == 12 for one in outcome.needs)


def test_an_artefact_of_batchnorm_is_no_forgetting():
    outcome = judged(revised_recalibrated=ORIGINAL)
    assert outcome.verdict == "inconclusive"
    assert "artefact of BatchNorm statistics" in outcome.why[0]


@pytest.mark.parametrize("network", ["original", "revised", "proxy-1"])
def test_outputs_that_are_not_finite_qualify_nothing(network):
    found = predictions()
    logits = {name: values.copy() for name, values in found.logits.items()}
    logits[network][7] = np.nan
    assert decide(decision(), replace(found, logits=logits), target=TARGET).verdict == "inconclusive"


def test_retrained_networks_decide_where_there_are_any():
    references = {f"reference-{i}": forgot(0.5, 0.5) for i in range(3)}
    outcome = decide(decision(), predictions(**references), target=TARGET)
    assert (outcome.verdict, outcome.basis) == ("different", "reference")
    one = decide(decision(), predictions(**{"reference-1": GOOD}), target=TARGET)
    assert one.verdict == "target_undetermined"


def test_a_prediction_shows_no_difference():
    outcome = judged(forgot(0.2, 0.2))
    assert outcome.verdict == "inconclusive"
    assert any(why.startswith("Not shown to be as predicted") for why in outcome.why)


SHIFTED = PredictedTarget(
    name="shifted_odds", kind="rows", counterparts=("forget", "remain"), cohorts=10, errors=ERRORS
)


def counts(**subsets):
    return {subset: dict.fromkeys(CLASSES, 300) for subset in SUBSETS} | subsets


def test_of_shifted_odds_training_images_are_held_against_never_trained_ones():
    """The fixed proxy still knows the forget training images; what it says of never-trained ones is the target."""
    proxy = everywhere(binary(0.75, 0.75), forget_train=binary(0.99, 0.99))
    assert judged(forgot(0.75, 0.75), target=SHIFTED, proxies=[proxy]).verdict == "qualified"
    assert judged(forgot(0.99, 0.75), target=SHIFTED, proxies=[proxy]).verdict == "inconclusive"
    # Where only the forget part is alike, remain does not count.
    other = everywhere(binary(0.75, 0.75), remain_test=binary(0.3, 0.3))
    own = replace(SHIFTED, counterparts=("forget",))
    assert judged(forgot(0.75, 0.75), target=own, proxies=[other]).verdict == "qualified"
    assert judged(forgot(0.75, 0.75), target=SHIFTED, proxies=[other]).verdict == "inconclusive"


def test_without_counterparts_nothing_is_predicted():
    proxy = everywhere(binary(0.75, 0.75))
    missing = counts(forget_test={"healthy": 300}, remain_test={"healthy": 300})
    outcome = judged(forgot(0.75, 0.75), target=SHIFTED, proxies=[proxy], patients=missing)
    assert outcome.verdict == "inconclusive"
    assert any("no never-trained images of the class" in why for why in outcome.why)


def test_rows_say_how_far_a_prediction_was_off():
    references = {f"reference-{i}": forgot(share, 0.78) for i, share in enumerate((0.70, 0.71, 0.72))}
    found = predictions(**references)
    rows = predicted_rows(decision(), gather(found), target=TARGET)
    assert [(one["subset"], one["class"]) for one in rows] == [
        (subset, label) for subset in ("forget_train", "forget_test") for label in CLASSES
    ]
    images = (found.frame["part"] == "forget") & (found.frame["split"] == "train") & (found.frame["label"] == "sick")
    said = np.mean([found.probabilities(f"proxy-{i}")[images, 1].mean() for i in range(3)])
    truth = np.mean([found.probabilities(f"reference-{i}")[images, 1].mean() for i in range(3)])
    assert (rows[1]["predicted"], rows[1]["retrained"]) == pytest.approx((said, truth))
    assert rows[1]["error"] == pytest.approx(abs(said - truth))
    assert predicted_rows(decision(), gather(predictions()), TARGET) == []


def test_the_error_is_the_largest_of_the_row():
    names = ("a", "b", "c")
    truth = everywhere({"a": [0.6, 0.4, 0.0], "b": [0.1, 0.8, 0.1], "c": [0.1, 0.1, 0.8]})
    said = everywhere({"a": [0.6, 0.1, 0.3], "b": [0.1, 0.8, 0.1], "c": [0.1, 0.1, 0.8]})
    found = table(
        {"original": truth, "revised": truth, **{f"reference-{i}": truth for i in range(3)}, "proxy-0": said},
        class_names=names,
    )
    rows = predicted_rows(decision(names), gather(found), replace(TARGET, proxies=1))
    assert rows[0]["predicted"] == pytest.approx(rows[0]["retrained"])
    assert rows[0]["error"] == pytest.approx(0.3 * (0.97 - 0.015), abs=0.01)


NAMES = ("forget_train", "forget_test")


def on_the_way(share, *, patients=1500, before=0.99, after=0.75, config=None, error=0.0):
    """Networks of one probability each: the original, proxies, and a revised one that went so much of the way."""
    found = predictions(patients=patients)
    forget = (found.frame["part"] == "forget").to_numpy()
    own = (found.frame["label"] == "sick").to_numpy()
    rng = np.random.default_rng(0)
    spread = rng.normal(0, 0.02, len(forget))
    logits = {}
    for name in found.logits:
        at = {"original": before, "revised": before + share * (after - before)}.get(name, after)
        p = np.clip(at + spread, 0.01, 0.995)
        pair = np.log(np.where(own[:, None], np.stack([1 - p, p], 1), np.stack([p, 1 - p], 1)))
        logits[name] = np.where(forget[:, None], pair, found.logits["original"])
        if name.startswith("proxy"):
            logits[name] = logits[name] + rng.normal(0, 1e-3, logits[name].shape)
    return decide(decision(**(config or {})), replace(found, logits=logits), target=errors(error))


def test_half_of_the_way_must_be_gone_where_the_original_is_beyond_the_margin():
    """The original is 11 points from what is predicted, the margin 10: 15 % of the way is inside and yet hardly any."""
    outcome = on_the_way(0.15, before=0.86)
    assert not any(one.blocks for one in outcome.comparisons)
    assert outcome.verdict == "inconclusive"
    assert any("forget train, class sick: of 11.0 points" in why and "15 % are gone" in why for why in outcome.why)
    assert on_the_way(0.45, before=0.86).verdict == "inconclusive"
    assert on_the_way(0.6, before=0.86).verdict == "qualified"


def test_one_class_may_not_stay_behind():
    half_way = everywhere(binary(0.95, 0.94), forget_train=binary(0.75, 0.88), forget_test=binary(0.78, 0.86))
    wide = [{"subset": name, "margin": 0.2} for name in NAMES] + [{"subset": "remain_test"}]
    outcome = judged(half_way, config={"endpoints": wide})
    assert not any(one.blocks for one in outcome.comparisons)
    assert outcome.verdict == "inconclusive"
    assert all("class sick" in why for why in outcome.why)


def test_a_network_that_hardly_moved_is_not_qualified_where_nothing_else_objects():
    """The original's intervals reach a little beyond the margin; those of a network that hardly left it lie inside."""
    before = 0.75 + 0.0995
    original = on_the_way(0.0, before=before)
    assert any(one.blocks for one in original.comparisons)
    outcome = on_the_way(0.05, before=before)
    assert not any(one.blocks for one in outcome.comparisons)
    assert outcome.verdict == "inconclusive"
    assert len(outcome.why) == 1
    assert "predicts the forget part as the original does" in outcome.why[0]
    assert on_the_way(0.6, before=before).verdict == "qualified"


def test_a_shaken_original_is_not_qualified():
    found = predictions(GOOD)
    noise = np.random.default_rng(0).normal(0, 0.8, found.logits["original"].shape)
    shaken = replace(found, logits={**found.logits, "revised": found.logits["original"] + noise})
    wide = [{"subset": name, "margin": 0.4} for name in NAMES] + [{"subset": "remain_test", "margin": 0.3}]
    outcome = decide(decision(endpoints=wide), shaken, target=errors(0.0))
    assert outcome.verdict == "inconclusive"
    assert any("does not move toward half_width" in why for why in outcome.why)


@pytest.mark.parametrize("cohorts", [0, 1, 9])
def test_an_error_that_was_measured_on_few_cohorts_qualifies_only_where_its_bound_is_accepted(cohorts):
    outcome = judged(target=replace(TARGET, cohorts=cohorts))
    assert outcome.verdict == "inconclusive"
    assert any(f"measured on {cohorts} rehearsal cohorts" in why for why in outcome.why)
    assert ("cohorts", cohorts, 10) in {(one.what, one.has, one.needs) for one in outcome.needs}


def test_a_bound_that_is_accepted_counts_for_predictors_as_for_protocols():
    few = replace(TARGET, cohorts=3)
    for accept, verdict in ((None, "inconclusive"), (0.6, "inconclusive"), (0.64, "qualified")):
        applied = AppliedProtocol(protocol=protocol(cohorts=3), cohort=COHORT, accept_bound=accept)
        outcome = decide(decision(), predictions(), applied, target=few)
        assert outcome.verdict == verdict
        assert outcome.protocol["accept_bound"] == accept
        assert any("accepts a bound" in note for note in outcome.notes) is (accept is not None)
        jsonschema.validate(outcome.to_dict(), schema())
