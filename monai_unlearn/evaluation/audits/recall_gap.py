"""Recall gap: by how much, class by class, does the network's recall differ from that of retrained networks?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.evaluation.audits.audit import Audit, Audited
from monai_unlearn.evaluation.audits.figure import SHOWN, Figure, Finding, Row, not_measurable
from monai_unlearn.evaluation.audits.patients import bootstrapped, sums_by_patient

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]
    Ids = npt.NDArray[np.int64]


def measure(audited: Audited) -> Finding:
    """Measure Σ_c n_c/n · |recall_c − mean recall_c of the retrained networks| on every subset."""
    if not audited.retrained:
        return not_measurable("There is no retrained network whose recall could be compared with.")
    rows = []
    for subset in audited.subsets:
        chosen = audited.rows(subset)
        figures = {name: _gap(audited, name, chosen) for name in audited.subjects}
        rows.append(
            Row(
                measure="recall_gap",
                subset=subset,
                original=figures[audited.original],
                revised=figures[audited.revised],
                retrained=tuple(figures[name] for name in audited.retrained),
                headline=subset in SHOWN,
            )
        )
    return Finding(rows=tuple(rows))


def _gap(audited: Audited, name: str, rows: Ids) -> Figure:
    """Return the gap of a network to the others; its interval is a bootstrap over patients, and biased away from 0."""
    others = audited.others(name)
    if not others:
        return Figure()
    labels = audited.labels[rows]
    of_class = np.eye(len(audited.table.class_names))[labels]
    ahead = _correct(audited, name, rows, labels) - np.mean(
        [_correct(audited, other, rows, labels) for other in others], axis=0
    )
    sums = sums_by_patient(np.hstack([of_class * ahead[:, None], of_class]), audited.patients[rows])

    def gap(totals: Array) -> Array:
        # n_c/n · |Σ ahead/n_c| is |Σ ahead|/n.
        classes = totals.shape[-1] // 2
        return np.asarray(np.abs(totals[..., :classes]).sum(-1) / totals[..., classes:].sum(-1))

    value = np.array([gap(sums.sum(0))])
    return bootstrapped(lambda w: gap(w @ sums)[:, None], value, patients=len(sums), seed=audited.seed)[0]


def _correct(audited: Audited, name: str, rows: Ids, labels: Ids) -> Array:
    return np.asarray((audited.table.logits[name][rows].argmax(1) == labels).astype(float))


RECALL_GAP = Audit(
    name="recall_gap",
    description=(
        "the mean distance of each class's recall from the mean of retrained networks, weighted by the size of the "
        "class: 0 is ideal, and a retrained network has one as well"
    ),
    measure=measure,
)
