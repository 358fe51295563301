from __future__ import annotations

import json

import pytest
from played_rehearsal import PlayedRehearsal

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.errors import ConfigError, DataError, TrainingError
from monai_unlearn.evaluation.decision.protocol import Protocol
from monai_unlearn.experiments import experiment as module
from monai_unlearn.experiments.rehearsal_plan import RehearsalPlan
from monai_unlearn.experiments.rehearse import rehearse
from monai_unlearn.index import Index

SPACES = {
    "reset": {"method::depth": ["last_block", "head"], "training::rate_factor": [1.0, 2.0]},
    "finetune": {"training::rate_factor": [1.0, 2.0]},
}


@pytest.fixture
def played(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "search_spaces", lambda names, **_: {name: SPACES[name] for name in names})
    return PlayedRehearsal(tmp_path, monkeypatch)


def rehearsed(played, *, progress=lambda *_: None, note=lambda _: None, **changed):
    values = {
        "config": played.config,
        "index": played.index,
        "specs": [played.spec],
        "draw": 4,
        "tune_on": 2,
        "methods": ["finetune", "reset"],
        "trials": 2,
        "fixed": {},
        **changed,
    }
    return rehearse(RehearsalPlan(**values), played.out, progress=progress, note=note)


def test_cohorts_too_small_to_decide_about_are_named_before_the_first_run(played):
    said = []
    document = rehearsed(played, note=lambda text: said.append((text, len(played.runs))))
    assert {runs for _, runs in said} == {0}
    few = {one["name"] for one in document["cohorts"] if one["few_patients"]}
    assert few == {text.partition(":")[0] for text, _ in said}
    assert few


def test_the_method_is_chosen_by_some_cohorts_and_counted_on_the_others(played):
    document = rehearsed(played)
    assert document == json.loads((played.out / "rehearse.json").read_text(encoding="utf-8"))
    roles = {one["name"]: one["role"] for one in document["cohorts"]}
    assert list(roles.values()) == ["tuned"] * 2 + ["counted"] * 4
    protocol = Protocol.read(played.out / "protocol.yaml")
    assert (document["chosen"], protocol.method["name"]) == ("reset", "reset")
    assert document["protocol_digest"] == protocol.digest
    assert {one.cohort for one in protocol.rehearsal.evidence} == {k for k, role in roles.items() if role == "counted"}
    assert {one.cohort for one in protocol.rehearsal.tuned_on} == {k for k, role in roles.items() if role == "tuned"}
    assert (
        protocol.rehearsal.line
        == document["line"]
        == ("4 of 4 rehearsal cohorts equivalent, 95 % upper bound of failure 53 %")
    )
    first, second = document["methods"]
    assert (first["name"], first["equivalent"], second["name"], second["equivalent"]) == ("reset", 4, "finetune", 0)
    assert {path.name for path in played.out.iterdir()} == {
        "README.md",
        "cohorts",
        "protocol.yaml",
        "rehearse.json",
        "rehearse.md",
        "rehearse.png",
        "specs",
    }


def test_no_run_is_about_the_real_cohort(played):
    rehearsed(played)
    index = Index.open(played.index)
    real = set(CohortSpec.read(played.spec).resolve(index).forget["image_id"])
    for spec in {run["cohort_spec"] for run in played.runs}:
        assert not real & set(CohortSpec.read(spec).resolve(index).forget["image_id"])


def test_the_folder_is_for_its_owner_and_says_so(played):
    rehearsed(played)
    assert played.out.stat().st_mode & 0o777 == 0o700
    assert "This folder stays with the images" in (played.out / "README.md").read_text(encoding="utf-8")


def test_each_cohort_is_retrained_once(played):
    rehearsed(played)
    retrained = [
        name for name, run in zip(played.cohorts_run(), played.runs, strict=True) if run["reference"] == "retrain"
    ]
    assert len(retrained) == len(set(retrained)) == 6
    assert len(played.runs) == 2 * 2 * 2 + 4 * 2


def test_an_interrupted_rehearsal_goes_on_and_more_draws_keep_what_was_run(played):
    def interrupted(_):
        if len(played.runs) == 7:
            raise KeyboardInterrupt

    played.play = interrupted
    with pytest.raises(KeyboardInterrupt, match="^$"):
        rehearsed(played)
    played.play = lambda _: None
    first = rehearsed(played)
    assert len(played.runs) == 7 + (16 - 6)
    assert rehearsed(played)["methods"] == first["methods"]
    assert len(played.runs) == 17
    assert rehearsed(played, draw=6)["line"].startswith("6 of 6")
    assert len(played.runs) == 17 + 2 * 2


def test_the_setting_that_is_nearest_to_retraining_is_chosen(played):
    played.reads = lambda method: {"head": 0.7, "last_block": 0.5}.get(method.get("depth"), 0.9)
    document = rehearsed(played, trials=4)
    assert document["methods"][0]["settings"]["method::depth"] == "head"
    assert len(document["methods"][0]["tried"]) == 4
    assert Protocol.read(played.out / "protocol.yaml").method == {"name": "reset", "depth": "head"}


