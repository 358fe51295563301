from __future__ import annotations

import pytest

from monai_unlearn.cohort.lineage.members import LineageMembers
from monai_unlearn.cohort.lineage.site_key import first_key, key_of, write_key
from monai_unlearn.errors import ConfigError, IndexReadError
from monai_unlearn.index.pseudonyms import Pseudonyms

KEY = Pseudonyms(b"sixteen bytes or more")
MEMBERS = LineageMembers(key=KEY.fingerprint)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "evidence" / "lineage_members.parquet"


def test_the_first_key_is_that_of_the_site_or_a_new_one(tmp_path):
    (tmp_path / "key").write_bytes(KEY.key)
    assert first_key(tmp_path / "key") == KEY
    assert first_key(None) != first_key(None)
    with pytest.raises(IndexReadError, match="the key cannot be read"):
        first_key(tmp_path / "nowhere")


def test_a_new_key_is_found_beside_the_members_and_only_its_owner_reads_it(path):
    new = first_key(None)
    write_key(new, path.with_name("lineage.key"))
    assert path.with_name("lineage.key").stat().st_mode & 0o777 == 0o600
    assert key_of(LineageMembers(key=new.fingerprint), path, None) == new


def test_the_key_that_fits_is_taken(path, tmp_path):
    (tmp_path / "key").write_bytes(KEY.key)
    (tmp_path / "other").write_bytes(b"another key than that")
    assert key_of(MEMBERS, path, tmp_path / "key") == KEY
    write_key(KEY, path.with_name("lineage.key"))
    assert key_of(MEMBERS, path, tmp_path / "other") == KEY
    write_key(Pseudonyms(b"another key than that"), path.with_name("lineage.key"))
    assert key_of(MEMBERS, path, str(tmp_path / "key")) == KEY


def test_without_the_key_nothing_goes_on(path, tmp_path):
    with pytest.raises(ConfigError, match=r"got none, and there is no .*lineage.key.* Give it with --keyfile FILE"):
        key_of(MEMBERS, path, None)
    (tmp_path / "other").write_bytes(b"another key than that")
    with pytest.raises(ConfigError, match="got another key"):
        key_of(MEMBERS, path, tmp_path / "other")
