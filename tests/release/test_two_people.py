from __future__ import annotations

import pytest
from release_example import write_keys, write_release

from monai_unlearn.errors import InputError
from monai_unlearn.release.promote import act_of
from monai_unlearn.release.sign import sign
from monai_unlearn.release.store import Store
from monai_unlearn.release.two_people import check_two_people, prepared_by


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    bundle, store = write_release(folder / "bundle"), folder / "store"
    key, _ = write_keys(folder)
    sign(bundle, key, act=act_of(store, key, who="Ada  Byron", why="because"))
    return bundle, Store(store)


OTHER = "another fingerprint"


def test_who_signed_a_bundle_prepared_it(signed):
    assert prepared_by(*signed) == ["Ada  Byron"]


@pytest.mark.parametrize(
    "name", ["Ada Byron", "ada byron", " ADA BYRON ", "Ada\u200b Byron", "\uff21da Byron", "Ada\u00a0Byron"]
)
def test_who_prepared_it_cannot_approve_it(signed, name):
    with pytest.raises(InputError, match="somebody else must approve it"):
        check_two_people(*signed, approver=name, key=OTHER)


def test_somebody_else_can(signed):
    check_two_people(*signed, approver="Grace Hopper", key=OTHER)


def test_the_key_that_prepared_it_cannot_approve_it_under_another_name(signed):
    (line,) = signed[1].ledger.lines()
    # A Cyrillic letter looks the same and is another one: the key is what tells.
    for name in ("Grace Hopper", "\u0410da Byron"):
        with pytest.raises(InputError, match="with the same key"):
            check_two_people(*signed, approver=name, key=line.key)


@pytest.mark.parametrize("name", ["Ren\u00e9", "Rene\u0301"])
def test_letters_may_be_composed_or_not(tmp_path, name):
    bundle, store = write_release(tmp_path / "bundle"), tmp_path / "store"
    key, _ = write_keys(tmp_path)
    sign(bundle, key, act=act_of(store, key, who="Ren\u00e9", why="because"))
    with pytest.raises(InputError, match="somebody else must"):
        check_two_people(bundle, Store(store), approver=name, key=OTHER)


def test_what_nobody_prepared_by_name_is_refused(signed, tmp_path):
    other = write_release(tmp_path / "other", seed=1)
    with pytest.raises(InputError, match="signs it here first"):
        check_two_people(other, signed[1], approver="Grace Hopper", key=OTHER)
