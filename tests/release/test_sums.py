from __future__ import annotations

import shutil
import subprocess

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.sums import check_bundle_of, check_sums, is_release, read_sums, update_sums, write_sums

NAMES = ("configs/metadata.json", "models/model.pt", "docs/two\nlines", "docs/back\\slash", "docs/ä b")


@pytest.fixture
def root(tmp_path):
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    write_sums(tmp_path)
    return tmp_path


def test_every_file_is_listed(root):
    assert set(read_sums(root)) == set(NAMES)
    check_sums(root)


SHA256SUM = shutil.which("sha256sum")


@pytest.mark.skipif(not SHA256SUM, reason="coreutils are not installed")
def test_sha256sum_reads_it(root):
    done = subprocess.run([SHA256SUM, "--check", "--strict", "SHA256SUMS"], cwd=root, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_changed_file_is_named_with_both_digests(root):
    (root / "models" / "model.pt").write_text("other")
    with pytest.raises(ConfigError, match=r"model.pt has the digest d9298a10d1b0735837dc4bd85dac641b0f3cef27.* says "):
        check_sums(root)


def test_a_missing_file_is_named(root):
    (root / "docs" / "ä b").unlink()
    with pytest.raises(ConfigError, match="ä b is missing; SHA256SUMS of this bundle says"):
        check_sums(root)


def test_further_files_may_lie_there(root):
    (root / "eval").mkdir()
    (root / "eval" / "predictions.csv").write_text("")
    check_sums(root)


def test_a_bundle_without_sums_is_not_compared(root):
    (root / "SHA256SUMS").unlink()
    (root / "models" / "model.pt").write_text("other")
    check_sums(root)
    update_sums(root, ["models/model.pt"])
    assert not (root / "SHA256SUMS").exists()


@pytest.mark.parametrize("line", ["x", "0" * 64, f"{'0' * 64}  ../a", f"{'0' * 64}  /a", f"{'0' * 63}g  a"])
def test_damaged_sums_are_refused(root, line):
    (root / "SHA256SUMS").write_text(f"{line}\n")
    with pytest.raises(ConfigError, match="SHA256SUMS, line 1: expected a digest and a path"):
        check_sums(root)


def test_sums_that_are_no_text_are_refused(root):
    (root / "SHA256SUMS").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="cannot be read as text"):
        check_sums(root)


def test_what_a_run_wrote_is_updated(root):
    (root / "models" / "model.pt").write_text("trained again")
    (root / "docs" / "ä b").unlink()
    update_sums(root, ["models/model.pt", "docs/ä b"])
    check_sums(root)
    assert set(read_sums(root)) == set(NAMES) - {"docs/ä b"}


def test_links_are_no_part_of_a_release(root):
    (root / "docs" / "link").symlink_to(root / "models" / "model.pt")
    with pytest.raises(ConfigError, match="link is a link or no plain file"):
        write_sums(root)


def test_the_bundle_of_a_checkpoint_is_checked(root):
    inner = root / "models" / "stage0" / "model.pt"
    check_bundle_of(inner)
    assert is_release(inner)
    assert not is_release(root.parent / "model.pt")
    (root / "configs" / "metadata.json").unlink()
    with pytest.raises(ConfigError, match="metadata.json is missing"):
        check_bundle_of(inner)
