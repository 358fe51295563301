from __future__ import annotations

import pytest
from tiny import SPEC, tiny_index, tiny_spec, write_images

from monai_unlearn.cohort import SplitRule
from monai_unlearn.data import open_data
from monai_unlearn.errors import ConfigError, DataError, SpecError
from monai_unlearn.index import write_index
from monai_unlearn.index.pseudonyms import Pseudonyms
from monai_unlearn.vocabulary.fields import Kind

CLASSES = ("up", "down")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    tiny_index(folder)
    return folder


def test_items_carry_what_monai_needs(folder):
    data = open_data(index_dir=folder / "index", cohort_spec=tiny_spec(folder), class_names=CLASSES)
    items = data.items(["forget"], "train")
    assert [item["row"] for item in items] == list(range(len(items)))
    assert {item["label"] for item in items} == {0, 1}
    by_id = {item["image_id"]: item for item in items}
    # Patient 0 is of class `up` on the old device, patient 1 of class `down`.
    assert {by_id[name]["label"] for name in by_id if name.startswith("image-000")} <= {0}
    assert {by_id[name]["label"] for name in by_id if name.startswith("image-001")} <= {1}


@pytest.mark.parametrize("split", ["train", "test"])
def test_items_are_those_of_the_cohort_with_numbers_for_classes(folder, split):
    rule = {"seed": 3, "test_fraction": 0.4}
    data = open_data(index_dir=folder / "index", cohort_spec=tiny_spec(folder), class_names=CLASSES, split=rule)
    expected = [
        item for part in ("forget", "remain") for item in data.cohort.datalist(part, split, rule=SplitRule(**rule))
    ]
    assert len(expected) > 8
    assert data.items(["remain", "forget"], split) == [
        {"image": item["image"], "label": CLASSES.index(item["label"]), "image_id": item["image_id"], "row": row}
        for row, item in enumerate(expected)
    ]


def test_parts_and_splits_are_disjoint_and_complete(folder):
    data = open_data(index_dir=folder / "index", cohort_spec=tiny_spec(folder), class_names=CLASSES)
    lists = {
        (part, split): {item["image_id"] for item in data.items([part], split)}
        for part in ("forget", "remain", "undetermined")
        for split in ("train", "validation", "test")
    }
    assert sum(len(ids) for ids in lists.values()) == 48 == len(set().union(*lists.values()))
    assert {p: sum(splits.values()) for p, splits in data.counts().items()} == {
        "forget": 24,
        "remain": 24,
        "undetermined": 0,
    }
    assert {(p, s): n for p, splits in data.counts().items() for s, n in splits.items()} == {
        subset: len(ids) for subset, ids in lists.items()
    }


def test_without_a_spec_everything_remains(folder):
    data = open_data(index_dir=folder / "index", class_names=CLASSES)
    assert len(data.items(split="train")) + len(data.items(split="test")) == 48
    assert data.items(["forget"], "train") == []
    assert data.cohort is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"parts": ["forgot"]}, "expected one of forget, remain, undetermined, got 'forgot'. Did you mean 'forget'"),
        ({"split": "tests"}, "expected one of train, validation, test, got 'tests'. Did you mean 'test'"),
    ],
)
def test_refuses_unknown_parts_and_splits(folder, arguments, message):
    with pytest.raises(DataError, match=message):
        open_data(index_dir=folder / "index", class_names=CLASSES).items(**arguments)


def test_a_label_that_is_not_a_class_is_refused(folder):
    with pytest.raises(
        DataError, match=r"not a class of the bundle for 24 of 48 images; .* \(population: diagnosis in \[up\]"
    ):
        open_data(index_dir=folder / "index", class_names=["up"])


def test_the_population_leaves_classes_out(folder):
    spec = tiny_spec(folder, SPEC + "population: diagnosis == up\n")
    data = open_data(index_dir=folder / "index", cohort_spec=spec, class_names=["up"])
    assert sum(sum(splits.values()) for splits in data.counts().values()) == 24


@pytest.mark.parametrize("name", ["index_dir", "class_names"])
def test_says_what_is_not_set(folder, name):
    arguments = {"index_dir": folder / "index", "class_names": CLASSES, name: None}
    with pytest.raises(ConfigError, match=f"{name} is not set. Give it on the command line: --{name}"):
        open_data(**arguments)


def test_an_index_without_label_cannot_train(tmp_path):
    tiny_index(tmp_path, label=None, frame=write_images(tmp_path, patients=2))
    with pytest.raises(DataError, match="does not say which column holds the class"):
        open_data(index_dir=tmp_path / "index", class_names=CLASSES)


def test_identifiers_are_hashed_with_the_key_of_a_pseudonymised_index(tmp_path):
    frame, names = write_images(tmp_path / "pictures"), Pseudonyms(b"sixteen bytes or more")
    frame["patient"] = [names.of("patient", name) for name in frame["patient"]]
    kinds = dict.fromkeys(("ManufacturerModelName", "diagnosis"), Kind.TEXT)
    provenance = {"pseudonyms": names.fingerprint}
    write_index(frame, tmp_path / "index", kinds=kinds, label="diagnosis", provenance=provenance)
    spec = tiny_spec(tmp_path, SPEC.replace("ManufacturerModelName == Old", "patient == patient-003"))
    (tmp_path / "key").write_bytes(b"sixteen bytes or more")
    arguments = {"index_dir": tmp_path / "index", "cohort_spec": spec, "class_names": CLASSES}
    assert open_data(**arguments, keyfile=tmp_path / "key").cohort.images["forget"] == 2
    with pytest.raises(SpecError, match="is not a pseudonym, but the index is pseudonymised"):
        open_data(**arguments)


def test_items_have_what_columns_name(tmp_path):
    index = tiny_index(tmp_path)
    data = open_data(index_dir=index.directory, class_names=["down", "up"], columns={"device": "ManufacturerModelName"})
    assert {item["device"] for item in data.items(split="train")} == {"Old", "New"}
    with pytest.raises(ConfigError, match="the index has no column 'none', which is to fill 'mask'"):
        open_data(index_dir=index.directory, class_names=["down", "up"], columns={"mask": "none"})
