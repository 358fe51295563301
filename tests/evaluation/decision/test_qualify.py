from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from decision_example import SUBSETS, binary, decision, everywhere, table
from protocol_example import MOVES, applied, content, protocol, ranges

from monai_unlearn.evaluation.decision import decide
from monai_unlearn.evaluation.decision.protocol import Protocol
from monai_unlearn.evaluation.decision.still_forgotten import with_earlier

ORIGINAL = everywhere(binary(0.95, 0.94))
FORGOT = {"forget_train": binary(0.75, 0.72), "forget_test": binary(0.76, 0.75)}
REVISED = everywhere(binary(0.95, 0.94), **FORGOT)
PATIENTS = {subset: {"healthy": 150, "sick": 150} for subset in SUBSETS}


def judged(
    revised=REVISED,
    *,
    rehearsed=None,
    patients=PATIENTS,
    reason="device_deprecation",
    accept=None,
    stable=0.9,
    **others,
):
    made = table({"original": ORIGINAL, "revised": revised, **others}, patients=patients, stable=stable)
    return decide(decision(), made, applied(made, given=rehearsed, accept=accept, reason=reason))


def rehearsed(**changed):
    """The example's protocol with other values within its rehearsal."""
    given = content()
    given["rehearsal"] |= changed
    return Protocol.from_dict(given, source="p")


def test_a_run_like_the_rehearsal_is_qualified_and_the_bound_stands_in_its_line():
    outcome = judged()
    assert (outcome.verdict, outcome.basis, outcome.exit_code) == ("qualified", "protocol", 0), outcome.why
    assert outcome.line == (
        "qualified: by a rehearsed protocol (10 of 10 rehearsal cohorts equivalent, 95 % upper bound of failure 26 %)."
    )
    assert outcome.needs == ()
    assert "each of its 4 classes and subsets moved as there" in outcome.why[0]


@pytest.mark.parametrize("revised", [ORIGINAL, everywhere(binary(0.94, 0.93))])
def test_a_no_op_is_never_qualified(revised):
    wide = ranges(dict.fromkeys(MOVES, (-1.0, 1.0)))
    for given in (protocol(), rehearsed(ranges=wide), rehearsed(ranges=wide, least_moved=0.02)):
        outcome = judged(revised, rehearsed=given, stable=1.0)
        assert (outcome.verdict, outcome.exit_code) == ("inconclusive", 3)
        assert any("in the rehearsal the least revised one differed by" in why for why in outcome.why)


def test_a_no_op_is_not_qualified_even_where_the_rehearsal_shows_nothing_of_it():
    outcome = judged(ORIGINAL, rehearsed=rehearsed(least_moved=0.0), stable=1.0)
    assert outcome.verdict == "inconclusive"


@pytest.mark.parametrize(
    ("revised", "said"),
    [
        (
            everywhere(binary(0.95, 0.94), **{**FORGOT, "forget_train": binary(0.5, 0.72)}),
            "forget train, class healthy",
        ),
        (everywhere(binary(0.95, 0.94), **{**FORGOT, "forget_test": binary(0.76, 0.94)}), "forget test, class sick"),
    ],
)
def test_one_class_outside_the_range_of_the_rehearsal_is_enough(revised, said):
    outcome = judged(everywhere(binary(0.95, 0.94), **{**FORGOT, **revised}))
    assert outcome.verdict == "inconclusive"
    # Its mean probability, what its images are classified as, how many patients moved, and by how much.
    assert len(outcome.why) == 4
    assert all(why.startswith(said) for why in outcome.why)


@pytest.mark.parametrize("remain", [binary(0.95, 0.8), binary(0.8, 0.94), binary(0.9, 0.9)])
def test_remain_must_be_shown_to_be_kept(remain):
    outcome = judged(everywhere(remain, **FORGOT))
    assert outcome.verdict == "inconclusive"
    assert outcome.why[0] == "Remain is not shown to be as good as under the original."


def test_probabilities_on_remain_may_move_as_long_as_classes_do_not_get_worse():
    better = everywhere(binary(0.99, 0.99), **FORGOT)
    assert judged(better).verdict == "qualified"


