from __future__ import annotations

import sys

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments import estimate as module
from monai_unlearn.experiments.estimate import duration, estimate, estimate_lines

WRITES = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text('{\"steps\": 3}'); print('Reading')"
REFUSES = "print('Reading'); print('Error: budget: too small.'); raise SystemExit(2)"
SAYS_NOTHING = "raise SystemExit(1)"


@pytest.fixture
def played(tmp_path, monkeypatch):
    """A bundle whose run is a program of the test's own; `asked` has the settings of each run."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "unlearn.yaml").write_text("unlearn: []\n", encoding="utf-8")

    def play(program):
        asked = []

        def command(_configs, run_id, settings):
            asked.append((run_id, settings))
            return [sys.executable, "-c", program, str(settings["estimate"])]

        monkeypatch.setattr(module, "bundle_command", command)
        return tmp_path, asked

    return play


def test_the_run_itself_says_what_it_would_cost_and_leaves_nothing(played):
    bundle, asked = played(WRITES)
    before = sorted(bundle.rglob("*"))
    assert estimate(bundle, {"budget": 0.1}) == {"steps": 3}
    ((run_id, settings),) = asked
    assert (run_id, settings["budget"]) == ("unlearn", 0.1)
    assert not settings["estimate"].exists()
    assert not settings["output_dir"].exists()
    assert sorted(bundle.rglob("*")) == before


@pytest.mark.parametrize(("program", "said"), [(REFUSES, r"^budget: too small\.$"), (SAYS_NOTHING, "it ended with 1")])
def test_what_the_run_refuses_is_said_as_by_the_run(played, program, said):
    bundle, _ = played(program)
    with pytest.raises(ConfigError, match=said):
        estimate(bundle, {})


def test_what_is_not_known_is_said():
    found = {
        "images": {"forget": 4, "remain": 40},
        "steps": 0,
        "gradient_evaluations": {"unlearning": 30, "references": None, "total": None},
        "seconds": {"unlearning": 90.0, "references": None, "total": None},
        "share_of_retraining": None,
        "networks_to_retrain": 3,
    }
    _, revising, retraining = estimate_lines(found)
    assert revising == "No steps, 30 gradients of single images. About 1.5 minutes on this machine."
    assert "what that costs is not known, since no training record says" in retraining


@pytest.mark.parametrize(("seconds", "said"), [(0, "1 second"), (59.4, "59 seconds"), (3600 * 30, "1.2 days")])
def test_how_long_it_takes_in_words(seconds, said):
    assert duration(seconds) == said
