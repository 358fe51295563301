from __future__ import annotations

import hashlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort import SplitRule
from monai_unlearn.cohort.resolve.members import members_of, pixels_of, read_members, with_pixels, write_members
from monai_unlearn.errors import CohortError
from monai_unlearn.vocabulary.fields import Kind

KINDS = {"device": Kind.TEXT, "thickness": Kind.NUMBER}
COLUMNS = {
    "device": ["old", "new", None, "old", "new", "old"],
    "thickness": [1.0, 2.0, 3.0, 4.0, 50.0, 6.0],
    "patient": ["p0", "p1", "p2", None, "p1", "p5"],
    "fault": [None, None, None, None, None, "unreadable"],
}


@pytest.mark.parametrize("forget", ["device == old", "abs(mad_z(thickness)) > 3"])
@pytest.mark.parametrize("more", [{}, {"split": ["train", "test", "val", "test", "test", "odd"]}])
def test_every_member_is_there_once_with_part_and_split(forget, more, tmp_path):
    cohort = make_spec(forget).resolve(
        make_index(tmp_path / "index", {**COLUMNS, **more}, {**KINDS, **dict.fromkeys(more, Kind.TEXT)})
    )
    rule = SplitRule(seed=3, test_fraction=0.4)
    table = cohort.image_table(rule)
    expected = {row.image_id: (row.part, row.split) for row in table.itertuples()}
    members = members_of(cohort, rule).to_pylist()
    assert {row["image_id"]: (row["part"], row["split"]) for row in members} == expected
    assert len(members) == len(expected) == 5


@pytest.fixture
def members():
    columns = [["a", "b", "ä"], ["forget", "remain", "remain"], ["train", "test", "train"]]
    return pa.table(dict(zip(("image_id", "part", "split"), columns, strict=True)))


def test_the_same_members_give_the_same_bytes(members, tmp_path):
    digests = {write_members(members, tmp_path / name) for name in ("1", "2")}
    assert len(digests) == 1
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    assert read_members(tmp_path / "1", digest=digests.pop()).equals(members)
    assert pq.read_schema(tmp_path / "1").names == ["image_id", "part", "split"]


def test_digests_of_pixels_are_kept_beside_the_members(members, tmp_path):
    digest = write_members(with_pixels(members, {"a": "sha256:1", "ä": None, "other": "sha256:2"}), tmp_path / "m")
    assert pq.read_table(tmp_path / "m")["pixel_digest"].to_pylist() == ["sha256:1", None, None]
    assert pixels_of(tmp_path / "m") == {"a": "sha256:1"}
    assert read_members(tmp_path / "m", digest=digest).equals(members)


def test_members_without_digests_of_pixels_have_none(members, tmp_path):
    write_members(members, tmp_path / "m")
    (tmp_path / "damaged").write_bytes(b"words")
    assert [pixels_of(tmp_path / name) for name in ("m", "damaged", "absent")] == [{}, {}, {}]


def test_random_identifiers_take_little_more_than_their_random_bits(tmp_path):
    """Of 128 bits, sorting saves log2(100,000!) / 100,000 = 15.2 bits: 14.1 bytes are left."""
    rows = 100_000
    images = sorted(hashlib.sha256(str(row).encode()).hexdigest()[:32] for row in range(rows))
    columns = {"image_id": images, "part": ["remain"] * rows, "split": ["train"] * rows}
    digest = write_members(pa.table(columns), tmp_path / "m")
    assert (tmp_path / "m").stat().st_size / rows < 15.2
    assert read_members(tmp_path / "m", digest=digest)["image_id"].to_pylist() == images


def test_another_file_is_refused(members, tmp_path):
    digest = write_members(members, tmp_path / "m")
    write_members(members.slice(1), tmp_path / "m")
    with pytest.raises(CohortError, match="does not match the digest in the manifest beside it"):
        read_members(tmp_path / "m", digest=digest)
    with pytest.raises(CohortError, match=r"none: cannot be read \(No such file or directory\)"):
        read_members(tmp_path / "none", digest=digest)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop_columns("split"), "expected the columns image_id, part, split"),
        (lambda table: pa.concat_tables([table, table]), "expected each image once"),
        (lambda table: table.set_column(1, "part", pa.array(["forget", "other", "remain"])), "expected each image"),
        (lambda table: table.set_column(2, "split", pa.array(["train", None, "test"])), "expected each image"),
        (lambda table: table.set_column(0, "image_id", pa.array(["a", None, "b"])), "expected each image"),
    ],
)
def test_a_file_of_something_else_is_refused(change, message, members, tmp_path):
    pq.write_table(change(members), tmp_path / "m")
    digest = f"sha256:{hashlib.sha256((tmp_path / 'm').read_bytes()).hexdigest()}"
    with pytest.raises(CohortError, match=message):
        read_members(tmp_path / "m", digest=digest)


def test_what_is_no_parquet_file_is_refused(tmp_path):
    (tmp_path / "m").write_bytes(b"none")
    with pytest.raises(CohortError, match="expected the columns"):
        read_members(tmp_path / "m", digest=f"sha256:{hashlib.sha256(b'none').hexdigest()}")
