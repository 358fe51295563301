"""The bundle as a MONAI user runs it: the command line with its exit codes, and the shipped weights."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import warnings

import pytest
from bundle_run import BUNDLE, ROOT, WIDE, run
from monai.bundle import verify_metadata
from nightly import nightly
from tiny import SPEC, tiny_index, tiny_spec

SCHEMA = ROOT / "bundles" / "metadata_schema.json"
TINY = ["--class_names", "['up','down']", "--image_size", "[16,16]", "--batch_size", "8", "--device", "cpu"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    tiny_index(folder)
    tiny_spec(folder)
    return folder


def test_the_schema_refuses_an_invalid_version(tmp_path):
    metadata = json.loads((BUNDLE / "configs" / "metadata.json").read_text())
    (tmp_path / "metadata.json").write_text(json.dumps({**metadata, "version": "newest"}))
    with pytest.raises(ValueError, match="'newest' does not match"):
        verify_metadata(meta_file=str(tmp_path / "metadata.json"), filepath=str(SCHEMA))


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", "monai.bundle", "run", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=300,
    )


def unlearn(tiny, out, *arguments: str) -> subprocess.CompletedProcess[str]:
    return command(
        "unlearn",
        *("--config_file", str(BUNDLE / "configs" / "unlearn.yaml"), "--index_dir", str(tiny / "index")),
        *("--cohort_spec", str(tiny / "spec.yaml"), "--output_dir", str(out)),
        *("--checkpoint", str(tiny / "model.pt"), *TINY, "--force", "true", "--steps", "60", *arguments),
    )


@pytest.fixture(scope="module")
def trained(tiny):
    found = command(
        "train",
        *("--config_file", str(BUNDLE / "configs" / "train.yaml"), "--index_dir", str(tiny / "index")),
        *("--checkpoint", str(tiny / "model.pt"), *TINY, "--max_epochs", "2"),
    )
    assert found.returncode == 0, found.stderr
    return tiny


def test_the_main_command_runs_in_another_folder(trained, tmp_path):
    named = ("--method", "psg", "--max_epochs", "5", "--decision", repr(WIDE["decision"]))
    found = unlearn(trained, tmp_path / "out", *named)
    assert found.returncode == 0, found.stderr
    assert "Method: psg; the user chose it." in found.stdout
    assert "Model-card difference:" in found.stdout
    assert found.stdout.splitlines()[-1].startswith("erased: ")
    assert (tmp_path / "out" / "revised_bundle" / "models" / "model.pt").is_file()
    assert json.loads((tmp_path / "out" / "evidence" / "run.json").read_text())["config"]["max_epochs"] == 5


@pytest.mark.parametrize(
    ("override", "verdict"), [((), "not_known: "), (("--decision#objective", "erase"), r"(not_erased|inconclusive): ")]
)
def test_a_result_that_is_not_promoted_has_exit_code_3_and_the_verdict_last(trained, tmp_path, override, verdict):
    found = unlearn(trained, tmp_path / "out", "--decision#healthy_classes", "[]", *override)
    assert found.returncode == 3
    assert re.match(verdict, found.stdout.splitlines()[-1])
    assert (
        "Method: shrink_perturb; by default, shrink and perturb, which keeps half of every weight, at half"
        in found.stdout
    )
    # Also on the other stream; what libraries print when the process ends comes after it.
    assert found.stdout.splitlines()[-1] in found.stderr.splitlines()
    assert "Needs: " in found.stderr
    assert not (tmp_path / "out" / "revised_bundle").exists()
    metrics = json.loads((tmp_path / "out" / "evidence" / "metrics.json").read_text())
    assert metrics["decision"]["declared"]["objective"] == ("erase" if override else "match_reference")


def test_the_classes_of_a_bundle_need_not_be_those_that_mean_no_disease(trained, tmp_path):
    """The bundle's healthy class is none of these; which of them is, must be said."""
    found = unlearn(trained, tmp_path / "out")
    assert found.returncode == 2
    assert found.stderr.splitlines()[-1].startswith("Error: decision: healthy_classes: expected one of up, down")


@pytest.mark.parametrize(
    ("spec", "last_line"),
    [
        (SPEC.replace("forget:", "forgt:"), "unknown key 'forgt'. Did you mean 'forget'"),
        (SPEC.replace("Old", "Nobody Made This"), "the forget part of 'retire-old' is empty"),
        pytest.param("$import os\n", "text that starts with '$' is refused", marks=nightly),
        pytest.param(None, "there is no such folder. Build it with: monai-unlearn index build", marks=nightly),
    ],
    ids=["typo", "empty cohort", "code", "missing index"],
)
def test_bad_input_has_exit_code_2_and_one_message(trained, tmp_path, spec, last_line):
    arguments = ["--index_dir", str(tmp_path / "nowhere")] if spec is None else []
    if spec is not None:
        (tmp_path / "bad.yaml").write_text(spec)
        arguments = ["--cohort_spec", str(tmp_path / "bad.yaml")]
    found = unlearn(trained, tmp_path / "out", *arguments)
    assert found.returncode == 2
    assert "Traceback" not in found.stderr
    assert last_line in found.stderr.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_an_image_truncated_after_indexing_is_named(trained, tmp_path):
    image = trained / "images" / "3R.png"
    content = image.read_bytes()
    try:
        image.write_bytes(content[:60])
        found = unlearn(trained, tmp_path / "out", "--decision::healthy_classes", "['up']")
    finally:
        image.write_bytes(content)
    assert found.returncode == 2
    last_line = found.stderr.splitlines()[-1]
    # What was trained on is compared before it is decoded.
    # How many there are to compare depends on what has been evaluated with these weights since.
    assert re.search(r"Error: 1 of \d+ images have other pixels than those that", last_line)
    assert "image-003R" in last_line
    assert "3R.png" not in found.stdout + found.stderr


def test_inference_writes_probabilities(trained, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run(
            "infer",
            "inference.yaml",
            dataset_dir=str(trained / "images"),
            file_pattern="*.png",
            output_dir=str(tmp_path),
            checkpoint=str(trained / "model.pt"),
        )
    _, *rows = csv.reader((tmp_path / "predictions.csv").read_text().splitlines())
    assert len(rows) == 48
    assert all(sum(map(float, row[1:])) == pytest.approx(1, abs=1e-5) for row in rows)


def test_shipped_weights_classify_unseen_phantoms(tmp_path):
    steps = [
        ["phantom", "fundus", str(tmp_path / "studies"), "--patients", "15", "--seed", "7"],
        [
            *("index", "build", str(tmp_path / "studies"), "--out", str(tmp_path / "index")),
            *("--table", str(tmp_path / "studies" / "labels.csv"), "--key", "SOPInstanceUID"),
        ],
    ]
    for step in steps:
        subprocess.run([sys.executable, "-m", "monai_unlearn", *step], check=True, capture_output=True, timeout=120)
    found = tmp_path / "evaluation.json"
    settings = {"class_names": ["normal", "diabetic_retinopathy", "glaucoma"], "image_size": [64, 64]}
    run("evaluate", "evaluate.yaml", index_dir=str(tmp_path / "index"), output_file=str(found), **settings)
    remain = json.loads(found.read_text())["models"]["weights"]["remain"]
    subsets = remain.values()
    assert sum(subset["correct"] for subset in subsets) >= 0.85 * sum(subset["n"] for subset in subsets) > 0
    # The bundle says which class is healthy.
    assert all(remain["train"][name]["value"] > 0.8 for name in ("sensitivity", "specificity"))
    assert (BUNDLE / "models" / "model.pt").stat().st_size < 2_000_000
