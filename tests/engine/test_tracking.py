from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from evidence_example import evidence
from ignite.engine import Engine, Events
from monai.handlers import MLFlowHandler
from tiny_trainer import tiny_trainer

from monai_unlearn.engine.tracking import Tracking, figures_of, tracking_uri
from monai_unlearn.errors import ConfigError, DataError, NotAccepted


class Client:
    """What MLflow's client is asked for."""

    def __init__(self):
        self.said = []

    def create_run(self, **given):
        self.said.append(("create", given))
        return SimpleNamespace(info=SimpleNamespace(run_id="run-1"))

    def __getattr__(self, name):
        return lambda *words: self.said.append((name, *words))

    def only(self, name):
        return [words[1:] for words in self.said if words[0] == name]


class Handler(MLFlowHandler):
    """MONAI's handler without MLflow."""

    def __init__(self, name="first"):
        self.client, self.cur_run, self.run_name, self.close_on_complete = Client(), None, name, True
        self.experiment, self.params, self.metrics = None, {}, []
        self.iteration_log = self.epoch_log = False
        self.iteration_logger = self.epoch_logger = None

    def _set_experiment(self):
        self.experiment = SimpleNamespace(experiment_id="7")

    def _log_params(self, params):
        self.params |= params

    def _log_metrics(self, metrics, step=None):
        self.metrics.append((step, metrics))

    def close(self):
        self.client.said.append(("close",))


@pytest.fixture
def tracking():
    return Tracking(Handler())


def test_the_handler_leaves_the_run_open_after_the_last_step():
    engine, handler = Engine(lambda *_: None), Handler()
    handler.attach(engine)
    assert engine.has_event_handler(handler.close, Events.COMPLETED)
    assert Tracking.of(engine, [object(), handler]).handler is handler
    assert not engine.has_event_handler(handler.close, Events.COMPLETED)
    assert Tracking.of(engine, [object()]).handler is None


@pytest.mark.parametrize(
    ("error", "status", "tag"),
    [
        (None, "FINISHED", []),
        (NotAccepted("not_known"), "FINISHED", []),
        (DataError("/home/of/a/patient"), "FAILED", [("run-1", "error", "DataError")]),
        (KeyboardInterrupt(), "KILLED", []),
    ],
)
def test_the_run_is_closed_however_it_ends(tracking, error, status, tag):
    def work():
        with tracking.run({"seed": 3, "method": "x" * 900}):
            if error is not None:
                raise error

    if error is None:
        work()
    else:
        with pytest.raises(type(error)):
            work()
    client = tracking.handler.client
    assert client.only("set_terminated") == [("run-1", status)]
    assert client.only("set_tag") == tag
    assert client.said[-1] == ("close",)
    assert tracking.handler.params["seed"] == "3"
    assert len(tracking.handler.params["method"]) == 500


def test_a_run_of_others_is_its_parent(tracking, monkeypatch):
    monkeypatch.setenv("MONAI_UNLEARN_PARENT_RUN", "parent")
    with tracking.run({}):
        pass
    ((given,),) = tracking.handler.client.only("create")
    assert given == {"experiment_id": "7", "run_name": "first", "tags": {"mlflow.parentRunId": "parent"}}


def test_evaluations_are_recorded_by_step_and_class(tracking):
    measured = {
        "classes": [0, 1],
        "accuracy_by_class": [0.5, None],
        "forget_accuracy": 0.5,
        "paused_classes": [0, 1],
        "membership_auc": float("nan"),
    }
    with tracking.run({}):
        tracking.evaluated(4, measured, ("a", "b: (c)"))
    assert tracking.handler.metrics == [(4, {"on_the_way/accuracy_by_class/a": 0.5, "on_the_way/forget_accuracy": 0.5})]


def test_results_are_recorded_with_the_verdict_and_files_that_name_nobody(tracking, tmp_path):
    found = evidence(original={"forget": 90, "remain": 90}, revised={"forget": 20, "remain": 88})
    with tracking.run({}):
        tracking.finished(found, tmp_path, step=9)
    assert {step for step, _ in tracking.handler.metrics} == {9}
    recorded = {name: value for _, batch in tracking.handler.metrics for name, value in batch.items()}
    assert recorded["revised/forget_test/accuracy"] == 0.2
    assert recorded["revised/forget_test/accuracy/a"] == pytest.approx(0.2)
    client = tracking.handler.client
    assert client.only("set_tag") == [("run-1", "verdict", found["verdict"])]
    names = [Path(path).name for _, path in client.only("log_artifact")]
    assert names == ["model_card_diff.html", "metrics.json", "cohort_manifest.json"]


def test_gaps_to_the_reference_are_figures():
    parts = {"forget": 30, "remain": 90}
    found = evidence(original={"forget": 90, "remain": 90}, revised=parts, reference=parts)
    figures = dict(figures_of(found))
    assert any(name.startswith("gap/forget_train/") for name in figures)
    assert figures["reference/remain_test/accuracy"] == 0.9


