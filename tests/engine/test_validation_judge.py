from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from tiny import tiny_index, tiny_spec
from torch import nn

from monai_unlearn.data import open_data
from monai_unlearn.engine.validation_judge import ValidationJudge
from monai_unlearn.evaluation import recalibrated
from monai_unlearn.evaluation.objective import ERASURE_FORMULA, FORMULA

DEVICE = torch.device("cpu")


class Images(list):
    """Images that may be looked at."""


class Hidden(Images):
    """Images that must not be."""

    def __getitem__(self, _place):
        raise AssertionError("only validation images are looked at")


def network(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2), nn.AdaptiveAvgPool2d(1), nn.Flatten())


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("judge")
    tiny_index(folder)
    split = {"seed": 0, "test_fraction": 0.2, "validation_fraction": 0.4}
    return open_data(index_dir=folder / "index", cohort_spec=tiny_spec(folder), class_names=("up", "down"), split=split)


def subsets(data):
    generator = torch.Generator().manual_seed(0)
    found = {}
    for part in ("forget", "remain"):
        for split in ("train", "validation", "test"):
            kind = Images if split == "validation" else Hidden
            items = [{**item, "image": torch.randn(3, 8, 8, generator=generator)} for item in data.items([part], split)]
            found[part, split] = kind(items)
    return found


def remain_images(count=70):
    return [{"image": torch.randn(3, 8, 8)} for _ in range(count)]


def judge(data, **settings):
    references = [SimpleNamespace(network=network(seed).eval(), seed=seed, record={"seed": seed}) for seed in (2, 3)]
    given = {"references": references, "erases": False, "remain": None, **settings}
    return ValidationJudge(data=data, subsets=subsets(data), original=network(0).eval(), device=DEVICE, seed=0, **given)


def independently(data, found, references):
    """One image after another: means over patients of each class, then the loss on remain images."""
    images = subsets(data)
    softmax = {id(one): {} for one in (found, *references)}
    for one in (found, *references):
        for item in (*images["forget", "validation"], *images["remain", "validation"]):
            with torch.no_grad():
                softmax[id(one)][item["image_id"]] = one.eval()(item["image"][None])[0].double().softmax(0)
    patients = dict(zip(data.frame["image_id"], data.frame["patient"], strict=True))
    gaps = []
    for label in (0, 1):
        items = [item for item in images["forget", "validation"] if item["label"] == label]
        if not items:
            continue

        def mean(one, items=items):
            of = {}
            for item in items:
                of.setdefault(patients[item["image_id"]], []).append(softmax[id(one)][item["image_id"]])
            return torch.stack([torch.stack(rows).mean(0) for rows in of.values()]).mean(0)

        target = torch.stack([mean(one) for one in references]).mean(0)
        gaps.append(float((mean(found) - target).abs().sum() / 2))
    losses = [-softmax[id(found)][item["image_id"]][item["label"]].log() for item in images["remain", "validation"]]
    return sum(gaps) / len(gaps) + float(torch.stack(losses).mean())


def test_it_is_the_objective_of_experiments_on_validation_images_alone(data):
    found = judge(data)
    references = [network(seed).eval() for seed in (2, 3)]
    assert found(network(5)) == pytest.approx(independently(data, network(5), references), rel=1e-5)
    assert found.formula == FORMULA


def test_batch_norm_is_recalibrated_before_anything_is_judged(data):
    torch.manual_seed(7)
    remain = remain_images()
    fresh = recalibrated(network(5), remain, seed=0, max_images=1024)
    assert judge(data, remain=remain)(network(5)) == pytest.approx(judge(data)(fresh), rel=1e-6)
    assert judge(data)(fresh) != pytest.approx(judge(data)(network(5)), rel=1e-3)


def test_retrained_networks_are_passed_once_and_all_passes_count(data):
    found = judge(data, remain=remain_images())
    images = sum(len(one) for name, one in subsets(data).items() if name[1] == "validation")
    for _ in range(2):
        found(network(5))
    # The original and two references once; the candidate twice, with 64 of 70 images to recalibrate with.
    assert found.images_passed == 3 * images + 2 * (images + 64)


def test_erasure_needs_no_retrained_network(data):
    found = judge(data, erases=True, references=())
    assert (found.formula, found(network(5)) > 0) == (ERASURE_FORMULA, True)
