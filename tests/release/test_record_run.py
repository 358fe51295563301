from __future__ import annotations

import pytest
from lineage_example import DIGEST
from release_example import write_keys, write_release

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.ledger import LedgerKey
from monai_unlearn.release.record_run import record_run, site_ledger


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    write_release(folder / "bundle")
    write_keys(folder)
    return folder


def record(folder, event, **more):
    return record_run(event, folder / "bundle", store=folder / "store", key=LedgerKey.read(folder / "key.pem"), **more)


def test_a_run_is_noted_with_its_digests(folder):
    line = record(folder, "unlearn", who="me")
    assert (line.event.event, line.event.who, line.event.why) == ("unlearn", "me", "retire-old (device_deprecation)")
    assert {"weights", "spec", "manifest", "base_weights", "lineage"} <= set(line.event.digests)
    assert line.event.verdict == "erased"
    assert record(folder, "train").event.digests["spec"] == DIGEST


def test_other_events_and_bundles_are_refused(folder):
    with pytest.raises(ConfigError, match="EVENT: expected one of train, unlearn, got 'promote'"):
        record(folder, "promote")
    (folder / "bundle" / "lineage.json").unlink()
    (folder / "bundle" / "models" / "training.json").unlink()
    with pytest.raises(ConfigError, match=r"has no lineage.json: it was not unlearned"):
        record(folder, "unlearn")


def test_the_environment_names_store_and_key(folder, monkeypatch):
    assert site_ledger() is None
    monkeypatch.setenv("MONAI_UNLEARN_STORE", str(folder / "store"))
    with pytest.raises(ConfigError, match="expected both"):
        site_ledger()
    monkeypatch.setenv("MONAI_UNLEARN_KEY", str(folder / "key.pem"))
    store, key = site_ledger()
    assert store == folder / "store"
    assert key.sign("a")
