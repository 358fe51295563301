"""`--tracking mlflow` on MLflow's own server, read back with its own client; it has an environment of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.request import urlopen

import pytest
from bundle_run import TINY
from bundle_walk import BUNDLES, copied, run
from tiny import SPEC

from monai_unlearn import CohortSpec, Index
from monai_unlearn.vocabulary.run_folder import RunFolder

pytestmark = [
    pytest.mark.skipif(find_spec("mlflow") is None, reason="MLflow has an environment of its own: run `make mlflow`"),
    # Those of MLflow's own packages, when its client is imported.
    pytest.mark.filterwarnings("ignore::Warning"),
]

# The settings of a run on the tiny cohort: a few steps, looked at after each.
SETTINGS = {
    **{name: value for name, value in TINY.items() if name != "batch_size"},
    "steps": 3,
    "eval_interval": 1,
    "force": True,
    "audits": [],
    "decision::healthy_classes": [],
}
FILES = {"model_card_diff.html", "metrics.json", "cohort_manifest.json"}
SECONDS = 1800


def options(settings, option="--set"):
    return [word for name, value in settings.items() for word in (option, f"{name}={value}")]


def command(*words, folder, uri=None):
    """Run a command with a server's address in the environment, or with none; return exit code, stdout and stderr."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    if uri is not None:
        environment["MLFLOW_TRACKING_URI"] = uri
    words = [sys.executable, "-m", "monai_unlearn", *map(str, words)]
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    return done.returncode, done.stdout, done.stderr


def client_of(uri):
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri)


