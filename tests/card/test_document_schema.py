from __future__ import annotations

import copy

import jsonschema
import pytest
from card_example import build

from monai_unlearn.card import schema

FULL = {"forget": 90, "remain": 90}
AFTER = {"forget": 50, "remain": 88}


def diff():
    return copy.deepcopy(build(original=FULL, revised=AFTER, revised_recalibrated=AFTER, reference=AFTER))


METRICS = [row["metric"] for row in diff()["metrics"]]
ACCURACY, LOG_LOSS = METRICS.index("accuracy"), METRICS.index("log_loss")  # the first row of each metric


def changed(path, value):
    document = diff()
    target = document
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return document


def test_the_schema_is_one_and_the_difference_fits_it():
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(diff(), schema())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("base", "weights_digest"), "md5:1"),
        (("metrics", ACCURACY, "before", "value"), 1.2),
        (("metrics", ACCURACY, "after", "value"), -0.1),
        (("metrics", ACCURACY, "reference", "value"), 1.2),
        (("metrics", ACCURACY, "after_recalibrated", "value"), 1.2),
        # Every accuracy has an interval.
        (("metrics", ACCURACY, "before", "interval"), None),
        (("metrics", ACCURACY, "before", "value"), None),
        (("metrics", ACCURACY, "before", "interval"), [0.1]),
        (("metrics", ACCURACY, "before"), None),
        (("metrics", ACCURACY, "verdict"), "improved"),
        (("verdict",), "accepted"),
        (("advice", "action"), "deploy"),
        (("basis",), "luck"),
        (("decision", "endpoints", 0, "status"), "fine"),
        (("decision", "endpoints", 0, "s_R"), -0.1),
        (("decision", "declared", "objective"), "forget"),
        (("decision", "line"), None),
        (("metrics", ACCURACY, "key"), "loss"),
        (("metrics", ACCURACY, "part"), "undetermined"),
        (("metrics", ACCURACY, "split"), "tests"),
        (("metrics", ACCURACY, "metric"), "loss"),
        # The key names the metric.
        (("metrics", ACCURACY, "metric"), "log_loss"),
        (("metrics", LOG_LOSS, "before", "value"), -0.1),
        (("surprise",), 1),
        (("accepted",), True),
    ],
)
def test_refuses(path, value):
    with pytest.raises(
        jsonschema.ValidationError, match=r"is not|does not match|Additional|valid under|too short|less than"
    ):
        jsonschema.validate(changed(path, value), schema())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("metrics", LOG_LOSS, "before", "value"), 12.5),
        (("metrics", LOG_LOSS, "before", "interval"), None),
        (("metrics", ACCURACY, "reference"), None),
        (("metrics", ACCURACY, "before"), {"value": None, "interval": None}),
    ],
)
def test_takes(path, value):
    jsonschema.validate(changed(path, value), schema())
