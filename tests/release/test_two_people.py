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


def test_who_signed_a_bundle_prepared_it(signed):
    assert prepared_by(*signed) == ["Ada  Byron"]


@pytest.mark.parametrize("name", ["Ada Byron", "ada byron", " ADA BYRON "])
def test_who_prepared_it_cannot_approve_it(signed, name):
    with pytest.raises(InputError, match="somebody else must approve it"):
        check_two_people(*signed, approver=name)


def test_somebody_else_can(signed):
    check_two_people(*signed, approver="Grace Hopper")


def test_what_nobody_prepared_by_name_is_refused(signed, tmp_path):
    other = write_release(tmp_path / "other", seed=1)
    with pytest.raises(InputError, match="signs it here first"):
        check_two_people(other, signed[1], approver="Grace Hopper")
