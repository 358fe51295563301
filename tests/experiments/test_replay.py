from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from cohort_index import make_index
from release_example import write_release

from monai_unlearn.errors import ConfigError, DataError
from monai_unlearn.evaluation.prediction_table import Network, PredictionTable
from monai_unlearn.experiments import replay as module
from monai_unlearn.experiments.replay import replay, with_replay
from monai_unlearn.release.verify import verify
from monai_unlearn.vocabulary.fields import Kind

LOGITS = np.array([[2.0, 0.0], [0.0, 2.0], [1.0, 0.0], [0.0, 1.0]])


@pytest.fixture
def out(tmp_path, monkeypatch):
    """The results of a run: 4 images, of which 3 are classified correctly after it."""
    bundle = write_release(tmp_path / "revised_bundle")
    labels = ["a", "b", "b", "b"]
    columns = {"image_id": [f"i0{n}" for n in range(4)], "patient": list("pqrs"), "part": "remain", "split": "test"}
    frame = pd.DataFrame({**columns, "label": labels})
    networks = (Network(name="original", role="original"), Network(name="revised", role="revised"))
    logits = {"original": LOGITS, "revised": LOGITS}
    table = PredictionTable(frame=frame, class_names=("a", "b"), networks=networks, logits=logits)
    (tmp_path / "evidence").mkdir()
    table.write(tmp_path / "evidence" / "predictions.parquet")
    path = bundle / "docs" / "model_card_diff.json"
    card = json.loads(path.read_text())
    (row,) = [row for row in card["metrics"] if row["key"] == "accuracy/remain/test/all"]
    row["n"], row["after"]["value"] = 4, 0.75
    path.write_text(json.dumps(card))
    make_index(tmp_path / "index", {"label": labels}, {"label": Kind.TEXT})
    monkeypatch.setattr(module, "_predict", lambda _bundle, files: table.probabilities("revised")[: len(files)])
    monkeypatch.setattr(module, "decide_again", lambda _run: SimpleNamespace(verdict="erased"))
    return tmp_path


def found(out):
    replayed = replay(out / "revised_bundle", out / "index")
    return [fault.line for fault in replayed.faults], replayed


def test_the_same_predictions_are_sound(out):
    lines, replayed = found(out)
    assert (lines, replayed.images, replayed.missing) == ([], 4, 0)
    assert replayed.to_dict()["probability_tolerance"] == 0.001


def test_one_column_is_the_probability_of_the_second_class(out, monkeypatch):
    both = module._predict(None, ["x"] * 4)
    monkeypatch.setattr(module, "_predict", lambda *_: both[:, 1:])
    assert found(out)[0] == []


@pytest.mark.parametrize("changed", [0.05, float("nan")])
def test_other_predictions_are_named(changed, out, monkeypatch):
    probabilities = module._predict(None, ["x"] * 4).copy()
    probabilities[0] = [probabilities[0][0] - changed, probabilities[0][1] + changed]
    monkeypatch.setattr(module, "_predict", lambda *_: probabilities)
    lines, _ = found(out)
    assert lines[0].startswith("models/model.pt: 1 of 4 images are predicted otherwise than in the evidence, by up to ")


def test_another_accuracy_on_the_card_is_named(out):
    path = out / "revised_bundle" / "docs" / "model_card_diff.json"
    path.write_text(path.read_text().replace('"value": 0.75', '"value": 0.95'))
    assert found(out)[0] == [
        "docs/model_card_diff.json: accuracy/remain/test/all is 0.95 after the revision; evaluated again, it is 0.7500."
    ]


def test_another_verdict_is_named(out, monkeypatch):
    monkeypatch.setattr(module, "decide_again", lambda _run: SimpleNamespace(verdict="inconclusive"))
    assert found(out)[0] == [
        "docs/model_card_diff.json: verdict is erased; judged again from the evidence, it is inconclusive."
    ]


def test_images_that_the_index_lacks_are_counted(out):
    make_index(out / "smaller", {"label": ["a", "b"]}, {"label": Kind.TEXT})
    replayed = replay(out / "revised_bundle", out / "smaller")
    assert (replayed.images, replayed.missing, replayed.faults) == (2, 2, ())
    make_index(out / "other", {"label": ["a"], "image_id": ["x"]}, {"label": Kind.TEXT})
    with pytest.raises(DataError, match="none of the 4 images of the evidence is in this index"):
        replay(out / "revised_bundle", out / "other")


def test_without_evidence_there_is_nothing_to_compare_with(out):
    (out / "evidence" / "predictions.parquet").unlink()
    with pytest.raises(ConfigError, match=r"predictions.parquet is missing. A replay compares with the evidence"):
        found(out)


def test_a_bundle_with_faults_is_not_run(out):
    report, figures = with_replay(verify(out / "revised_bundle"), out / "revised_bundle", out / "index")
    assert figures is None
    assert report.warnings[-1] == "Nothing was replayed: that would run the bundle."


def test_a_bundle_whose_inference_fails_says_so(out, monkeypatch):
    monkeypatch.undo()
    config = out / "revised_bundle" / "configs" / "inference.yaml"
    config.write_text("infer: $1 / 0\n")
    with pytest.raises(DataError, match="the bundle's inference failed: "):
        found(out)
    config.unlink()
    with pytest.raises(ConfigError, match=r"there is no configs/inference.yaml"):
        found(out)
