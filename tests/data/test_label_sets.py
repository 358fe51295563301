from __future__ import annotations

import pytest
from cohort_index import make_index

from monai_unlearn.data.label_sets import label_sets, set_names
from monai_unlearn.errors import ConfigError, DataError
from monai_unlearn.vocabulary.fields import Kind

LABELS = ["edema", "mass"]


def index_of(folder, **columns):
    kinds = {name: Kind.NUMBER if isinstance(values[0], int) else Kind.TEXT for name, values in columns.items()}
    return make_index(folder / "index", columns, kinds)


def numbers(index, key, labels=LABELS):
    images = index.frame(["image_id"])["image_id"].iloc[::-1]
    return label_sets(index, labels, key, images).tolist()[::-1]


def test_bit_k_of_a_set_is_label_k():
    assert set_names(["a", "b", "c"])[0b101] == "a + c"
    assert set_names(["a"]) == ("none", "a")


@pytest.mark.parametrize("labels", [["a"] * 2, [str(number) for number in range(15)]])
def test_too_many_labels_or_one_twice_are_refused(labels):
    with pytest.raises(ConfigError, match="at most 14 labels, each once"):
        set_names(labels)


@pytest.mark.parametrize(
    ("labels", "doubled"),
    [
        (["none", "mass"], "none"),
        (["none"], "none"),
        (["edema", "mass", "edema + mass"], "edema . mass"),
        (["finding", "no finding"], "no finding"),
        (["no finding", "finding"], "no finding"),
    ],
)
def test_names_that_would_mean_two_things_are_refused(labels, doubled):
    """Images without labels would be trained as those of `none`; two states of one name cannot be told apart."""
    with pytest.raises(ConfigError, match=f"class_names: '{doubled}' would mean two things"):
        set_names(labels)
    assert set_names(["no", "no edema"])[3] == "no + no edema"


def test_the_word_for_no_label_is_no_label(tmp_path):
    with pytest.raises(ConfigError, match="label_key: the word for an image without any label, 'mass', is one of"):
        numbers(index_of(tmp_path, found=["mass", "edema"]), {"column": "found", "none": "mass"})


def test_columns_of_zero_and_one_in_the_order_of_the_outputs(tmp_path):
    index = index_of(tmp_path, x=[0, 1, 0, 1], y=["False", "no", "yes", "True"])
    assert numbers(index, ["x", "y"]) == [0, 1, 2, 3]
    assert numbers(index, ["y", "x"]) == [0, 2, 1, 3]


def test_a_column_of_names(tmp_path):
    index = index_of(
        tmp_path, found=["none", "edema", "mass", "mass | edema"], other=["No", "mass", "mass;edema", "mass"]
    )
    assert numbers(index, "found") == [0, 1, 2, 3]
    assert numbers(index, {"column": "other", "none": "No", "separator": ";"}) == [0, 2, 3, 2]


def test_what_is_not_known_of_a_label_is_refused(tmp_path):
    index = index_of(tmp_path, x=[0, 1, -1, 1], y=[0, 0, 0, 0], found=["none", "", "none|mass", "cyst"])
    with pytest.raises(DataError, match="the column 'x' is neither 0 nor 1 for 1 of 4 images"):
        numbers(index, ["x", "y"])
    with pytest.raises(DataError, match=r"the column 'found' is empty or names something else .* for 3 of 4 images"):
        numbers(index, "found")


@pytest.mark.parametrize("key", [["x"], {"none": "x"}, {"column": "x", "seperator": ";"}])
def test_a_key_that_is_none_is_refused(key, tmp_path):
    with pytest.raises(ConfigError, match="label_key"):
        numbers(index_of(tmp_path, x=[0, 1], y=[0, 1]), key)


def test_a_column_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match="label_key: expected one of .*Did you mean 'mass'"):
        numbers(index_of(tmp_path, edema=[0, 1], mass=[0, 1]), ["edema", "masss"])
