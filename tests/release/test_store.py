from __future__ import annotations

import pytest

from monai_unlearn.errors import InputError
from monai_unlearn.release.store import Store, files_digest


@pytest.fixture
def bundle(tmp_path):
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "a").write_text("a")
    (tmp_path / "bundle.sig").write_text("signature")
    return tmp_path / "bundle"


def test_a_version_is_kept_with_its_signature_and_deployed(bundle, tmp_path):
    store = Store(tmp_path / "store")
    assert store.deployed is None
    place = store.keep(bundle, name="Some / thing", version="1.0")
    assert place == f"Some-thing-1.0-{files_digest(bundle)[7:19]}"
    assert store.keep(bundle, name="Some / thing", version="1.0") == place
    store.deploy(place)
    assert store.deployed == place
    assert (store.current / "a").read_text() == "a"
    assert (store.current.resolve().parent / "bundle.sig").read_text() == "signature"
    assert not store.current.readlink().is_absolute()
    assert store.places() == [place]


def test_the_link_is_replaced(bundle, tmp_path):
    store = Store(tmp_path / "store")
    first = store.keep(bundle, name="a", version="1")
    (bundle / "a").write_text("b")
    second = store.keep(bundle, name="a", version="1")
    for place in (first, second, first):
        store.deploy(place)
        assert store.deployed == place
    assert not list(store.folder.glob(".current*"))


def test_what_is_missing_or_in_the_way_is_refused(bundle, tmp_path):
    store = Store(tmp_path / "store")
    with pytest.raises(InputError, match="the store no longer has that version"):
        store.deploy("a")
    place = store.keep(bundle, name="a", version="1")
    store.current.mkdir()
    with pytest.raises(InputError, match="is not a link that this store made"):
        store.deploy(place)


def test_the_digest_covers_names_and_content(bundle):
    found = {files_digest(bundle)}
    (bundle / "a").write_text("b")
    found.add(files_digest(bundle))
    (bundle / "a").rename(bundle / "b")
    found.add(files_digest(bundle))
    assert len(found) == 3
