from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from audit_example import audited, frame, network, retrained
from audit_networks import PlayedNetworks
from PIL import Image
from sklearn.metrics import silhouette_score

from monai_unlearn.evaluation.audits.embeddings import COLOURS, SECONDS_A_POINT, coordinates, cost, groups, measure

ROWS = frame({"forget_train": 30, "forget_test": 10, "remain_train": 40, "remain_test": 40})
LABELS = (ROWS["label"] == "sick").to_numpy().astype(int)


def features(seed):
    return np.random.default_rng(seed).normal(size=(len(ROWS), 6)) + 8 * LABELS[:, None]


def subject(plots, **settings):
    logits = {"original": network(ROWS, seed=1), "revised": network(ROWS, seed=2), **retrained(ROWS, 2)}
    networks = PlayedNetworks(of_rows={name: features(number) for number, name in enumerate(logits)})
    return audited(ROWS, logits, networks=networks, plots=plots, **settings)


def test_three_panels_are_drawn(tmp_path):
    found = subject(tmp_path / "plots")
    finding = measure(found)
    facts = dict(finding.facts)
    points = facts.pop("points")
    of_classes = [{(row["class"], row["part"]) for row in rows} for rows in facts.pop("groups").values()]
    assert of_classes == [{(number, part) for number in (0, 1) for part in ("forget", "remain")}] * 3
    assert facts == {"file": "plots/embeddings.png", "images": 160, "networks": ["original", "revised", "reference"]}
    assert list(points) == facts["networks"]
    for rows in points.values():
        # In the order of their places, which tells nothing of the images' own.
        assert rows == sorted(rows)
        assert len(rows) == 160
        assert {(x in (0, 1), label, part) for x, y, label, part in rows} >= {(False, 0, 1), (False, 1, 0)}
        assert np.array(rows)[:, :2].min(0).tolist() == [0, 0]
        assert np.array(rows)[:, :2].max(0).tolist() == [1, 1]
    files = sorted(path.name for path in (tmp_path / "plots").iterdir())
    assert files == ["embeddings.parquet", "embeddings.png"]
    with Image.open(tmp_path / "plots" / "embeddings.png") as picture:
        assert picture.width > 2 * picture.height
        shown = {colour[:3] for _, colour in picture.convert("RGB").getcolors(1 << 24)}
    assert {tuple(bytes.fromhex(colour[1:])) for colour in COLOURS[:2]} <= shown


def test_the_evidence_links_the_points_of_an_image_over_all_networks(tmp_path):
    found = subject(tmp_path)
    facts = measure(found).facts
    linked = pd.read_parquet(tmp_path / "embeddings.parquet")
    assert len(linked) == facts["images"]
    assert set(linked) == {"part", "label", *(f"{axis}:{name}" for axis in "xy" for name in facts["networks"])}
    classes = linked["label"].map({"healthy": 0, "sick": 1})
    for name, listed in facts["points"].items():
        rows = zip(linked[f"x:{name}"], linked[f"y:{name}"], classes, linked["part"] == "forget", strict=True)
        # The card has the same points, in an order that links nothing.
        assert sorted([x, y, number, int(forget)] for x, y, number, forget in rows) == listed
    places = linked[["x:original", "y:original"]].to_numpy()
    apart = np.linalg.norm(places[:, None] - places[None], axis=2) + np.eye(len(places))
    # By the features of a row, its neighbours are of its class: the rows are those of their labels.
    assert (classes.to_numpy()[apart.argmin(1)] == classes).mean() > 0.9


def test_the_picture_in_figures():
    # Six of class 0 close together, half of them forgotten; six of class 1 far away, none forgotten.
    places = np.array([[number / 10, 0] for number in range(6)] + [[9 + number / 10, 9] for number in range(6)])
    classes, parts = np.repeat([0, 1], 6), np.array(["forget", "remain"] * 3 + ["remain"] * 6, dtype=object)
    assert groups(places, classes, parts) == [
        {"class": 0, "part": "forget", "images": 3, "same_class": 1.0, "forgotten": pytest.approx(2 / 5)},
        {"class": 0, "part": "remain", "images": 3, "same_class": 1.0, "forgotten": pytest.approx(3 / 5)},
        {"class": 1, "part": "remain", "images": 6, "same_class": 1.0, "forgotten": 0.0},
    ]


def test_what_lies_apart_stays_apart_and_the_seed_determines_the_picture():
    found = coordinates(features(0)[:60], seed=3)
    assert found.shape == (60, 2)
    assert silhouette_score(found, LABELS[:60]) > 0.5
    assert np.array_equal(found, coordinates(features(0)[:60], seed=3))


def test_as_many_images_as_the_time_allows(tmp_path):
    seconds = SECONDS_A_POINT * 3 * 50.5
    finding = measure(subject(tmp_path, seconds_left=lambda: seconds))
    assert finding.facts["images"] == 50
    none = measure(subject(tmp_path, seconds_left=lambda: seconds / 2))
    assert none.status == "skipped"
    assert cost(subject(tmp_path)).seconds == pytest.approx(SECONDS_A_POINT * 3 * 30)


def test_too_few_images_or_no_folder_give_no_picture(tmp_path):
    assert measure(subject(None)).status == "not_measurable"
    rows = frame({"forget_train": 5, "remain_test": 5})
    few = audited(rows, {"original": network(rows, seed=1), "revised": network(rows, seed=2)}, plots=tmp_path)
    assert "20 images to draw; 30 are needed" in measure(few).why
