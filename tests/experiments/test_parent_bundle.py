from __future__ import annotations

import json

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.parent_bundle import ParentBundle, differences

RECORD = {
    "config": {"class_names": ["up", "down"], "reference": "retrain", "seed": 0},
    "digests": {"base_weights": "sha256:0", "revised_weights": "sha256:1", "spec": "sha256:2", "index": "sha256:3"},
    "places": {"bundle_root": "/bundles/original"},
}
METRICS = {"class_names": ["up", "down"], "cost": {"this_run": {"gradient_evaluations": 40, "seconds": 1.5}}}


@pytest.fixture
def written(tmp_path):
    """Writes a bundle, and of a revision its evidence."""

    def bundle(root, version="0.1.0"):
        for name, text in {"configs/metadata.json": json.dumps({"version": version}), "models/model.pt": "w"}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        return root

    def revision(name, kind="revised_bundle", **record):
        run = tmp_path / name
        bundle(run / kind, "0.2.0")
        (run / "evidence").mkdir()
        for file, content in (("run.json", {**RECORD, **record}), ("metrics.json", METRICS)):
            (run / "evidence" / file).write_text(json.dumps(content), encoding="utf-8")
        return run

    return bundle, revision


@pytest.mark.parametrize("kind", ["revised_bundle", "rejected_bundle"])
def test_a_run_and_the_bundle_in_it_are_the_same(written, kind):
    _, revision = written
    run = revision("a", kind)
    found = ParentBundle.read(run, option="--a")
    assert ParentBundle.read(run / kind, option="--a").weights == found.weights == (run / kind / "models" / "model.pt")
    assert found.entry(original_digest="sha256:9") == {
        "weights": str(run / kind / "models" / "model.pt"),
        "version": "0.2.0",
        "weights_digest": "sha256:1",
        "base_weights_digest": "sha256:0",
        "gradient_evaluations": 40,
        "seconds": 1.5,
    }
    assert found.place("bundle_root") == "/bundles/original"
    assert found.place("checkpoint") is None


def test_an_original_has_no_run_and_cost_nothing(written, tmp_path):
    found = ParentBundle.read(written[0](tmp_path / "original"), option="--b")
    assert (found.run, found.references(), found.digest("spec")) == (None, [], None)
    entry = found.entry(original_digest="sha256:9")
    assert (entry["weights_digest"], entry["base_weights_digest"]) == ("sha256:9", None)
    assert (entry["gradient_evaluations"], entry["seconds"]) == (0, 0.0)


def test_references_are_those_that_the_run_retrained_or_was_given(written, tmp_path):
    _, revision = written
    run = revision("a")
    kept = run / "evidence" / "reference" / "seed-3" / "model.pt"
    kept.parent.mkdir(parents=True)
    kept.touch()
    assert ParentBundle.read(run, option="--a").references() == [str(kept)]
    given = ParentBundle.read(revision("b", config={"reference": [str(kept)]}), option="--b")
    assert given.references() == [str(kept)]
    one = ParentBundle.read(revision("c", config={"reference": str(tmp_path / "gone.pt")}), option="--b")
    assert one.references() == []


def test_what_two_must_share_is_named(written):
    _, revision = written
    a = ParentBundle.read(revision("a"), option="--a")
    assert (
        differences(a, ParentBundle.read(revision("same", config={**RECORD["config"], "seed": 1}), option="--b")) == []
    )
    other = {
        "digests": {**RECORD["digests"], "spec": "sha256:7", "revised_weights": "sha256:8"},
        "config": {**RECORD["config"], "mean": [0.5]},
    }
    assert differences(a, ParentBundle.read(revision("b", **other), option="--b")) == ["the cohort spec", "mean"]


def test_what_is_no_bundle_is_refused(written, tmp_path):
    bundle, revision = written
    with pytest.raises(ConfigError, match="--a .*: expected the output folder of a run, its revised_bundle"):
        ParentBundle.read(tmp_path, option="--a")
    root = bundle(tmp_path / "original")
    (root / "models" / "model.pt").unlink()
    with pytest.raises(ConfigError, match="--a .*: expected weights in models/model.pt of the bundle, found none"):
        ParentBundle.read(root, option="--a")
    (root / "models" / "model.pt").symlink_to(revision("b") / "revised_bundle" / "models" / "model.pt")
    with pytest.raises(ConfigError, match="expected weights in models/model.pt"):
        ParentBundle.read(root, option="--a")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "FileNotFoundError"),
        ("{", "JSONDecodeError"),
        ("[]", "objects config, digests, places"),
    ],
)
def test_evidence_that_cannot_be_read_is_refused(written, text, why):
    run = written[1]("a")
    (run / "evidence" / "run.json").unlink()
    if text is not None:
        (run / "evidence" / "run.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"--a: .*run.json.*{why}"):
        ParentBundle.read(run, option="--a")
