from __future__ import annotations

import pyarrow.parquet as pq
import pytest
from lineage_example import entry, lineage

from monai_unlearn.cohort.lineage.members import LineageMembers
from monai_unlearn.errors import ConfigError, ExitCode

FIRST = LineageMembers.of("0.2.0", [("image", "i1"), ("pixels", "x1")], key="k", patients_by="k")
SECOND = LineageMembers.of("0.3.0", [("image", "i1"), ("image", "i2"), ("patient", "p2")], key="k", patients_by="k")


def lineage_of(*members):
    both = zip(("0.2.0", "0.3.0"), members, strict=False)
    return lineage(*(entry(version, members_digest=one.digest(version)) for version, one in both))


BOTH = lineage_of(FIRST, SECOND)


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "lineage_members.parquet"
    FIRST.union(SECOND).write(path)
    return path


def test_earlier_members_are_carried_forward(written, tmp_path):
    found = LineageMembers.read(written, BOTH)
    assert found == FIRST.union(SECOND)
    assert (found.digest("0.2.0"), found.digest("0.3.0")) == (FIRST.digest("0.2.0"), SECOND.digest("0.3.0"))
    assert found.patients_by == {"k"}
    found.write(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == written.read_bytes()


def test_members_of_another_key_are_not_mixed_in():
    with pytest.raises(ConfigError, match="under different keys"):
        FIRST.union(LineageMembers.of("0.3.0", [], key="other", patients_by="k"))
    assert FIRST.digest("0.2.0") != LineageMembers(key="other", rows=FIRST.rows).digest("0.2.0")


def test_the_first_revision_that_forgot_an_image_counts():
    hashes = [("a", "image", "i1"), ("b", "image", "new name"), ("b", "pixels", "x1"), ("c", "image", "i2")]
    hashes += [("c", "patient", "p2"), ("d", "patient", "p2"), ("e", "image", "other"), ("f", "pixels", "i1")]
    found = FIRST.union(SECOND).found(hashes, BOTH)
    assert found.versions == {"a": "0.2.0", "b": "0.2.0", "c": "0.3.0"}
    assert found.later_images == {"d"}


@pytest.mark.parametrize(
    ("members", "named"),
    [
        (FIRST, "the members of 0.3.0 are not those"),
        (FIRST.union(SECOND).union(LineageMembers.of("0.9.0", [("image", "z")], key="k", patients_by="k")), "another"),
        (LineageMembers(key="other", rows=FIRST.union(SECOND).rows), "the members of 0.2.0, 0.3.0 are"),
    ],
)
def test_members_of_another_lineage_are_refused(members, named, tmp_path):
    members.write(tmp_path / "members")
    with pytest.raises(ConfigError, match=named) as caught:
        LineageMembers.read(tmp_path / "members", BOTH)
    assert caught.value.exit_code == ExitCode.BAD_INPUT == 2


def test_a_word_that_is_no_kind_is_refused(tmp_path):
    odd = LineageMembers.of("0.2.0", [("name", "n")], key="k", patients_by="k")
    odd.write(tmp_path / "members")
    with pytest.raises(ConfigError, match="are not those"):
        LineageMembers.read(tmp_path / "members", lineage_of(odd))


def test_another_file_is_refused(written, tmp_path):
    pq.write_table(pq.read_table(written).replace_schema_metadata({}), tmp_path / "bare")
    (tmp_path / "text").write_text("no Parquet")
    for name in ("bare", "text"):
        with pytest.raises(ConfigError, match="expected the members of a lineage, got another file"):
            LineageMembers.read(tmp_path / name, BOTH)
    with pytest.raises(ConfigError, match="cannot be read"):
        LineageMembers.read(tmp_path / "nowhere", BOTH)
