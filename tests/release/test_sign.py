from __future__ import annotations

import shutil

import pytest
from release_example import write_keys, write_release

from monai_unlearn.errors import InputError
from monai_unlearn.release.sign import sign
from monai_unlearn.release.verify import verify


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return write_release(tmp_path_factory.mktemp("template") / "bundle")


@pytest.fixture
def bundle(template, tmp_path):
    return shutil.copytree(template, tmp_path / "bundle")


@pytest.fixture
def keys(tmp_path):
    return write_keys(tmp_path)


def test_what_was_signed_is_sound(bundle, keys):
    done = sign(bundle, keys[0])
    assert done.signature == bundle.with_name("bundle.sig")
    assert (done.name, done.version, done.verdict, done.added) == ("Some", "1.1.0", "erased", [])
    assert set(done.digests) == {"weights", "sums", "signature"}
    assert verify(bundle, public_key=keys[1]).exit_code == 0


def test_files_that_came_later_become_part_of_it_and_are_named(bundle, keys):
    (bundle / "models" / "model.ts").write_text("export")
    assert sign(bundle, keys[0]).added == ["models/model.ts"]
    assert verify(bundle, public_key=keys[1]).exit_code == 0


def test_a_bundle_that_was_changed_is_not_signed(bundle, keys):
    sums = (bundle / "SHA256SUMS").read_bytes()
    (bundle / "LICENSE").write_text("other")
    with pytest.raises(InputError, match="nothing was signed:\n  LICENSE: has sha256 d9298a10"):
        sign(bundle, keys[0])
    assert (bundle / "SHA256SUMS").read_bytes() == sums
    assert not bundle.with_name("bundle.sig").exists()


def test_a_key_that_cannot_be_used_leaves_everything_as_it_was(bundle, keys):
    (bundle / "new").write_text("x")
    sums = (bundle / "SHA256SUMS").read_bytes()
    with pytest.raises(InputError, match="expected a private key"):
        sign(bundle, keys[1])
    assert (bundle / "SHA256SUMS").read_bytes() == sums


def test_a_revised_bundle_without_its_sums_is_not_signed(bundle, keys):
    """Nothing else says which files the run wrote: a changed config would be signed with the rest."""
    (bundle / "SHA256SUMS").unlink()
    with pytest.raises(InputError, match="its SHA256SUMS is gone"):
        sign(bundle, keys[0])
    assert not (bundle / "SHA256SUMS").exists()


def test_a_repository_is_not_signed(bundle, keys):
    (bundle / ".git").mkdir()
    with pytest.raises(InputError, match="is a git repository"):
        sign(bundle, keys[0])


def test_a_signature_within_the_bundle_is_refused(bundle, keys):
    with pytest.raises(InputError, match="lies within the bundle"):
        sign(bundle, keys[0], signature=bundle / "a.sig")


def test_a_bundle_of_others_can_be_signed(bundle, keys):
    for name in ("SHA256SUMS", "lineage.json", "models/training.json"):
        (bundle / name).unlink()
    shutil.rmtree(bundle / "docs")
    assert sign(bundle, keys[0]).verdict is None
    assert verify(bundle, public_key=keys[1]).exit_code == 0
