from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.special import softmax

from monai_unlearn.errors import DataError
from monai_unlearn.evaluation.prediction_table import KEY, Network, PredictionTable

NETWORKS = (
    Network(name="original", role="original"),
    Network(name="revised", role="revised", seed=3),
    Network(name="reference-1", role="reference", seed=1, recorded=False),
)
FRAME = pd.DataFrame(
    {
        "image_id": ["a", "b", "c"],
        "patient": ["p", None, "q"],
        "part": ["forget", "earlier:0.2.0", "undetermined"],
        "split": ["train", "validation", "test"],
        "label": ["x", "y", "x"],
        "slice:sex": ["F", None, "M"],
    }
)
LOGITS = {one.name: np.random.default_rng(i).normal(size=(3, 2)) for i, one in enumerate(NETWORKS)}


def made(**changes):
    return PredictionTable(
        **{"frame": FRAME, "class_names": ("x", "y"), "networks": NETWORKS, "logits": LOGITS, **changes}
    )


def test_written_and_read(tmp_path):
    table = made()
    table.write(tmp_path / "predictions.parquet")
    found = PredictionTable.read(tmp_path / "predictions.parquet")
    assert (found.class_names, found.networks, found.slices) == (("x", "y"), NETWORKS, ("sex",))
    pd.testing.assert_frame_equal(found.frame, table.frame, check_dtype=False)
    for name, values in table.logits.items():
        assert np.array_equal(found.logits[name], values)


def test_a_proxy_says_which_predictor_it_is_of(tmp_path):
    proxy = Network(name="half_width-1", role="proxy", seed=1, predictor="half_width")
    logits = {**LOGITS, "half_width-1": LOGITS["revised"]}
    made(networks=(*NETWORKS, proxy), logits=logits).write(tmp_path / "predictions.parquet")
    assert PredictionTable.read(tmp_path / "predictions.parquet").networks[-1] == proxy


def test_schema_of_the_file(tmp_path):
    made().write(tmp_path / "predictions.parquet")
    schema = pq.read_schema(tmp_path / "predictions.parquet")
    assert schema.names == [*FRAME.columns, "logits:original", "logits:revised", "logits:reference-1"]
    assert schema.field("logits:revised").type == pa.list_(pa.float32(), 2)
    assert {schema.field(name).type for name in FRAME.columns} == {pa.string()}


def test_an_empty_table_is_written_and_read(tmp_path):
    empty = {name: values[:0] for name, values in LOGITS.items()}
    made(frame=FRAME[:0], logits=empty).write(tmp_path / "predictions.parquet")
    found = PredictionTable.read(tmp_path / "predictions.parquet")
    assert found.logits["revised"].shape == (0, 2)


def test_probabilities():
    expected = softmax(LOGITS["revised"].astype(np.float32).astype(float), axis=1)
    assert made().probabilities("revised") == pytest.approx(expected)
    large = {**LOGITS, "revised": np.array([[1e4, 0], [np.nan, 1], [np.inf, 1]])}
    found = made(logits=large).probabilities("revised")
    assert found[0].tolist() == [1, 0]
    assert np.isnan(found[1:]).all()


def test_names_by_role():
    assert made().named("reference") == ("reference-1",)
    assert made().named("repeat") == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frame": FRAME.drop(columns="part")}, "missing: part"),
        ({"frame": FRAME.assign(age=3)}, "not expected: age"),
        ({"frame": FRAME.assign(image_id="a")}, "2 rows of images that have one already"),
        ({"frame": FRAME.assign(part="forgotten")}, "in the column part; 3 rows differ"),
        ({"frame": FRAME.assign(split=None)}, "in the column split; 3 rows differ"),
        ({"class_names": ("x", "z")}, "in the column label; 1 rows differ"),
        ({"networks": NETWORKS[1:]}, "expected one network of the role original, got 0"),
        ({"networks": (*NETWORKS, NETWORKS[2])}, "two networks have the name reference-1"),
        ({"networks": NETWORKS[:2]}, "logits for each network and no others, see reference-1"),
        (
            {"logits": {**LOGITS, "revised": np.zeros((3, 3))}},
            r"expected logits of shape \(3, 2\), got \(3, 3\) of revised",
        ),
    ],
)
def test_faults(changes, message):
    with pytest.raises(DataError, match=message):
        made(**changes)


def test_a_role_that_is_none():
    with pytest.raises(DataError, match="role of the network x: .* Did you mean 'reference'"):
        replace(NETWORKS[0], name="x", role="references")


def test_files_that_are_no_such_table(tmp_path):
    path = tmp_path / "other.parquet"
    with pytest.raises(DataError, match="cannot be read"):
        PredictionTable.read(path)
    path.write_bytes(b"no parquet")
    with pytest.raises(DataError, match="cannot be read"):
        PredictionTable.read(path)
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(DataError, match="got a file without a version"):
        PredictionTable.read(path)
    pq.write_table(pa.table({"a": [1]}).replace_schema_metadata({KEY: b'{"schema_version": 2}'}), path)
    with pytest.raises(DataError, match="version 1, got 2"):
        PredictionTable.read(path)


def test_a_file_without_the_logits_of_a_network(tmp_path):
    path = tmp_path / "predictions.parquet"
    made().write(path)
    pq.write_table(pq.read_table(path).drop_columns(["logits:revised"]), path)
    with pytest.raises(DataError, match="missing: revised"):
        PredictionTable.read(path)