@pytest.fixture
def gone(monkeypatch):
    """The service is gone once the run is open: nothing answers but the call that opens it."""
    calls = []

    def fail(*words, **_given):
        calls.append(words)
        raise ConnectionError("http://name:word@127.0.0.1:1")

    monkeypatch.setattr(Client, "__getattr__", lambda _client, _name: fail)
    monkeypatch.setattr(Handler, "_log_params", fail)
    monkeypatch.setattr(Handler, "_log_metrics", fail)
    return calls


def test_a_service_that_fails_is_said_once_and_the_revision_goes_on(tracking, gone, tmp_path, capsys):
    found = evidence(original={"forget": 90, "remain": 90}, revised={"forget": 20, "remain": 88})
    with tracking.run({"seed": 3}):
        tracking.evaluated(4, {"forget_accuracy": 0.5}, ())
        tracking.finished(found, tmp_path, step=9)
    printed = capsys.readouterr().err
    assert printed.count("Warning: MLflow failed with ConnectionError") == 1
    assert "word" not in printed
    # It is asked once for the parameters, and once more to close the run.
    assert len(gone) == 2
    assert tracking.handler.cur_run is None
    assert tracking.handler.client.said[-1] == ("close",)


@pytest.mark.parametrize("error", [NotAccepted("not_known"), DataError("the real one"), KeyboardInterrupt()])
def test_a_service_that_fails_does_not_replace_the_error_of_the_run(tracking, gone, error):
    with pytest.raises(type(error)) as found, tracking.run({}):
        raise error
    assert found.value is error
    assert gone


def test_what_the_client_prints_is_not_shown(tracking, monkeypatch, capsys):
    """When a run is closed, it prints the address, which may hold a password."""
    monkeypatch.setattr(
        Client, "set_terminated", lambda *_: sys.stdout.write("http://name:word@127.0.0.1:1"), raising=False
    )
    with tracking.run({}):
        pass
    assert capsys.readouterr().out == ""


def test_a_run_whose_service_came_back_says_that_it_is_not_complete(tracking):
    with tracking.run({}):
        tracking._try([].pop)
    client = tracking.handler.client
    assert client.only("set_tag") == [("run-1", "tracking_error", "IndexError")]
    assert client.only("set_terminated") == [("run-1", "FINISHED")]


@pytest.mark.parametrize("called", ["start", "iteration_completed", "epoch_completed", "complete"])
def test_a_handler_that_fails_does_not_end_the_trainer(called, monkeypatch, capsys):
    """In a trainer, whichever of the handler's calls it is; `iteration_log` may be a filter of iterations."""
    asked = []

    def fail(*_words, **_given):
        asked.append(called)
        raise ConnectionError

    works = {"start": lambda *_: None, "complete": lambda *_: None}
    defaults = {"iteration_completed": "_default_iteration_log", "epoch_completed": "_default_epoch_log"}
    for name, work in {
        **works,
        **dict.fromkeys(defaults.values(), lambda *_: None),
        defaults.get(called, called): fail,
    }.items():
        monkeypatch.setattr(Handler, name, work, raising=False)
    engine, handler = Engine(lambda *_: None), Handler()
    handler.iteration_log, handler.epoch_log = (lambda _engine, number: number > 1), True
    handler.attach(engine)
    tracking = Tracking.of(engine, [handler])
    with tracking.run({}):
        engine.run([1, 2, 3], max_epochs=1)
    assert asked == [called]
    assert engine.state.iteration == 3
    assert capsys.readouterr().err.count("Warning: MLflow failed") == 1


def test_nothing_is_tracked_without_a_handler(tmp_path):
    with Tracking().run({}):
        Tracking().evaluated(1, {"forget_accuracy": 0.5}, ())
        Tracking().finished({}, tmp_path, step=1)


def test_the_database_lies_beside_the_results(tmp_path):
    assert tracking_uri(tmp_path / "out") == f"sqlite:///{tmp_path.as_posix()}/mlruns.db"
    with pytest.raises(ConfigError, match="output_dir is not set"):
        tracking_uri(None)


def test_stock_handlers_of_monai_read_the_output():
    """`TensorBoardStatsHandler`, `StatsHandler` and `MLFlowHandler` take the output of a trainer as MONAI gives it."""
    from monai.handlers import StatsHandler, TensorBoardStatsHandler, from_engine

    scalars, losses = [], []
    writer = SimpleNamespace(add_scalar=lambda tag, value, step: scalars.append((tag, value, step)), flush=lambda: None)
    board = TensorBoardStatsHandler(summary_writer=writer, epoch_log=False)
    trainer = tiny_trainer(
        max_epochs=1, train_handlers=[board, StatsHandler(name="stats", tag_name="loss", epoch_log=False)]
    )
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED, lambda engine: losses.append(from_engine(["loss"], first=True)(engine.state.output))
    )
    trainer.run()
    assert [(tag, step) for tag, _, step in scalars] == [("loss", step + 1) for step in range(len(losses))]
    assert [value for _, value, _ in scalars] == losses
    assert all(isinstance(loss, float) for loss in losses)
    assert "mlflow" not in sys.modules
