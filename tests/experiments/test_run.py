from __future__ import annotations

import json

import pytest
import yaml
from bundle_walk import BUNDLES
from played_runs import PlayedRuns

from monai_unlearn.errors import ConfigError, DataError, TrainingError
from monai_unlearn.experiments.plan import Plan
from monai_unlearn.experiments.run import run_of, sweep
from monai_unlearn.experiments.settings import SET_BY_SWEEP


@pytest.fixture
def played(tmp_path, monkeypatch):
    return PlayedRuns(tmp_path, monkeypatch)


def plan_of(played, *, noise=("0", "1"), fixed=None, reference=None) -> Plan:
    return Plan(
        config=played.config,
        spec=played.spec,
        index=played.index,
        axes={"method::noise": noise, "method::proximity_weight": ("0", "0.25")},
        fixed={"split::validation_fraction": "0.3"} if fixed is None else fixed,
        reference=reference,
    )


def swept(played, *, criterion=None, progress=lambda *_: None, **plan):
    return sweep(plan_of(played, **plan), played.out, criterion=criterion, progress=progress)


def test_runs_the_grid_and_names_the_best(played):
    seen = []
    document = swept(played, progress=lambda *numbers: seen.append(numbers))
    assert document == json.loads((played.out / "sweep.json").read_text(encoding="utf-8"))
    assert document["best"]["settings"] == {"method::noise": "1", "method::proximity_weight": "0"}
    assert document["best"]["score"] == pytest.approx(0.1 + 0.1)
    assert (document["split"], document["criterion"]["name"]) == ("validation", "erase")
    assert [run["method::noise"] + run["method::proximity_weight"] for run in played.runs] == [
        "00",
        "00.25",
        "10",
        "10.25",
    ]
    assert {path.name for path in played.out.iterdir()} == {"sweep.json", "sweep.md", "sweep.png", "trials"}
    assert seen == [(number, 4) for number in range(5)]


def test_a_run_evaluates_all_splits_and_keeps_the_fixed_settings(played):
    swept(played)
    assert played.runs[0]["subsets::splits"] == "['train','validation','test']"
    assert played.runs[0]["split::validation_fraction"] == "0.3"
    assert "reference" not in played.runs[0]


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_every_bundle_has_the_ids_that_a_sweep_sets(bundle):
    config = yaml.safe_load((bundle / "configs" / "unlearn.yaml").read_text(encoding="utf-8"))
    for name in SET_BY_SWEEP:
        section = config
        for key in name.split("::"):
            assert key in section, name
            section = section[key]


def test_a_swept_setting_wins_over_the_rest(played):
    (trial, *_) = plan_of(played).trials(("a", "b"))
    words = run_of(plan_of(played), trial, played.out, "weights.pt").command
    assert words[-3:-1] == ["--method::noise=0", "--method::proximity_weight=0"]
    assert "--reference=weights.pt" in words
    assert f"--output_dir={played.out / 'run'}" in words


def test_continues_after_an_interruption_and_keeps_finished_trials(played):
    played.play = lambda _: 0 if len(played.runs) < 3 else 1 // 0
    with pytest.raises(ZeroDivisionError):
        swept(played)
    played.play = lambda _: 0
    assert [trial["kept"] for trial in swept(played)["trials"]] == [True, True, False, False]
    assert len(played.runs) == 3 + 2
    swept(played)
    swept(played, noise=("1",))
    assert len(played.runs) == 5
    swept(played, fixed={"split::validation_fraction": "0.31"})
    assert len(played.runs) == 9


def test_retrains_once(played):
    document = swept(played, reference="retrain")
    assert document["criterion"]["name"] == "gap_to_reference"
    first = played.out / "trials" / document["trials"][0]["name"] / "run" / "evidence" / "reference"
    kept = [str(first / f"seed-{seed}" / "model.pt") for seed in (1, 2)]
    assert [run["reference"] for run in played.runs] == ["retrain", *[json.dumps(kept)] * 3]
    assert document["best"]["score"] == pytest.approx(0.1 + 0.1)


def test_a_sweep_that_continues_does_not_retrain_again(played):
    played.play = lambda _: 0 if len(played.runs) < 2 else 1
    swept(played, reference="retrain")
    played.play = lambda _: 0
    swept(played, reference="retrain")
    assert [run["reference"] == "retrain" for run in played.runs] == [True] + [False] * 6


def test_a_run_that_is_not_accepted_counts_and_one_that_failed_is_named_and_tried_again(played):
    played.play = lambda settings: 1 if settings["method::noise"] == "1" else 3
    document = swept(played)
    assert [trial["status"] for trial in document["trials"]] == ["finished", "finished", "failed", "failed"]
    assert document["trials"][2]["error"] == "what the run said."
    assert document["best"]["settings"]["method::noise"] == "0"
    assert document["best"]["verdict"] == "inconclusive"
    swept(played)
    assert len(played.runs) == 4 + 2


def test_a_sweep_of_which_every_run_failed_fails(played):
    played.play = lambda _: 1
    with pytest.raises(
        TrainingError, match=r"every run of the sweep failed: what the run said\. The logs are in .*sweep"
    ):
        swept(played)


def test_bad_input_of_a_run_ends_the_sweep(played):
    played.play = lambda _: 2
    message = "the run with method::noise=0, method::proximity_weight=0 refused its input: what the run said."
    with pytest.raises(DataError, match=message):
        swept(played)
    assert len(played.runs) == 1


def test_nothing_is_run_without_validation_images(played):
    with pytest.raises(DataError, match="settings must not be chosen on test images. Train the bundle with --split"):
        swept(played, fixed={"seed": "1"})
    assert not played.runs
    assert not played.out.exists()


def test_refuses_a_criterion_without_its_reference(played):
    with pytest.raises(ConfigError, match="needs a reference. Give --reference retrain"):
        swept(played, criterion="gap_to_reference")
    assert not played.runs


def test_refuses_a_folder_of_something_else(played):
    played.out.mkdir()
    (played.out / "letter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="expected a new or empty folder, or that of an earlier sweep"):
        swept(played)
    assert not played.runs
