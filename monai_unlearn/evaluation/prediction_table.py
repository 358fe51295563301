"""What every network predicts for every image: the table from which each figure can be computed again.

`evidence/predictions.parquet` is this table. One row an image, in this Arrow schema:

| column | type | content |
| --- | --- | --- |
| `image_id` | string | the image's id in the index; unique |
| `patient` | string, may be null | the patient's key in the index |
| `part` | string | `forget`, `remain`, `undetermined`, or `earlier:VERSION`: what an earlier revision forgot |
| `split` | string | `train`, `validation` or `test` |
| `label` | string | the true class, by name |
| `slice:NAME` | string, may be null | a slice that the image is in, such as `slice:sex`; see `slices.py` |
| `logits:NETWORK` | fixed-size list of float32, one a class | what the network says, in the order of the classes |

The schema's metadata has the key `monai_unlearn` with JSON: `schema_version`, `class_names`, `multilabel` and
`networks`, each with `name`, `role`, `seed` and `recorded`. Where `multilabel` is true, an image may have several
labels, and has a row for each label; the classes are the states of the labels, see `label_states.py`. The table stays
with the images: it holds ids of images and patients.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn.errors import DataError, check_choice
from monai_unlearn.staging import staged_file
from monai_unlearn.vocabulary.parts import PARTS, SPLITS, is_earlier

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.floating[Any]]

SCHEMA_VERSION = 1
KEY = b"monai_unlearn"
ROLES = ("original", "revised", "repeat", "reference", "control", "proxy")
"""The network to revise; the revised one, which is judged; the same revision under other seeds; retrained networks;
the BatchNorm controls of the first two, named as they are with `RECALIBRATED` or, before recalibration, `AS_TRAINED`
behind; and a predictor's stand-ins for retrained networks."""
RECALIBRATED, AS_TRAINED = "_recalibrated", "_as_trained"

COLUMNS = ("image_id", "patient", "part", "split", "label")
LOGITS, SLICE = "logits:", "slice:"


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network of the table.

    Args:
        name: Names its column, such as `reference-3`.
        role: One of `ROLES`.
        seed: The seed that it was trained or revised with, if known.
        recorded: Whether its training record says that it was trained on the remain part alone. Only of references:
            one without a record proves nothing, since it may have seen the forget part.
        predictor: Of a proxy, the predictor that it is of.

    Raises:
        DataError: The role is unknown.
    """

    name: str
    role: str
    seed: int | None = None
    recorded: bool = True
    predictor: str | None = None

    def __post_init__(self) -> None:
        check_choice(self.role, ROLES, name=f"role of the network {self.name}", error=DataError)


@dataclass(frozen=True, kw_only=True)
class PredictionTable:
    """The logits of every network for every image, with what is needed to judge them.

    Args:
        frame: One row an image: `image_id`, `patient`, `part`, `split`, `label` and `slice:NAME` columns.
        class_names: The classes, in the order of the logits.
        networks: The networks; one has the role `original`, one `revised`.
        logits: Of each network by name, shape (image, class); kept as float32. A network that gave no finite output
            for an image has NaN there: it is counted, never left out.
        multilabel: Whether a row is a decision on one label of an image; see `label_states.py`.

    Raises:
        DataError: A column, a class, a network or a shape does not fit; the message says which.

    >>> import pandas as pd
    >>> image = {"image_id": "a", "patient": "p", "part": "forget", "split": "test", "label": "x"}
    >>> networks = (Network(name="original", role="original"), Network(name="revised", role="revised"))
    >>> logits = {"original": np.array([[2.0, 0.0]]), "revised": np.array([[0.0, 2.0]])}
    >>> table = PredictionTable(frame=pd.DataFrame([image]), class_names=("x", "y"), networks=networks, logits=logits)
    >>> table.probabilities("original").round(2).tolist()
    [[0.88, 0.12]]
    """

    frame: pd.DataFrame
    class_names: tuple[str, ...]
    networks: tuple[Network, ...]
    logits: Mapping[str, Floats] = field(repr=False)
    multilabel: bool = False

    def __post_init__(self) -> None:
        _check_columns(self.frame)
        _check_words(self.frame, self.class_names)
        _check_rows(self.frame, self.class_names if self.multilabel else ())
        _check_networks(self.networks)
        kept = {one.name: np.asarray(self.logits[one.name], dtype=np.float32) for one in self._with_logits()}
        for name, found in kept.items():
            if found.shape != (expected := (len(self.frame), len(self.class_names))):
                raise DataError(f"predictions: expected logits of shape {expected}, got {found.shape} of {name}.")
        object.__setattr__(self, "frame", self.frame.reset_index(drop=True))
        object.__setattr__(self, "logits", MappingProxyType(kept))

    def _with_logits(self) -> tuple[Network, ...]:
        if names := sorted({one.name for one in self.networks} ^ set(self.logits)):
            raise DataError(f"predictions: expected logits for each network and no others, see {', '.join(names)}.")
        return self.networks

    def named(self, role: str) -> tuple[str, ...]:
        """Return the names of the networks of a role, in their order."""
        return tuple(one.name for one in self.networks if one.role == role)

    @property
    def slices(self) -> tuple[str, ...]:
        """The names of the slice columns, without their prefix."""
        return tuple(name.removeprefix(SLICE) for name in self.frame.columns if name.startswith(SLICE))

    def probabilities(self, network: str) -> npt.NDArray[np.float64]:
        """Return the softmax of a network's logits, float64, shape (image, class); NaN where a logit is not finite."""
        logits = self.logits[network].astype(np.float64)
        logits = np.where(np.isfinite(logits).all(1, keepdims=True), logits, np.nan)
        powers = np.exp(logits - logits.max(1, initial=-np.inf, keepdims=True))
        return np.asarray(powers / powers.sum(1, keepdims=True))

    def write(self, path: Path) -> None:
        """Write the table as Parquet, whole or not at all."""
        with staged_file(path) as aside:
            pq.write_table(_to_arrow(self), aside)

    @classmethod
    def read(cls, path: Path) -> PredictionTable:
        """Read a table that `write` wrote.

        Raises:
            DataError: The file cannot be read, or is not such a table of this version.
        """
        try:
            found = pq.read_table(path)
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{path}: expected a Parquet file of predictions, which cannot be read: {error}") from error
        return _from_arrow(found, str(path))