def test_few_patients_decide_nothing():
    few = {**PATIENTS, "forget_test": {"healthy": 29, "sick": 150}, "remain_test": {"healthy": 150, "sick": 20}}
    outcome = judged(patients=few)
    assert outcome.verdict == "inconclusive"
    assert any("29 patients are too few" in why for why in outcome.why)
    assert any("20 patients are too few" in why for why in outcome.why)
    asked = {(one.subset, one.label): one.needs for one in outcome.needs if one.what == "patients"}
    assert asked["forget_test", "healthy"] == 30
    assert asked["remain_test", "sick"] >= 30


def test_another_reason_is_outside_and_needs_a_protocol_or_references():
    outcome = judged(reason="consent_withdrawal")
    assert outcome.verdict == "inconclusive"
    assert outcome.why == ("It was rehearsed for the reason device_deprecation; the cohort's is consent_withdrawal.",)
    assert [one.what for one in outcome.needs] == ["protocol", "reference"]


def test_fewer_than_ten_cohorts_need_the_bound_to_be_accepted():
    outcome = judged(rehearsed=protocol(cohorts=3))
    assert (outcome.verdict, outcome.needs[0].what, outcome.needs[0].needs) == ("inconclusive", "cohorts", 10)
    assert "bounds the share of failures by 63 % only" in outcome.why[0]
    assert "Or --accept_bound 0.63, where that is good enough." in outcome.needs[0].text
    assert "accept_bound" not in judged(rehearsed=protocol(cohorts=3, equivalent=0)).needs[0].text
    accepted = judged(rehearsed=protocol(cohorts=3), accept=0.65)
    assert accepted.verdict == "qualified"
    assert "3 of 3 rehearsal cohorts equivalent, 95 % upper bound of failure 63 %" in accepted.line
    assert any("accepts a bound of failure up to 65 %" in note for note in accepted.notes)


def test_retrained_networks_decide_where_there_are_any():
    target = everywhere(binary(0.95, 0.94), forget_train=binary(0.3, 0.3), forget_test=binary(0.3, 0.3))
    outcome = judged(**{f"reference-{number}": target for number in range(3)})
    assert (outcome.verdict, outcome.basis) == ("different", "reference")
    assert outcome.protocol["ranges"] == []


def test_outputs_that_are_not_finite_are_not_qualified():
    made = table({"original": ORIGINAL, "revised": REVISED}, patients=PATIENTS)
    made.logits["revised"][0] = np.nan
    assert decide(decision(), made, applied(made)).verdict == "inconclusive"


def test_forgetting_in_batch_norm_alone_is_not_qualified():
    outcome = judged(revised_recalibrated=ORIGINAL)
    assert outcome.verdict == "inconclusive"
    assert "artefact of BatchNorm" in outcome.why[0]


EARLIER = "earlier:0.2.0_train"
FORGOTTEN_THERE = {"healthy": (0.6, 0.4), "sick": (0.4, 0.6)}


@pytest.mark.parametrize("patients", [{"healthy": 150, "sick": 150}, {"healthy": 150, "sick": 12}, {"sick": 3}])
@pytest.mark.parametrize("surer", [False, True])
def test_what_earlier_revisions_forgot_must_not_come_back_in_probability_alone(patients, surer):
    """As many images are classified correctly as before; those that are not, nearly are."""
    counts = {**PATIENTS, EARLIER: patients}
    shares = {
        name: {**rows, EARLIER: FORGOTTEN_THERE} for name, rows in {"original": ORIGINAL, "revised": REVISED}.items()
    }
    made = table(shares, patients=counts, stable=0.9)
    earlier = (made.frame["part"] == "earlier:0.2.0").to_numpy()
    own = (made.frame["label"] == "sick").to_numpy()
    near = np.log(np.where(own[:, None], [0.51, 0.49], [0.49, 0.51]))
    missed = earlier & (made.logits["original"].argmax(1) != own)
    logits = {**made.logits}
    logits["revised"] = np.where(earlier[:, None], made.logits["original"], logits["revised"])
    if surer:
        logits["revised"] = np.where(missed[:, None], near, logits["revised"])
    made = replace(made, logits=logits)
    outcome = decide(with_earlier(decision(), made), made, applied(made))
    assert outcome.verdict == ("inconclusive" if surer else "qualified"), outcome.why
    assert any("earlier:0.2.0 train" in why for why in outcome.why) is surer


