from __future__ import annotations

import copy

import pytest
import yaml
from card_example import rich

from monai_unlearn.card.hugging_face import slug, to_hugging_face

DIFF = rich()


def front(diff):
    return yaml.safe_load(to_hugging_face(diff))


def test_the_front_matter_has_base_model_and_model_index():
    found = front(DIFF)
    assert (found["base_model"], found["base_model_relation"]) == ("some", "finetune")
    results = found["model-index"][0]["results"]
    assert [one["dataset"]["split"] for one in results] == ["test", "test"]
    metrics = {one["name"]: one for one in results[0]["metrics"]}
    assert metrics["accuracy/remain/test/all"] == {
        "type": "accuracy",
        "value": 0.88,
        "name": "accuracy/remain/test/all",
    }


def test_the_hub_reads_it():
    repocard = pytest.importorskip("huggingface_hub.repocard_data", reason="huggingface_hub is missing")
    name, results = repocard.model_index_to_eval_results(front(DIFF)["model-index"])
    assert name == "Some 1.1.0"
    assert {one.metric_type for one in results} >= {"accuracy", "sensitivity"}


def test_a_hostile_name_stays_a_name():
    diff = copy.deepcopy(DIFF)
    diff["base"]["name"] = "a\n---\nb: {x}"
    assert front(diff)["base_model"] == "a-b-x"
    assert "\n---" not in to_hugging_face(diff)
    assert slug("…") == "model"
