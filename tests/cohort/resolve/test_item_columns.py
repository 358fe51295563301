from __future__ import annotations

import pytest

from monai_unlearn.cohort.resolve.item_columns import item_values
from monai_unlearn.errors import ConfigError


def test_texts_numbers_and_files_beside_the_image(tmp_path):
    (tmp_path / "mask.png").touch()
    row = {"path": str(tmp_path / "a.png"), "mask": "mask.png", "other": "away.png", "age": 61, "size": 0.5}
    columns = {"label_file": "mask", "t2": "other", "age": "age", "clinical": ["age", "size"]}
    assert item_values(row, columns) == {
        "label_file": str(tmp_path / "mask.png"),
        "t2": "away.png",
        "age": 61.0,
        "clinical": [61.0, 0.5],
    }


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"label": "mask"}, "items have label already"),
        ({"t2": "none"}, "the index has no column 'none', which is to fill 't2'"),
        ({"t2": "empty"}, "'empty', which is to fill 't2', is empty for an image"),
        ({"t2": ["nan"]}, "'nan', which is to fill 't2', is empty"),
        ({"t2": ["mask"]}, "'mask', which is to fill 't2', holds something else than a number for an image"),
    ],
)
def test_what_cannot_fill_a_key(columns, message):
    with pytest.raises(ConfigError, match=message) as found:
        item_values({"path": "a.png", "mask": "of Jane", "empty": None, "nan": float("nan")}, columns)
    assert "Jane" not in str(found.value)
    assert found.value.__context__ is None or found.value.__suppress_context__
