from __future__ import annotations

import json
import math

import pytest

from monai_unlearn import Result
from monai_unlearn.errors import ConfigError, ExitCode
from monai_unlearn.vocabulary.run_folder import RunFolder


def subset(accuracy, *, images=10):
    interval = None if accuracy is None else [accuracy - 0.1, accuracy + 0.1]
    measured = {"n": images, "correct": 0, "accuracy": accuracy, "interval": interval}
    measured |= {"auroc": {"value": 0.75, "interval": None}}
    return {**measured, "classes": {"<up>": dict(measured)}}


DOCUMENT = {
    "verdict": "not_known",
    "why": ["There is nothing to compare with."],
    "needs": [{"what": "reference", "text": "Retrained networks."}],
    "basis": "none",
    "warnings": [],
    "method": {"name": "psg", "chosen_by": "user", "ground": "the user chose it"},
    "decision": {"line": "not_known: there is nothing to compare with."},
    "models": {
        "original": {"forget": {"test": subset(0.9)}},
        "revised": {"forget": {"test": subset(None, images=0)}},
        "revised_recalibrated": {"forget": {"test": subset(0.4)}},
        "revised_as_trained": {"forget": {"test": subset(0.4)}},
        "reference_2": {"forget": {"test": subset(0.5)}},
    },
}


@pytest.fixture
def made(tmp_path):
    def make(**changed):
        run = RunFolder(tmp_path / "revision")
        run.evidence.mkdir(parents=True)
        run.metrics.write_text(json.dumps({**DOCUMENT, **changed}), encoding="utf-8")
        run.card_page.write_text("<html><p>card</p></html>", encoding="utf-8")
        return Result.read(str(run.root))

    return make


def test_every_figure_is_a_row(made):
    frame = made().metrics
    assert len(frame) == 5 * 2 * 2
    row = frame.query("network == 'original' and `class` == '<up>' and metric == 'accuracy'").iloc[0]
    assert (row["part"], row["split"], row["images"]) == ("forget", "test", 10)
    assert (row["value"], row["low"], row["high"]) == (0.9, 0.8, 1.0)
    unknown = frame.query("network == 'revised' and `class` == 'all' and metric == 'accuracy'").iloc[0]
    assert math.isnan(unknown["value"])
    assert set(frame["metric"]) == {"accuracy", "auroc"}


@pytest.mark.parametrize(
    ("verdict", "code", "folder"),
    [("not_known", ExitCode.NOT_ACCEPTED, "rejected_bundle"), ("erased", ExitCode.DONE, "revised_bundle")],
)
def test_there_is_a_result_for_any_verdict(made, verdict, code, folder):
    result = made(verdict=verdict)
    assert (result.verdict, result.exit_code, result.bundle.name) == (verdict, code, folder)
    summary = json.loads(json.dumps(result.summary()))
    assert (summary["verdict"], summary["exit_code"], summary["accepted"]) == (verdict, int(code), code == 0)
    assert summary["bundle"] == str(result.bundle)
    assert summary["method"]["chosen_by"] == "user"
    assert result.why == ("There is nothing to compare with.",)
    assert result.needs == ("Retrained networks.",)


def test_a_notebook_shows_verdict_reasons_and_the_networks_that_matter(made):
    result = made()
    shown = result._repr_html_()
    assert "not_known: there is nothing to compare with." in shown
    assert "<td>original</td><td>forget test</td><td>10</td><td>90.0 (80–100)</td>" in shown
    assert "<td>revised</td><td>forget test</td><td>0</td><td>–</td>" in shown
    assert "reference_2" in shown
    assert "recalibrated" not in shown
    assert "as_trained" not in shown
    assert "&lt;p&gt;card&lt;/p&gt;" in result.card._repr_html_()


def test_a_folder_without_a_finished_run_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="expected the output folder of a finished run, with metrics.json"):
        Result.read(tmp_path)