def test_another_decision_than_the_rehearsed_is_not_qualified():
    made = table({"original": ORIGINAL, "revised": REVISED}, patients=PATIENTS, stable=0.9)
    lenient = decision(min_patients=29)
    outcome = decide(lenient, made, applied(made))
    assert outcome.verdict == "inconclusive"
    assert "The decision is not the one that the protocol was rehearsed with." in outcome.why


def test_the_share_is_that_of_the_data_and_not_of_a_sample_in_the_table():
    """Of a large archive, the table holds a sample of the remain training images: any cohort is a large share of it."""
    made = table({"original": ORIGINAL, "revised": REVISED}, patients=PATIENTS, stable=0.9)
    assert decide(decision(), made, applied(made)).verdict == "qualified"
    outcome = decide(decision(), made, applied(made, share=0.01))
    assert outcome.verdict == "inconclusive"
    assert outcome.why == ("Its rehearsal cohorts were 20.0 to 60.0 % of the training images; the cohort is 1.0 %.",)
    assert outcome.protocol["cohort"]["share"] == 0.01


@pytest.mark.parametrize("other", [{"patients": 299}, {"classes": ("sick", "healthy")}])
def test_predictions_of_another_cohort_are_not_qualified(other):
    made = table({"original": ORIGINAL, "revised": REVISED}, patients=PATIENTS, stable=0.9)
    outcome = decide(decision(), made, applied(made, **other))
    assert outcome.verdict == "inconclusive"
    assert "The predictions are of another forget part than that of the cohort." in outcome.why


@pytest.mark.parametrize("what", MOVES)
def test_each_thing_that_was_rehearsed_must_be_within_its_range(what):
    outcome = judged(rehearsed=rehearsed(ranges=ranges({**MOVES, what: (0.5, 0.6)})))
    assert outcome.verdict == "inconclusive"
    assert [len(outcome.why), len({one["what"] for one in outcome.protocol["ranges"] if not one["inside"]})] == [4, 1]
    absent = judged(rehearsed=rehearsed(ranges=ranges({name: one for name, one in MOVES.items() if name != what})))
    assert absent.verdict == "inconclusive"
    assert all("no rehearsal cohort shows how far this class should move" in why for why in absent.why)


def test_patients_as_before_are_not_qualified_because_others_make_up_for_them():
    """In the rehearsal every patient moved by some 20 points; here one in four moved by 80."""
    made = table({"original": ORIGINAL, "revised": ORIGINAL}, patients=PATIENTS, stable=1.0)
    forget = (made.frame["part"] == "forget").to_numpy()
    shares = made.probabilities("original")

    def moved(by, chosen):
        softer = np.where(shares > 0.5, shares - by, shares + by)
        return {**made.logits, "revised": np.log(np.where((forget & chosen)[:, None], softer, shares))}

    # None of the softer ones is classified otherwise; of the others a fifth is, as it was in the rehearsal.
    given = rehearsed(ranges=ranges({**MOVES, "classified": (-0.1, 0.3), "moved": (0.9, 1.0)}))
    every = replace(made, logits=moved(0.2, np.ones(len(forget), bool)))
    assert decide(decision(), every, applied(every, given=given)).verdict == "qualified"
    some = replace(made, logits=moved(0.8, np.arange(len(forget)) % 4 == 0))
    outcome = decide(decision(), some, applied(some, given=given))
    assert outcome.verdict == "inconclusive"
    assert all(
        "of its patients moved by 5 points or more, in the rehearsal 90.0 to 100.0 %" in why for why in outcome.why
    )


def test_diseases_that_are_called_healthy_more_often_than_in_the_rehearsal_are_not_qualified():
    """The mean probability of the disease moved as it should; images near the boundary crossed it."""
    made = table({"original": ORIGINAL, "revised": REVISED}, patients=PATIENTS, stable=1.0)
    sick = ((made.frame["part"] == "forget") & (made.frame["label"] == "sick")).to_numpy()
    assert decide(decision(), made, applied(made)).verdict == "qualified"
    probability = np.where(np.arange(len(sick)) % 2, 0.49, 0.97)
    logits = np.where(sick[:, None], np.log(np.stack([1 - probability, probability], 1)), made.logits["revised"])
    made = replace(made, logits={**made.logits, "revised": logits})
    outcome = decide(decision(), made, applied(made))
    assert outcome.verdict == "inconclusive"
    assert "forget test, class sick: the share of its images classified as healthy moved by" in " ".join(outcome.why)
