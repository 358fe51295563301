from __future__ import annotations

from two_bundles import weights, write_bundle

from monai_unlearn.card.bundles.compare import compare_bundles
from monai_unlearn.card.bundles.read import read_bundle
from monai_unlearn.card.bundles.tables import SHOWN, bundle_tables, difference_tables, shown


def texts(tables):
    return {table.caption: [[cell.text for cell in row] for row in table.rows] for table in tables}


def test_a_difference_is_a_table_for_each_part(tmp_path):
    old = write_bundle(tmp_path / "a")
    new = write_bundle(
        tmp_path / "b", inference={"epochs": 4}, state={**weights(0.5), "more": weights()["first.weight"]}
    )
    found = texts(difference_tables(compare_bundles(old, new)))
    assert found["Material changes"] == [["weights", "models/model.pt is another file."]]
    assert found["Weights"] == [["models/model.pt", "changed", "–"]]
    assert found["Layers of models/model.pt"] == [
        ["first.weight", "2", "0", "0"],
        ["second.weight", "4", "1", "0.25"],
        ["more", "–", "added", "–"],
    ]
    assert found["Changes of inference.json"] == [["epochs", "3", "4"]]
    assert found["Verdict"] == found["Labels"] == []


def test_a_bundle_is_a_table_for_each_part(tmp_path):
    found = texts(bundle_tables(read_bundle(write_bundle(tmp_path / "a"))))
    assert ["name", "Lungs"] in found["Identity"]
    assert found["Labels"] == [["pred", '{"0": "background", "1": "nodule"}']]
    assert found["Scripts, which run as code"][0][0] == "scripts/net.py"
    assert found["Verdict of the last revision"] == []


def test_long_values_are_shortened():
    assert len(shown("x" * 1000)) == SHOWN
    assert shown("a\nb") == "a b"
