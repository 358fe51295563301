"""Of the remain part, a run decodes what its steps draw and a sample; a sample stands in all its evidence as one."""

from __future__ import annotations

import json
from collections import Counter
from unittest import mock

import pandas as pd
import pytest
from bundle_run import PLAIN, unlearn
from decision_example import decision
from tiny import tiny_index, tiny_spec, write_images

from monai_unlearn.data import LoadImage2Dd
from monai_unlearn.engine import remain_sample
from monai_unlearn.engine.remain_sample import REMAIN_TRAIN, RemainSample
from monai_unlearn.methods import chosen_rows

STEPS = {"phases": [], "steps": 2, "stop": {}, "remain_batch_size": 4, "batch_size": 4}


def test_a_small_part_is_used_whole():
    images = list(range(10))
    sample = RemainSample.draw(images, seed=3)
    assert sample.images is images
    assert sample.rows == tuple(range(10))
    assert sample.judged({REMAIN_TRAIN: images}, decision()) == ({REMAIN_TRAIN: images}, {})


def test_the_seed_chooses_the_sample(monkeypatch):
    monkeypatch.setattr(remain_sample, "SAMPLED", 40)
    images = list(range(1000))
    one, again, other = (RemainSample.draw(images, seed=seed) for seed in (0, 0, 1))
    assert one.rows == again.rows != other.rows
    assert [one.images[place] for place in range(40)] == list(one.rows) == sorted(one.rows)
    assert one.document() == {"images": 40, "of": 1000, "seed": 0}
    # No part of the archive is left out: the halves are sampled alike.
    assert 10 < sum(row < 500 for row in one.rows) < 30


def test_what_an_endpoint_is_about_is_judged_whole(monkeypatch):
    monkeypatch.setattr(remain_sample, "SAMPLED", 40)
    images = list(range(1000))
    sample = RemainSample.draw(images, seed=0)
    declared = decision(endpoints=[{"subset": "forget_test"}, {"subset": "remain_train"}])
    assert sample.judged({REMAIN_TRAIN: images}, declared) == ({REMAIN_TRAIN: images}, {})
    evaluated, rows = sample.judged({REMAIN_TRAIN: images}, decision())
    assert (len(evaluated[REMAIN_TRAIN]), len(rows[REMAIN_TRAIN])) == (40, 40)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A remain part of which a short run draws few images, and the original for it."""
    folder = tmp_path_factory.mktemp("archive")
    tiny_index(folder, frame=write_images(folder / "images", patients=120))
    return folder, tiny_spec(folder)


@pytest.fixture(scope="module")
def short(archive, tiny):
    """A short run on the archive, and how often each image was decoded."""
    folder, spec = archive
    opened: Counter[str] = Counter()

    def counted(self, item):
        opened[item["image_id"]] += 1
        return decode(self, item)

    decode = LoadImage2Dd.__call__
    with (
        mock.patch.object(remain_sample, "SAMPLED", 16),
        mock.patch.object(LoadImage2Dd, "__call__", counted),
    ):
        workflow = unlearn(
            **{**PLAIN, **STEPS},
            checkpoint=str(tiny.checkpoint),
            index_dir=str(folder / "index"),
            cohort_spec=str(spec),
            output_dir=str(folder / "out"),
            decision={"healthy_classes": []},
        )
    return workflow.parser.get_parsed_content("revision"), opened, folder / "out" / "evidence"


def sampled(remain):
    """The images that the run's seed chooses, in the order of the remain part."""
    return [remain[row] for row in sorted(chosen_rows(len(remain), 16, 0).tolist())]


def test_an_image_that_is_neither_drawn_nor_in_the_sample_is_never_decoded(short):
    revision, opened, _ = short
    remain = [item["image_id"] for item in revision.data.items(["remain"], "train")]
    drawn = {remain[row] for step in range(2) for row in revision.trainer.loader.rows(step, "remain")}
    sample = set(sampled(remain))
    assert len(sample) == 16
    assert drawn - sample
    assert len(remain) > 3 * len(drawn | sample)
    assert {image for image in opened if image in set(remain)} == drawn | sample
    assert set(opened.values()) == {1}


def test_metrics_and_card_say_how_many_of_the_images_were_evaluated(short):
    _, _, evidence = short
    metrics = json.loads((evidence / "metrics.json").read_text(encoding="utf-8"))
    total = metrics["counts"]["remain"]["train"]
    assert metrics["samples"] == {"remain_train": {"images": 16, "of": total, "seed": 0}}
    for parts in metrics["models"].values():
        assert parts["remain"]["train"]["n"] == 16
    note = f"Of {total:,} remain training images, 16, which the seed 0 chose, are evaluated"
    assert any(line.startswith(note) for line in metrics["warnings"])
    assert note in (evidence / "model_card_diff.md").read_text(encoding="utf-8")


def test_predictions_are_those_of_the_images_in_the_sample(short):
    revision, _, evidence = short
    table = pd.read_parquet(evidence / "predictions.parquet")
    rows = table[(table["part"] == "remain") & (table["split"] == "train")]
    remain = [item["image_id"] for item in revision.data.items(["remain"], "train")]
    assert rows["image_id"].tolist() == sampled(remain)


def test_on_a_small_cohort_nothing_is_a_sample(tiny, tmp_path):
    tiny.unlearn(tmp_path / "out", **STEPS)
    metrics = json.loads((tmp_path / "out" / "evidence" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["samples"] == {}
