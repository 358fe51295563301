"""What an unlearning run gave, read from its folder: for Python, for notebooks, and for `monai-unlearn unlearn`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from monai_unlearn.errors import ConfigError, ExitCode
from monai_unlearn.evaluation.decision.verdict import exit_code, promotes
from monai_unlearn.notebook import framed, items, paragraph, table
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

ALL = "all"


@dataclass(frozen=True)
class Card:
    """The model-card difference; a notebook shows the page.

    Attributes:
        path: The page, one HTML file that loads nothing.
    """

    path: Path

    @property
    def html(self) -> str:
        """The page."""
        return self.path.read_text(encoding="utf-8")

    def _repr_html_(self) -> str:
        return framed(self.html)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run gave, whatever its verdict.

    Attributes:
        output_dir: The folder of the run: the bundle, which travels, and the evidence, which stays.
        document: What `metrics.json` holds.
    """

    output_dir: Path
    document: Mapping[str, Any] = field(repr=False)

    @classmethod
    def read(cls, output_dir: str | Path) -> Result:
        """Read the result of a run from its folder.

        Raises:
            ConfigError: The folder is not that of a finished run.
        """
        path = RunFolder(Path(output_dir)).metrics
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"{output_dir}: expected the output folder of a finished run, with {path.name} in {path.parent.name}/, "
                f"but cannot read it ({type(error).__name__})."
            ) from None
        return cls(output_dir=Path(output_dir), document=document)

    @property
    def verdict(self) -> str:
        """The verdict, such as `equivalent` or `not_known`."""
        return str(self.document["verdict"])

    @property
    def accepted(self) -> bool:
        """Whether the verdict promotes the bundle."""
        return promotes(self.verdict)

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the same run as a command: 0, or 3 where the verdict does not promote the bundle."""
        return exit_code(self.verdict)

    @property
    def why(self) -> tuple[str, ...]:
        """The reasons of the verdict, in sentences."""
        return tuple(self.document["why"])

    @property
    def needs(self) -> tuple[str, ...]:
        """What would decide, or lend more support, in sentences."""
        return tuple(need["text"] for need in self.document["needs"])

    @property
    def line(self) -> str:
        """The verdict in one line."""
        return str(self.document["decision"]["line"])

    @property
    def bundle(self) -> Path:
        """The bundle with the new weights: `revised_bundle`, or `rejected_bundle` where it is not promoted."""
        return RunFolder(self.output_dir).bundle(accepted=self.accepted)

    @property
    def evidence(self) -> Path:
        """The folder that stays with the images."""
        return RunFolder(self.output_dir).evidence

    @property
    def card(self) -> Card:
        """The model-card difference."""
        return Card(RunFolder(self.output_dir).card_page)

    @property
    def metrics(self) -> pd.DataFrame:
        """Every network on every subset by every metric, a row each.

        The columns are `network`, `part`, `split`, `class` (`all` for all classes together), `metric`, `value`, `low`
        and `high` (the ends of its interval of 95 %) and `images`; a value that there is none of is NaN.
        """
        import pandas as pd

        columns = ["network", "part", "split", "class", "metric", "value", "low", "high", "images"]
        frame = pd.DataFrame(list(self._rows()), columns=columns)
        return frame.astype(dict.fromkeys(("value", "low", "high"), "float64"))

    def summary(self) -> dict[str, Any]:
        """Return the verdict, what it rests on, and where the results are, as plain values."""
        return {
            **{name: self.document[name] for name in ("verdict", "why", "needs", "basis", "warnings")},
            "method": self.document["method"],
            "line": self.line,
            "accepted": self.accepted,
            "exit_code": int(self.exit_code),
            "bundle": str(self.bundle),
            "evidence": str(self.evidence),
            "card": str(self.card.path),
        }

    def _rows(self) -> Iterator[tuple[object, ...]]:
        for one in figures(self.document["models"]):
            low, high = one.interval or (None, None)
            place = one.network, one.part, one.split, ALL if one.class_name is None else one.class_name
            yield *place, one.metric, one.value, low, high, one.images

    def _repr_html_(self) -> str:
        """Return the verdict, its reasons, and the accuracy of the networks that matter most, for notebooks."""
        from monai_unlearn.evaluation.prediction_table import AS_TRAINED, RECALIBRATED

        rows = [
            (network, f"{part} {split}", subset["n"], _percent(subset))
            for network, part, split, subset in _subsets(self.document["models"])
            if not network.endswith((AS_TRAINED, RECALIBRATED))
        ]
        return "".join(
            [
                paragraph(self.line, bold=True),
                items(self.why),
                table("Accuracy in %, with its interval of 95 %", ["network", "subset", "images", "accuracy"], rows),
                paragraph(f"Bundle: {self.bundle}"),
                paragraph(f"Evidence, which stays with the images: {self.evidence}"),
            ]
        )


class Figure(NamedTuple):
    """One figure of `metrics.json`, and what it is of; `class_name` is None for all classes together."""

    network: str
    part: str
    split: str
    class_name: str | None
    metric: str
    value: float | None
    interval: list[float] | None
    images: int


def figures(models: Mapping[str, Any]) -> Iterator[Figure]:
    """Yield every figure of every network on every subset.

    Args:
        models: What `metrics.json` holds under this name.
    """
    for network, part, split, subset in _subsets(models):
        for name, measured in ((None, subset), *subset["classes"].items()):
            for metric, value, interval in _figures(measured):
                yield Figure(network, part, split, name, metric, value, interval, measured["n"])


def _subsets(models: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    for network, parts in models.items():
        for part, splits in parts.items():
            for split, subset in splits.items():
                yield network, part, split, subset


def _figures(measured: Mapping[str, Any]) -> Iterator[tuple[str, float | None, list[float] | None]]:
    """Yield name, value and interval of each metric; see `evaluation/layout.py`."""
    yield "accuracy", measured["accuracy"], measured["interval"]
    for name, entry in measured.items():
        if isinstance(entry, dict) and entry.keys() == {"value", "interval"}:
            yield name, entry["value"], entry["interval"]


def _percent(subset: Mapping[str, Any]) -> str | None:
    if subset["accuracy"] is None:
        return None
    low, high = subset["interval"]
    return f"{100 * subset['accuracy']:.1f} ({100 * low:.0f}–{100 * high:.0f})"
