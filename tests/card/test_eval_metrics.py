from __future__ import annotations

from card_example import build

from monai_unlearn.card.eval_metrics import eval_metrics

FULL, AFTER = {"forget": 90, "remain": 90}, {"forget": 50, "remain": 88}


def test_the_figures_are_those_of_the_revised_model_on_images_to_come():
    found = eval_metrics(build(original=FULL, revised=AFTER))
    assert (found["accuracy"], found["forget_accuracy"]) == (0.88, 0.5)
    assert found["false_negatives"] + found["sensitivity"] == 1


def test_what_has_no_value_is_left_out():
    diff = build(original=FULL, revised=AFTER)
    for row in diff["metrics"]:
        if row["metric"] in ("auroc", "accuracy"):
            row["after"] = {"value": None, "interval": None}
    found = eval_metrics(diff)
    assert not {"auroc", "accuracy", "forget_accuracy"} & set(found)
    assert all(isinstance(value, float) for value in found.values())
