"""Whether one bundle has forgotten all images that another has, by the evidence of their runs."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lineage_example import entry, lineage

from monai_unlearn.cohort.lineage.hashes import IMAGE, image_hash
from monai_unlearn.cohort.lineage.members import LineageMembers
from monai_unlearn.cohort.lineage.site_key import write_key
from monai_unlearn.index.pseudonyms import Pseudonyms
from monai_unlearn.release.forgotten import has_forgotten_all
from monai_unlearn.vocabulary.run_folder import LINEAGE_KEY, LINEAGE_MEMBERS, MEMBERS

SITE, OTHER = Pseudonyms(b"s" * 32), Pseudonyms(b"o" * 32)


def run_of(folder, images, *, key=SITE, kept=True):
    """The evidence of a run that forgot images, and the lineage of its bundle."""
    evidence = folder / "run" / "evidence"
    evidence.mkdir(parents=True)
    hashes = [(IMAGE, image_hash(key, one)) for one in images]
    members = LineageMembers.of("0.2.0", hashes, key=key.fingerprint, patients_by=key.fingerprint)
    members.write(evidence / LINEAGE_MEMBERS)
    pq.write_table(pa.table({"image_id": [*images, "remains"]}), evidence / MEMBERS)
    if kept:
        write_key(key, evidence / LINEAGE_KEY)
    return folder / "run" / "revised_bundle", lineage(entry(members_digest=members.digest("0.2.0")))


@pytest.mark.parametrize("key", [SITE, OTHER], ids=["one key", "two keys"])
def test_a_union_has_forgotten_what_its_part_has(tmp_path, key):
    _, part = run_of(tmp_path / "requests" / "one", ["a", "b"])
    union, whole = run_of(tmp_path / "requests" / "two", ["a", "b", "c"], key=key)
    assert has_forgotten_all(union, whole, part)
    assert has_forgotten_all(union, whole, whole)


@pytest.mark.parametrize("key", [SITE, OTHER], ids=["one key", "two keys"])
def test_another_cohort_has_not(tmp_path, key):
    _, part = run_of(tmp_path / "requests" / "one", ["a", "remains"])
    others, whole = run_of(tmp_path / "requests" / "two", ["a", "c"], key=key)
    # What remained in the run is among its images, and was not forgotten.
    assert not has_forgotten_all(others, whole, part)


def test_without_evidence_or_keys_nobody_knows(tmp_path):
    one, part = run_of(tmp_path / "requests" / "one", ["a"], kept=False)
    union, whole = run_of(tmp_path / "requests" / "two", ["a", "b"], key=OTHER)
    assert not has_forgotten_all(union, whole, part)
    assert not has_forgotten_all(tmp_path / "elsewhere" / "revised_bundle", whole, part)
    # Evidence that was changed is not that of the lineage.
    (one.parent / "evidence" / LINEAGE_MEMBERS).write_bytes(b"changed")
    assert not has_forgotten_all(union, whole, part)
    changed = entry(members_digest="sha256:" + "1" * 64)
    assert not has_forgotten_all(union, lineage(changed), whole)


def test_runs_of_a_sweep_lie_beside_each_other(tmp_path):
    run_of(tmp_path / "first", ["a"])
    (tmp_path / "first" / "run").rename(tmp_path / "run-1")
    union, whole = run_of(tmp_path / "second", ["a", "b"])
    (tmp_path / "second" / "run").rename(tmp_path / "run-2")
    members = LineageMembers.of(
        "0.2.0", [(IMAGE, image_hash(SITE, "a"))], key=SITE.fingerprint, patients_by=SITE.fingerprint
    )
    part = lineage(entry(members_digest=members.digest("0.2.0")))
    assert has_forgotten_all(tmp_path / "run-2" / union.name, whole, part)
