"""What a revision will cost, before it starts: its bundle run goes as far as its first step, and writes nothing."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.run_configs import run_configs
from monai_unlearn.experiments.runner import bundle_command
from monai_unlearn.safe_path import safe_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS = 600
_ERROR = "Error: "


def estimate(bundle: Path, settings: Mapping[str, object]) -> dict[str, Any]:
    """Return what a revision will cost; see `engine.estimate.estimate_of` for its keys.

    Bundle, index, spec and settings are checked as by the run itself, and a batch is timed on this machine.

    Args:
        bundle: The bundle's folder, or the `unlearn.yaml` in its configs.
        settings: Settings of its command line, by their ids; where results would go need not be among them.

    Raises:
        ConfigError: The run would refuse its input; the message is that of the run.
    """
    with tempfile.TemporaryDirectory(prefix="monai-unlearn-estimate-") as folder:
        report = Path(folder, "estimate.json")
        asked = {**settings, "output_dir": Path(folder, "run"), "estimate": report}
        words = bundle_command(run_configs(bundle), "unlearn", asked)
        try:
            done = subprocess.run(  # noqa: S603 - no shell; the words are those of the run itself
                words,
                env=safe_environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise ConfigError(f"no estimate within {_SECONDS} seconds: start the revision without one.") from None
        if report.is_file():
            found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
            return found
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    raise ConfigError((lines[-1] if lines else f"it ended with {done.returncode}.").removeprefix(_ERROR))


def estimate_lines(found: Mapping[str, Any]) -> list[str]:
    r"""Return what an estimate says, in sentences.

    >>> gradients = {"unlearning": 2400, "references": 72000, "total": 74400}
    >>> seconds = {"unlearning": 60.0, "references": 1800.0, "total": 1860.0}
    >>> found = {"images": {"forget": 40, "remain": 400}, "steps": 75, "gradient_evaluations": gradients}
    >>> found |= {"seconds": seconds, "share_of_retraining": 0.1, "networks_to_retrain": 3}
    >>> print(*estimate_lines(found), sep="\n")
    40 images to forget, 400 to keep, to learn from.
    75 steps, 2,400 gradients of single images: 10.0 % of retraining once. About 1 minute on this machine.
    3 networks retrained without the cohort, to compare with: 72,000 gradients. About 30 minutes more.
    """
    images, gradients, seconds = found["images"], found["gradient_evaluations"], found["seconds"]
    share = found["share_of_retraining"]
    of = "" if share is None else f": {share:.1%} of retraining once".replace("%", " %")
    lasting = duration(seconds["unlearning"])
    steps = f"{found['steps']:,} steps, " if found["steps"] else "No steps, "
    lines = [
        f"{images['forget']:,} images to forget, {images['remain']:,} to keep, to learn from.",
        f"{steps}{gradients['unlearning']:,} gradients of single images{of}. About {lasting} on this machine.",
    ]
    if found["networks_to_retrain"]:
        cost = (
            "what that costs is not known, since no training record says what training took."
            if gradients["references"] is None
            else f"{gradients['references']:,} gradients. About {duration(seconds['references'])} more."
        )
        lines.append(f"{found['networks_to_retrain']} networks retrained without the cohort, to compare with: {cost}")
    return lines


def duration(seconds: float) -> str:
    """Return how long something takes, to two digits at most.

    >>> duration(0.4), duration(60), duration(5000), duration(200_000)
    ('1 second', '1 minute', '1.4 hours', '2.3 days')
    """
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            number = seconds / size
            text = f"{number:.0f}" if number >= 10 else f"{number:.1f}".removesuffix(".0")  # noqa: PLR2004 - two digits
            return _counted(text, name)
    return _counted(str(max(1, round(seconds))), "second")


def _counted(number: str, name: str) -> str:
    """Return a number that is written already, and what it counts: `1 minute`, `1.5 minutes`."""
    return f"{number} {name if number == '1' else name + 's'}"