def _check_columns(frame: pd.DataFrame) -> None:
    missing = [name for name in COLUMNS if name not in frame.columns]
    others = [name for name in frame.columns if name not in COLUMNS and not str(name).startswith(SLICE)]
    if missing or others:
        raise DataError(
            f"predictions: expected the columns {', '.join(COLUMNS)} and any {SLICE}NAME; "
            f"missing: {', '.join(missing) or 'none'}; not expected: {', '.join(map(str, others)) or 'none'}."
        )


def _check_rows(frame: pd.DataFrame, states: tuple[str, ...]) -> None:
    """Refuse a second row of an image or, where there are states of labels, of an image and a label."""
    label = {name: number // 2 for number, name in enumerate(states)}
    rows = frame[["image_id"]].assign(label=frame["label"].map(label) if states else 0)
    if twice := int(rows.duplicated().sum()):
        of_what = "image and label" if states else "image"
        raise DataError(
            f"predictions: expected one row per {of_what}, got {twice} rows of images that have one already."
        )


def _check_words(frame: pd.DataFrame, class_names: tuple[str, ...]) -> None:
    for column, known in {"part": PARTS, "split": SPLITS, "label": class_names}.items():
        is_known = frame[column].isin(known)
        if column == "part":
            is_known |= frame[column].astype(str).map(is_earlier).astype(bool)
        if others := int((~is_known).sum()):
            raise DataError(f"predictions: expected {', '.join(known)} in the column {column}; {others} rows differ.")


def _check_networks(networks: tuple[Network, ...]) -> None:
    names = [one.name for one in networks]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise DataError(f"predictions: two networks have the name {twice[0]}.")
    for role in ("original", "revised"):
        if (count := sum(one.role == role for one in networks)) != 1:
            raise DataError(f"predictions: expected one network of the role {role}, got {count}.")


def _to_arrow(table: PredictionTable) -> pa.Table:
    columns = {name: pa.array(table.frame[name].astype(object), pa.string(), from_pandas=True) for name in table.frame}
    for name, logits in table.logits.items():
        flat = pa.array(np.ascontiguousarray(logits).reshape(-1), pa.float32())
        columns[LOGITS + name] = pa.FixedSizeListArray.from_arrays(flat, len(table.class_names))
    document = {
        "schema_version": SCHEMA_VERSION,
        "class_names": list(table.class_names),
        "multilabel": table.multilabel,
        "networks": [asdict(one) for one in table.networks],
    }
    return pa.table(columns).replace_schema_metadata({KEY: json.dumps(document)})


def _from_arrow(found: pa.Table, source: str) -> PredictionTable:
    document = json.loads((found.schema.metadata or {}).get(KEY, b"{}"))
    if document.get("schema_version") != SCHEMA_VERSION:
        raise DataError(
            f"{source}: expected predictions of schema version {SCHEMA_VERSION}, got "
            f"{document.get('schema_version', 'a file without a version')}. Write them with this version of the tool."
        )
    class_names = tuple(document["class_names"])
    networks = tuple(Network(**one) for one in document["networks"])
    if missing := [one.name for one in networks if LOGITS + one.name not in found.column_names]:
        raise DataError(f"{source}: expected a column of logits for each network; missing: {', '.join(missing)}.")
    logits = {
        one.name: found[LOGITS + one.name].combine_chunks().flatten().to_numpy(zero_copy_only=False) for one in networks
    }
    shaped = {name: values.reshape(-1, len(class_names)) for name, values in logits.items()}
    words = [name for name in found.column_names if not name.startswith(LOGITS)]
    return PredictionTable(
        frame=found.select(words).to_pandas(),
        class_names=class_names,
        networks=networks,
        logits=shaped,
        multilabel=document["multilabel"],
    )