@contextmanager
def running_server(folder):
    """MLflow's server on loopback, started as by a user: with its default store, in the folder it is started in."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    # It would start seven processes for jobs that no test has.
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "log.txt").open("w") as log:
        streams = {"stdout": log, "stderr": subprocess.STDOUT}
        process = subprocess.Popen(words, cwd=folder, env=environment, start_new_session=True, **streams)
        try:
            wait_for(f"http://127.0.0.1:{port}/health", process, folder / "log.txt")
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)


def wait_for(address, process, log):
    for _ in range(SECONDS):
        assert process.poll() is None, log.read_text()
        try:
            with urlopen(address, timeout=5) as answer:  # noqa: S310 - loopback
                assert answer.read() == b"OK"
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("server")) as uri:
        yield uri


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    walked = copied(BUNDLES[0], tmp_path_factory.mktemp("walk"))
    run("train", "train.yaml", bundle=walked.root, **walked.data, max_epochs=1)
    return walked


def unlearn_words(walked, out, *more):
    where = ["--index", walked.folder / "index", "--spec", walked.folder / "spec.yaml", "--out", out]
    method = ["--method", "{name: psg, epsilon: 0.1}"]
    return ["unlearn", walked.root, *where, *method, "--tracking", "mlflow", *options(SETTINGS), *more]


@pytest.fixture(scope="module")
def recorded(server, walked):
    """A revision beside three retrained networks: its run as the client reads it, and its folder."""
    out = walked.folder / "revision"
    words = unlearn_words(walked, out, "--reference", "retrain", "--set", "run_name=first")
    code, shown, said = command(*words, folder=walked.folder, uri=server)
    assert code in (0, 3), said
    assert "Warning: MLflow" not in said
    # MLflow's client prints where a run is, and the address of a server may have a password.
    assert server not in shown + said
    client = client_of(server)
    experiment = client.get_experiment_by_name("monai_unlearn")
    (found,) = client.search_runs([experiment.experiment_id], "attributes.run_name = 'first'")
    return client, found, RunFolder(out)


def evidence_of(recorded):
    return json.loads(recorded[2].metrics.read_text(encoding="utf-8"))


def test_the_server_has_its_default_store(server, recorded, tmp_path_factory):
    folder = next(tmp_path_factory.getbasetemp().glob("server*"))
    assert (folder / "mlflow.db").read_bytes().startswith(b"SQLite format 3")


def test_the_run_is_finished_and_tagged_with_its_verdict(recorded):
    _, found, _ = recorded
    assert found.info.status == "FINISHED"
    assert found.info.end_time >= found.info.start_time
    assert found.data.tags["verdict"] == evidence_of(recorded)["verdict"]
    assert "mlflow.parentRunId" not in found.data.tags


def test_parameters_say_of_what_and_how(recorded, walked):
    given = recorded[1].data.params
    metadata = json.loads((walked.root / "configs" / "metadata.json").read_text(encoding="utf-8"))
    expected = {
        "spec_digest": CohortSpec.read(walked.folder / "spec.yaml").digest,
        "index_digest": Index.open(walked.folder / "index").digest,
        "method": "psg",
        "method.epsilon": "0.1",
        "seed": "0",
        "budget": "0.1",
        "objective": "match_reference",
        "bundle": metadata["name"],
        "bundle_version": metadata["version"],
    }
    assert {name: given.get(name) for name in expected} == expected
    assert {"tool_version", "max_epochs", "epoch_length"} <= given.keys()


def test_every_subset_is_recorded_at_the_end(recorded):
    client, found, _ = recorded
    evidence, values = evidence_of(recorded), found.data.metrics
    networks = evidence["models"]
    assert {"original", "revised", "reference"} <= networks.keys()
    for name, parts in networks.items():
        for part, splits in parts.items():
            for split, figures in splits.items():
                if figures.get("accuracy") is None:
                    continue
                key = f"{name}/{part}_{split}/accuracy"
                assert values[key] == pytest.approx(figures["accuracy"]), key
                (one,) = client.get_metric_history(found.info.run_id, key)
                assert one.step == SETTINGS["steps"]
    subsets = {key.split("/")[1] for key in values if key.startswith("revised/")}
    assert {f"{part}_{split}" for part in ("forget", "remain") for split in ("train", "test")} <= subsets


def test_every_gap_that_was_judged_is_recorded(recorded):
    values = recorded[1].data.metrics
    rows = evidence_of(recorded)["decision"]["endpoints"]
    judged = {f"gap/{row['subset']}/{row['measure']}/{row['class']}": row["d"] for row in rows}
    known = {name: value for name, value in judged.items() if value is not None}
    assert known
    assert {name: values.get(name) for name in known} == pytest.approx(known)


def test_steps_are_recorded_where_they_are_looked_at(recorded):
    client, found, _ = recorded
    losses = client.get_metric_history(found.info.run_id, "train_loss")
    assert [one.step for one in losses] == [1, 2, 3]
    looked_at = [key for key in found.data.metrics if key.startswith("on_the_way/")]
    assert looked_at
    for key in looked_at:
        steps = [one.step for one in client.get_metric_history(found.info.run_id, key)]
        assert steps == sorted(set(steps))
        assert len(steps) > 1, key


def test_files_are_those_that_name_nobody(recorded, walked, tmp_path):
    client, found, folder = recorded
    assert {one.path for one in client.list_artifacts(found.info.run_id)} == FILES
    frame = Index.open(walked.folder / "index").frame()
    secret = {*frame["image_id"], *frame["patient"], *map(str, frame["path"])}
    for name, original in {
        "model_card_diff.html": folder.card_page,
        "metrics.json": folder.metrics,
        "cohort_manifest.json": folder.manifest,
    }.items():
        fetched = Path(client.download_artifacts(found.info.run_id, name, str(tmp_path))).read_bytes()
        assert fetched == original.read_bytes()
        text = fetched.decode("utf-8")
        assert [one for one in secret if one in text] == []


def test_a_run_that_fails_is_closed_as_failed(server, walked):
    words = unlearn_words(walked, walked.folder / "failed", "--reference", "none.pt", "--set", "run_name=failed")
    code, _, said = command(*words, folder=walked.folder, uri=server)
    assert code == 2, said
    client = client_of(server)
    experiment = client.get_experiment_by_name("monai_unlearn")
    (found,) = client.search_runs([experiment.experiment_id], "attributes.run_name = 'failed'")
    assert found.info.status == "FAILED"
    assert found.data.tags["error"] == "ConfigError"
    assert "verdict" not in found.data.tags
    assert client.list_artifacts(found.info.run_id) == []


def test_without_a_server_the_store_lies_beside_the_results_and_tensorboard_reads_the_steps(walked, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = {"_target_": "TensorBoardStatsHandler", "log_dir": str(tmp_path / "board"), "epoch_log": False}
    words = unlearn_words(walked, tmp_path / "out", *options({"train::handlers": [board]}))
    code, _, said = command(*words, folder=tmp_path)
    assert code == 3, said
    client = client_of(f"sqlite:///{tmp_path}/mlruns.db")
    experiment = client.get_experiment_by_name("monai_unlearn")
    (found,) = client.search_runs([experiment.experiment_id])
    assert (found.info.status, found.data.tags["verdict"]) == ("FINISHED", "not_known")
    assert {one.path for one in client.list_artifacts(found.info.run_id)} == FILES
    assert {path.name for path in tmp_path.iterdir()} == {"out", "board", "mlruns.db", "mlruns"}
    scalars = EventAccumulator(str(tmp_path / "board"))
    scalars.Reload()
    (tag,) = scalars.Tags()["scalars"]
    losses = [one.value for one in client.get_metric_history(found.info.run_id, "train_loss")]
    assert [one.step for one in scalars.Scalars(tag)] == [1, 2, 3]
    assert [one.value for one in scalars.Scalars(tag)] == pytest.approx(losses)


def sweep(walked, out):
    settings = {name: value for name, value in SETTINGS.items() if name != "steps"}
    where = [walked.root / "configs" / "unlearn.yaml", walked.folder / "spec.yaml", "--index", walked.folder / "index"]
    return ["sweep", *where, "--out", out, "--set", "steps=1,2", *options(settings, "--fix")], 2


def compare(walked, out):
    where = [walked.root, "--index", walked.folder / "index", "--spec", walked.folder / "spec.yaml"]
    chosen = ["--methods", "finetune,reset", "--trials", "1"]
    return ["compare", *where, "--out", out, *chosen, *options(SETTINGS, "--fix")], 2


def rehearse(walked, out):
    new = walked.folder / "retire-new.yaml"
    new.write_text(SPEC.replace("Old", "New").replace("retire-old", "retire-new"), encoding="utf-8")
    where = [walked.root, "--index", walked.folder / "index", "--spec", walked.folder / "spec.yaml", "--spec", new]
    chosen = ["--methods", "finetune", "--trials", "1", "--tune-on", "0"]
    return ["rehearse", *where, "--out", out, *chosen, *options(SETTINGS, "--fix")], 2


@pytest.mark.parametrize("kind", [sweep, compare, rehearse], ids=lambda kind: kind.__name__)
def test_runs_of_an_experiment_are_nested_in_one_of_its_own(kind, server, walked, tmp_path):
    name, out = kind.__name__, tmp_path / "experiment"
    words, count = kind(walked, out)
    code, shown, said = command(*words, "--tracking", "mlflow", "--json", folder=tmp_path, uri=server)
    assert code == 0, said
    assert json.loads(shown)
    assert server not in said
    client = client_of(server)
    experiment = client.get_experiment_by_name("monai_unlearn").experiment_id
    (parent,) = client.search_runs([experiment], f"attributes.run_name = '{name}'")
    assert parent.info.status == "FINISHED"
    fetched = client.download_artifacts(parent.info.run_id, f"{name}.json", str(tmp_path))
    written = json.loads((out / f"{name}.json").read_text(encoding="utf-8"))
    assert json.loads(Path(fetched).read_text(encoding="utf-8")) == written
    nested = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
    assert [one.info.status for one in nested] == ["FINISHED"] * count
    assert all(one.data.tags["verdict"] for one in nested)
    assert all(one.data.params["method"] for one in nested)
