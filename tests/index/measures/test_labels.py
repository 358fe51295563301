from __future__ import annotations

import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.measures.labels import MaskLabels, column_name


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Left Lung", "left_lung"),
        ("Liver (whole)", "liver_whole"),
        ("  r-iris__2 ", "r_iris_2"),
        ("Hémisphère", "hemisphere"),
        ("3rd ventricle", "label_3rd_ventricle"),
        ("肝臓", "肝臓"),
        ("--", ""),
    ],
)
def test_label_becomes_a_column_name(label, name):
    assert column_name(label) == name


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a.json", '{"Left Lung": 1, "liver": 2, "background": 0}'),
        ("a.json", '{\t"1": "Left Lung", "2": "liver"}'),
        ("a.yaml", "Left Lung: 1\nliver: 2\n"),
        ("a.yml", "1: Left Lung\n2: liver\n0: background\n"),
        ("a.yaml", "{1: Left Lung, 2: liver}"),
    ],
)
def test_labels_may_map_names_to_values_or_values_to_names(file, text, tmp_path):
    (tmp_path / file).write_text(text, encoding="utf-8")
    labels = MaskLabels.read(tmp_path / file)
    assert labels.names == {1: "left_lung", 2: "liver"}
    assert labels.name(7) == "label_7"


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("a.json", "[]", "expected a mapping"),
        ("a.json", "{}", "expected a mapping"),
        ("a.json", "{", r"a.json:1:2: not valid JSON here"),
        ("a.json", '{"a": 1, "a": 2}', "a flat mapping without repeated keys"),
        ("a.json", "[" * 10_000, "expected"),
        ("a.yaml", "a: 1\na: 2\n", "the key 'a' occurs twice"),
        ("a.yaml", "a: &x 1\n", "anchors and aliases are not allowed"),
        ("a.yaml", "a: {b: 1}\n", "'a': expected a name with a whole number"),
        ("a.yaml", "a: b\n", "'a': expected a name with a whole number"),
        ("a.yaml", "1: 2\n", "'1': expected a name with a whole number"),
        ("a.yaml", "a: true\n", "'a': expected a name with a whole number"),
        ("a.yaml", "a: 1.5\n", "'a': expected a name with a whole number"),
        ("a.yaml", "a: -1\n", "'a': expected a value from 0 to 2147483647, got -1"),
        ("a.yaml", "a: 2147483648\n", "'a': expected a value from 0 to"),
        ("a.yaml", "a: 1\nb: 1\n", "the value 1 has two labels"),
        ("a.yaml", "left lung: 1\nLeft-Lung: 2\n", "becomes the column name 'left_lung', which is empty or taken"),
        ("a.yaml", "'--': 1\n", "becomes the column name '', which is empty or taken"),
        ("a.yaml", "label_2: 1\n", "'label_2' names the value 2; rename it for 1"),
    ],
)
def test_other_content_is_an_error(file, text, message, tmp_path):
    (tmp_path / file).write_text(text, encoding="utf-8")
    with pytest.raises(IndexReadError, match=message):
        MaskLabels.read(tmp_path / file)


def test_missing_file_is_an_error(tmp_path):
    with pytest.raises(IndexReadError, match="absent.json: cannot be read"):
        MaskLabels.read(tmp_path / "absent.json")
