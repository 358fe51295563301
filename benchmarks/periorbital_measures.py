"""How well are diagnoses of periorbital phantoms told from the reported measures alone, without a photograph?

    python benchmarks/periorbital_measures.py

A random forest sees the measures of both sides; patients stay together in five folds. A classifier of photographs that
reaches no more has learnt nothing beyond the measures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark_options import parser_of
from demo_cohorts import index_of
from results_file import facts, write
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GroupKFold, cross_val_score

from monai_unlearn.index import Index

if TYPE_CHECKING:
    from pathlib import Path

NAME = "periorbital_measures"
SIDED = ("vpf", "mrd1", "mrd2", "hpf", "canthal_tilt")
MEASURES = [*(f"{side}_{name}" for side in "rl" for name in SIDED), "ipd", "icd"]


def accuracy(index: Path) -> float:
    """Return the mean accuracy over the folds."""
    frame = Index.open(index).frame().dropna(subset=MEASURES)
    forest = RandomForestClassifier(300, class_weight="balanced", random_state=0)
    folds = GroupKFold(5, shuffle=True, random_state=0)
    features = frame[MEASURES].to_numpy(float)
    return float(cross_val_score(forest, features, frame["diagnosis"], cv=folds, groups=frame["patient"]).mean())


def main() -> None:
    parser = parser_of(__doc__, work=NAME)
    parser.add_argument("--patients", type=int, default=600)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    found = accuracy(index_of("oculoplastic_classifier", options.patients, options.work))
    about = facts("monai-unlearn", "scikit-learn", patients=options.patients, not_measured="other seeds")
    write({"facts": about, "accuracy": found}, NAME, options.results)
    print(f"{100 * found:.1f} %")


if __name__ == "__main__":
    main()
