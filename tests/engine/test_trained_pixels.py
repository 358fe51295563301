"""200 swapped files are noticed before training, unlearning or evaluation; what is compared when, in detail."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pyarrow.parquet as pq
import pytest
from bundle_run import JUDGED, PLAIN, run, unlearn
from swaps import swap_pairs, write_bitmaps
from tiny import tiny_index, tiny_spec

from monai_unlearn.data import open_data
from monai_unlearn.data.earlier import Earlier
from monai_unlearn.data.pixel_digest import PixelCheck, Seen
from monai_unlearn.engine import trained_pixels
from monai_unlearn.engine.host import ours
from monai_unlearn.engine.trained_pixels import (
    MEMBERS,
    check_before_training,
    check_trained_pixels,
    write_members,
)
from monai_unlearn.engine.training_record import images_digest
from monai_unlearn.errors import DataError
from monai_unlearn.index import Index, write_index
from monai_unlearn.index.readers.pixel_digest import pixel_digest
from monai_unlearn.vocabulary.fields import Kind

CLASSES = ["up", "down"]


def data_of(seen):
    """A stand-in for the data of a run, whose images were looked at."""
    check = PixelCheck()
    check.seen = dict(seen)
    frame = pd.DataFrame({"image_id": list(seen), "path": [f"/{one}.bmp" for one in seen]})
    return SimpleNamespace(
        pixels=check,
        frame=frame,
        earlier=Earlier(),
        items=lambda *_: frame.rename(columns={"path": "image"}).to_dict("records"),
    )


SEEN = {"a": Seen("sha256:1", 5, 6), "b": Seen("sha256:2", 5, 6), "c": Seen("sha256:3", 5, 7)}


@pytest.fixture
def trained(tmp_path):
    """The path of weights, and the record that their training would have."""
    data = data_of(SEEN)
    record = {"parts": ["remain"], "images_digest": images_digest(data, ["remain"])}
    return tmp_path / "model.pt", {**record, **write_members(tmp_path / "model.pt", data, ["remain"])}


def test_members_name_nobody(trained):
    checkpoint, record = trained
    table = pq.read_table(checkpoint.with_name(MEMBERS))
    assert table.column_names == ["member", "pixel_digest", "file_size", "file_mtime_ns", "trained"]
    assert sorted(table["pixel_digest"].to_pylist()) == ["sha256:1", "sha256:2", "sha256:3"]
    assert all(len(member) == 64 for member in table["member"].to_pylist())
    assert record["pixels_digest"].startswith("sha256:")


def test_the_same_pixels_pass(trained):
    check_trained_pixels(*trained, data_of(SEEN))
    check_trained_pixels(*trained, data_of({"a": SEEN["a"], "new": Seen("sha256:9", 1, 1)}))
    check_trained_pixels(*trained, data_of({"a": SEEN["a"]._replace(modified=9)}))
    check_before_training(trained[0], data_of(SEEN), ["remain"])


def test_other_pixels_are_refused_by_path(trained):
    changed = {**SEEN, "b": SEEN["b"]._replace(digest="sha256:9")}
    with pytest.raises(
        DataError,
        match=r"1 of 3 images have other pixels than those that .*model.pt was trained or evaluated on: b \(their",
    ):
        check_trained_pixels(*trained, data_of(changed))
    with pytest.raises(
        DataError, match=r"1 of 3 images have other pixels than when .* are the same: b \(their .*\)\. Restore"
    ):
        check_before_training(trained[0], data_of(changed), ["remain"])


def test_training_may_see_a_file_that_was_written_anew(trained):
    changed = {**SEEN, "b": Seen("sha256:9", 5, 77)}
    check_before_training(trained[0], data_of(changed), ["remain"])
    with pytest.raises(DataError, match="1 of 3 images have other pixels"):
        check_trained_pixels(*trained, data_of(changed))


def members_of(checkpoint):
    rows = pq.read_table(checkpoint.with_name(MEMBERS)).to_pylist()
    return sorted((row["pixel_digest"], row["trained"]) for row in rows)


def test_images_that_another_run_was_the_first_to_load_are_kept_and_compared(trained):
    checkpoint, record = trained
    trained_on = [("sha256:1", True), ("sha256:2", True), ("sha256:3", True)]
    check_trained_pixels(checkpoint, record, data_of({"a": SEEN["a"], "test": Seen("sha256:8", 5, 6)}))
    assert members_of(checkpoint) == [*trained_on, ("sha256:8", False)]
    with pytest.raises(DataError, match=r"1 of 2 images have other pixels than those that .* evaluated on: test \("):
        check_trained_pixels(checkpoint, record, data_of({"a": SEEN["a"], "test": Seen("sha256:9", 5, 6)}))
    check_trained_pixels(checkpoint, record, data_of({"test": Seen("sha256:9", 5, 7)}))  # written anew
    assert members_of(checkpoint) == [*trained_on, ("sha256:9", False)]
    assert write_members(checkpoint, data_of(SEEN), ["remain"])["pixels_digest"] == record["pixels_digest"]
    assert members_of(checkpoint) == [*trained_on, ("sha256:9", False)]


def test_members_that_cannot_be_written_stay_as_they_are(trained, monkeypatch):
    checkpoint, record = trained
    before = members_of(checkpoint)

    def read_only(*_, **__):
        raise PermissionError("read-only")

    monkeypatch.setattr(trained_pixels, "staged_file", read_only)
    check_trained_pixels(checkpoint, record, data_of({"test": Seen("sha256:8", 5, 6)}))
    assert members_of(checkpoint) == before


@pytest.mark.parametrize("members", [None, b"no parquet"])
def test_without_members_the_record_still_tells(members, trained):
    checkpoint, record = trained
    checkpoint.with_name(MEMBERS).unlink()
    if members is not None:
        checkpoint.with_name(MEMBERS).write_bytes(members)
    check_trained_pixels(checkpoint, record, data_of(SEEN))
    changed = data_of({**SEEN, "b": SEEN["b"]._replace(digest="sha256:9")})
    with pytest.raises(DataError, match=r"trained on have other pixels now; which of them, only training_members"):
        check_trained_pixels(checkpoint, record, changed)
    check_trained_pixels(checkpoint, {**record, "images_digest": "sha256:other"}, changed)  # nothing to compare with


def test_members_that_were_changed_do_not_count(trained):
    checkpoint, record = trained
    changed = data_of({**SEEN, "b": SEEN["b"]._replace(digest="sha256:9")})
    write_members(checkpoint, changed, ["remain"])
    with pytest.raises(DataError, match=r"have other pixels now"):
        check_trained_pixels(checkpoint, record, changed)


def test_weights_without_record_are_not_compared(tmp_path):
    check_trained_pixels(tmp_path / "model.pt", {}, data_of(SEEN))
    check_before_training(tmp_path / "model.pt", data_of(SEEN), ["remain"])


def test_members_of_no_image_can_be_written(tmp_path):
    record = write_members(tmp_path / "model.pt", data_of({}), ["remain"])
    check_trained_pixels(tmp_path / "model.pt", record, data_of(SEEN))


@contextmanager
def refused(match):
    """MONAI wraps what a component raises."""
    with pytest.raises(Exception, match="Failed to|images") as caught:
        yield
    error = ours(caught.value)
    assert isinstance(error, DataError)
    assert error.exit_code == 2
    assert re.search(match, str(error)), error


@pytest.fixture
def pictures(tmp_path):
    """The table of 260 pictures of the same size."""
    return write_bitmaps(tmp_path / "images", patients=160)


@pytest.fixture
def train(tmp_path):
    def trained(**overrides):
        settings = {"index_dir": str(tmp_path / "index"), "checkpoint": str(tmp_path / "models" / "model.pt")}
        return run("train", "train.yaml", **{**settings, "max_epochs": 1, **overrides})

    return trained


def with_stamps(frame, **columns):
    stats = [Path(path).stat() for path in frame["path"]]
    stamps = {"file_size": [stat.st_size for stat in stats], "file_mtime_ns": [stat.st_mtime_ns for stat in stats]}
    return frame.assign(**stamps, **columns)


def trained_paths(tmp_path):
    """The paths of the images that training sees, in their order."""
    split = {"seed": 0, "test_fraction": 0.2, "validation_fraction": 0.1}
    data = open_data(index_dir=tmp_path / "index", class_names=CLASSES, split=split)
    return [item["image"] for item in data.items(split="train")]


def test_200_swapped_files_are_noticed_before_training(pictures, train, tmp_path):
    tiny_index(tmp_path, frame=with_stamps(pictures))
    paths = trained_paths(tmp_path)[:200]
    swap_pairs(paths, keep_times=False)
    with refused(r"^200 of \d+ images are not the files .*: 200 have another size or time"):
        train()
    assert not (tmp_path / "models").exists()
    with refused(r"^200 of \d+ images"):
        run("evaluate", "evaluate.yaml", index_dir=str(tmp_path / "index"), checkpoint="none.pt")


def test_200_swapped_files_with_their_times_are_noticed_where_the_index_has_pixel_digests(pictures, train, tmp_path):
    digests = [pixel_digest(Path(path)) for path in pictures["path"]]
    kinds = dict.fromkeys(("ManufacturerModelName", "diagnosis", "pixel_digest"), Kind.TEXT)
    write_index(with_stamps(pictures, pixel_digest=digests), tmp_path / "index", kinds=kinds, label="diagnosis")
    assert Index.open(tmp_path / "index").columns["pixel_digest"] is Kind.TEXT
    swap_pairs(trained_paths(tmp_path)[:200])
    with refused(r"^200 of \d+ images are not the files that were indexed: 200 have other pixels"):
        train()
    assert not (tmp_path / "models").exists()


def test_200_swapped_files_with_their_times_are_noticed_where_they_were_loaded_before(pictures, train, tmp_path):
    tiny_index(tmp_path, frame=with_stamps(pictures))
    train()
    checkpoint = tmp_path / "models" / "model.pt"
    before = checkpoint.read_bytes()
    record = json.loads(checkpoint.with_name("training.json").read_text(encoding="utf-8"))
    assert pq.read_table(checkpoint.with_name(MEMBERS)).num_rows == record["images"]
    given = {"index_dir": str(tmp_path / "index"), "checkpoint": str(checkpoint)}
    run("evaluate", "evaluate.yaml", **given)
    assert pq.read_table(checkpoint.with_name(MEMBERS)).num_rows == len(pictures)
    swap_pairs(trained_paths(tmp_path)[:200])
    unlearning = {**PLAIN, **JUDGED, "cohort_spec": str(tiny_spec(tmp_path)), "output_dir": str(tmp_path / "out")}
    with refused(r"^200 of \d+ images have other pixels than when .* although size and time"):
        train()
    with refused(r"^200 of \d+ images have other pixels than those that .*model.pt was trained or"):
        unlearn(**unlearning, **given)
    with refused(r"^200 of \d+ images have other pixels"):
        run("evaluate", "evaluate.yaml", **given)
    assert checkpoint.read_bytes() == before
    assert not (tmp_path / "out").exists()


def test_a_reference_that_was_trained_on_other_pixels_is_refused(train, tmp_path):
    tiny_index(tmp_path, frame=with_stamps(write_bitmaps(tmp_path / "images")))
    spec, reference = str(tiny_spec(tmp_path)), tmp_path / "reference" / "model.pt"
    train()
    train(checkpoint=str(reference), cohort_spec=spec, parts=["remain"])
    record = reference.with_name("training.json")
    content = json.loads(record.read_text(encoding="utf-8"))
    record.write_text(json.dumps({**content, "pixels_digest": "sha256:other"}), encoding="utf-8")
    given = {"index_dir": str(tmp_path / "index"), "checkpoint": str(tmp_path / "models" / "model.pt")}
    settings = {**PLAIN, **JUDGED, "cohort_spec": spec, "output_dir": str(tmp_path / "out")}
    with refused(r"the images that .*reference/model.pt was trained on have other pixels now"):
        unlearn(reference=str(reference), **settings, **given)


def test_a_revised_bundle_is_compared_with_the_evidence_beside_it(train, tmp_path):
    pictures = write_bitmaps(tmp_path / "images")
    tiny_index(tmp_path, frame=with_stamps(pictures))
    train()
    given = {"index_dir": str(tmp_path / "index"), "checkpoint": str(tmp_path / "models" / "model.pt")}
    settings = {**PLAIN, **JUDGED, "cohort_spec": str(tiny_spec(tmp_path)), "output_dir": str(tmp_path / "out")}
    unlearn(**settings, **given)
    members = pq.read_table(tmp_path / "out" / "evidence" / "cohort_members.parquet").to_pylist()
    paths = dict(zip(pictures["image_id"], pictures["path"], strict=True))
    assert len(members) == len(paths)
    assert all(row["pixel_digest"] == pixel_digest(Path(paths[row["image_id"]])) for row in members)
    revised = {**given, "checkpoint": str(tmp_path / "out" / "rejected_bundle" / "models" / "model.pt")}
    run("evaluate", "evaluate.yaml", **revised)
    swap_pairs([paths[row["image_id"]] for row in members if row["split"] == "test"][:2])
    with refused(r"^2 of 48 images have other pixels than those that .*rejected_bundle was revised with"):
        run("evaluate", "evaluate.yaml", **revised)


def test_the_images_that_weights_were_trained_on_are_known_by_their_members(tmp_path):
    from monai_unlearn.engine.trained_pixels import DIGEST, Member, _digest, _member, _write, trained_on

    members = {_member(one): Member(f"sha256:{one}", 1, 1, trained=one != "c") for one in "abc"}
    weights = tmp_path / "model.pt"
    _write(weights, members)
    record = {DIGEST: _digest(members)}
    assert trained_on(weights, ["a", "c", "d"], record) == {"a"}
    assert trained_on(weights, ["a"], {}) is None
    assert trained_on(weights, ["a"], {DIGEST: "sha256:other"}) is None