def test_the_counted_cohorts_choose_nothing(played):
    """A method that is good on the counted cohorts alone is not the protocol's."""

    tuning = ("value-01.yaml", "value-02.yaml")
    played.reads = lambda method: (
        0.7 if played.runs[-1]["cohort_spec"].endswith(tuning) == (method["name"] == "reset") else 0.4
    )
    document = rehearsed(played)
    assert (document["chosen"], document["methods"][0]["equivalent"]) == ("reset", 0)
    assert document["methods"][1]["equivalent"] == 4
    assert Protocol.read(played.out / "protocol.yaml").rehearsal.equivalent == 0


def test_given_specs_are_rehearsed_on_where_none_are_drawn(played):
    specs = [played.spec_of(device) for device in "ABCDE"]
    document = rehearsed(played, specs=specs, draw=0)
    assert [one["name"] for one in document["cohorts"]] == ["a", "b", "c", "d", "e"]
    assert document["line"].startswith("3 of 3")


def test_given_specs_after_the_first_are_counted_beside_those_drawn(played):
    document = rehearsed(played, specs=[played.spec, played.spec_of("G")], draw=3)
    assert "a" not in [one["name"] for one in document["cohorts"]]
    assert next(one["kind"] for one in document["cohorts"] if one["role"] == "counted") == "given"


def test_one_method_with_its_first_setting_needs_no_cohort_to_choose(played):
    document = rehearsed(played, methods=["reset"], tune_on=0, draw=3)
    assert (len(played.runs), document["methods"][0]["objective"], document["methods"][0]["tried"]) == (3, None, [])


def test_several_runs_at_once_give_the_same(played, tmp_path, monkeypatch):
    one = rehearsed(played)
    (tmp_path / "other").mkdir()
    other = PlayedRehearsal(tmp_path / "other", monkeypatch)
    two = rehearsed(other, jobs=3)
    assert [method["verdicts"] for method in two["methods"]] == [method["verdicts"] for method in one["methods"]]


def test_progress_says_which_cohort_of_how_many(played):
    seen = []
    rehearsed(played, progress=lambda *one: seen.append(one))
    assert seen[0] == ("choosing settings of finetune", 0, 16)
    assert seen[-1] == ("cohort 4 of 4", 16, 16)


def test_predictors_are_measured_on_the_counted_cohorts(played):
    rehearsed(played, predictors=["blocks"])
    (found,) = Protocol.read(played.out / "protocol.yaml").predictors
    assert (found.name, found.cohorts, found.reasons) == ("blocks", 4, ("device_deprecation",))
    assert found.errors[0].error == pytest.approx(0.04 + 0.001 * len(played.runs))


def test_a_predictor_is_recorded_with_the_proxies_that_ran(played):
    rehearsed(played, predictors=["blocks"], seeds=5)
    (found,) = Protocol.read(played.out / "protocol.yaml").predictors
    assert found.seeds == 3
    played.proxies = 0  # of one that trains none, the original itself predicts
    rehearsed(played, predictors=["odds"], seeds=5)
    assert [one.seeds for one in Protocol.read(played.out / "protocol.yaml").predictors] == [1]


def test_a_run_that_fails_while_counting_ends_it_and_while_choosing_is_not_chosen(played):
    played.play = lambda settings: 1 if "last_block" in settings["method"] else None
    document = rehearsed(played, trials=4)
    assert document["methods"][0]["settings"]["method::depth"] == "head"
    played.play = lambda settings: 1 if "finetune" in settings["method"] else None
    with pytest.raises(TrainingError, match="every setting that was tried failed"):
        rehearsed(played, fixed={"seed": "1"})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"draw": 0}, "1 cohorts are given, and all of them would choose settings"),
        ({"fixed": {"split::validation_fraction": "0"}}, "no validation image"),
        ({"specs": ["b"]}, "cannot be drawn, since it is neither one value"),
        ({"specs": ["a", "a"], "draw": 0}, "shares 120 images with the real cohort"),
    ],
)
def test_what_cannot_be_rehearsed_runs_nothing(played, changed, message):
    other = played.spec_of("B")
    other.write_text(other.read_text(encoding="utf-8").replace("device == B", "device in [B, C]"), encoding="utf-8")
    changed = {**changed, "specs": [{"a": played.spec, "b": other}[one] for one in changed.get("specs", "a")]}
    with pytest.raises(DataError, match=message):
        rehearsed(played, **changed)
    assert not played.runs


def test_what_was_refused_can_be_put_right_in_the_same_folder(played):
    with pytest.raises(DataError, match="all of them would choose"):
        rehearsed(played, draw=0)
    assert rehearsed(played)["line"].startswith("4 of 4")


def test_a_folder_of_something_else_is_refused(played):
    played.out.mkdir()
    (played.out / "letter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="expected a new or empty folder, or that of an earlier rehearsal"):
        rehearsed(played)
