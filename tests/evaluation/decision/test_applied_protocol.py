from __future__ import annotations

import pytest
from decision_example import frame
from protocol_example import protocol

from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation.decision.applied_protocol import DEFAULT_BOUND, AppliedProtocol, CohortFacts
from monai_unlearn.evaluation.prediction_table import Network, PredictionTable

INSIDE = CohortFacts(reason="device_deprecation", patients=200, share=0.4, classes=("healthy", "sick"))


def facts_of(patients, *, eyes=2, counts=None):
    images = frame(patients, eyes=eyes)
    networks = (Network(name="original", role="original"), Network(name="revised", role="revised"))
    logits = {one.name: [[0.0, 0.0]] * len(images) for one in networks}
    found = PredictionTable(frame=images, class_names=("healthy", "sick"), networks=networks, logits=logits)
    return CohortFacts.of(found, reason="other", counts=counts)


def test_facts_are_about_training_images():
    found = facts_of(
        {
            "forget_train": {"sick": 10},
            "forget_test": {"sick": 50},
            "remain_train": {"sick": 20, "healthy": 10},
            "undetermined_train": {"healthy": 99},
        }
    )
    assert found == CohortFacts(reason="other", patients=10, share=0.25, classes=("sick",))


def test_the_share_is_that_of_all_images_where_the_table_has_a_sample_of_them():
    sampled = {"forget_train": {"sick": 10}, "remain_train": {"sick": 20}}
    assert facts_of(sampled).share == pytest.approx(1 / 3)
    found = facts_of(sampled, counts={"forget": {"train": 20, "test": 7}, "remain": {"train": 1980}})
    assert (found.share, found.patients) == (0.01, 10)


def test_without_training_images_there_is_no_share():
    assert facts_of({"forget_test": {"sick": 1}, "remain_test": {"healthy": 1}}).share == 0


def test_inside_nothing_is_said():
    assert INSIDE.outside(protocol()) == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"reason": "label_error"}, "the reason device_deprecation; the cohort's is label_error"),
        ({"patients": 99}, "100 to 500 patients to train on; the cohort has 99"),
        ({"patients": 501}, "the cohort has 501"),
        ({"share": 0.19}, "20.0 to 60.0 % of the training images; the cohort is 19.0 %"),
        ({"share": 0.61}, "the cohort is 61.0 %"),
        ({"classes": ("sick",)}, "the classes healthy, sick; the cohort has sick"),
        ({"classes": ("healthy", "sick", "sicker")}, "the cohort has healthy, sick, sicker"),
    ],
)
def test_outside_it_says_in_what(changed, message):
    from dataclasses import replace

    (said,) = replace(INSIDE, **changed).outside(protocol())
    assert message in said


@pytest.mark.parametrize(
    ("cohorts", "equivalent", "accept", "accepted"),
    [
        (10, 10, None, True),
        (9, 9, None, False),
        (10, 9, None, False),
        (59, 58, None, True),
        (3, 3, 0.62, False),
        (3, 3, 0.63, True),
        (3, 3, 0.65, True),
        (10, 10, 0.1, False),
        (4, 0, 1.0, False),
    ],
)
def test_a_bound_is_accepted_up_to_that_of_ten_cohorts(cohorts, equivalent, accept, accepted):
    given = protocol(cohorts=cohorts, equivalent=equivalent)
    applied = AppliedProtocol(protocol=given, cohort=INSIDE, accept_bound=accept)
    assert applied.is_accepted is accepted
    assert bool(applied.notes()) is (accept is not None and accept > DEFAULT_BOUND)


def test_a_bound_that_was_rounded_down_does_not_count():
    given = protocol(cohorts=10)
    lower = given.model_copy(update={"rehearsal": given.rehearsal.model_copy(update={"bound": 0.255})})
    assert not AppliedProtocol(protocol=lower, cohort=INSIDE, accept_bound=0.256).is_accepted


@pytest.mark.parametrize("value", [0, 1.2, -1, "0.3", True])
def test_an_accepted_bound_is_a_share(value):
    with pytest.raises(ConfigError, match="accept_bound: expected a share above 0 and at most 1"):
        AppliedProtocol(protocol=protocol(), cohort=INSIDE, accept_bound=value)


def test_what_is_kept_reads_back():
    applied = AppliedProtocol(protocol=protocol(cohorts=3), cohort=INSIDE, accept_bound=0.7)
    assert AppliedProtocol.from_dict(applied.to_dict(), source="metrics.json") == applied
