from __future__ import annotations

import json
import shutil

import pytest
from release_example import write_keys, write_release

from monai_unlearn.errors import InputError
from monai_unlearn.release.check_store import report_of
from monai_unlearn.release.ledger import Head
from monai_unlearn.release.promote import act_of, promote
from monai_unlearn.release.sign import sign


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("template")
    private, _ = write_keys(folder)
    write_keys(folder, "other")
    for version in ("1.1.0", "1.2.0"):
        write_release(folder / version, version=version, seed=int(version[2]))
        act = act_of(folder / "store", private)
        sign(folder / version, private, act=act)
        promote(folder / version, act)
    return folder


@pytest.fixture
def folder(template, tmp_path):
    shutil.copytree(template, tmp_path, dirs_exist_ok=True, symlinks=True)
    return tmp_path


def found(folder, *, key="key", heads=()):
    report = report_of(folder / "store", public_keys=[folder / f"{key}.pub"], heads=heads)
    assert report["sound"] == (not report["exit_code"])
    return report["exit_code"], [fault["message"] for fault in report["faults"]]


def test_a_sound_store(folder):
    assert found(folder) == (0, [])
    for path in (folder / "store", folder / "store" / "ledger.jsonl"):
        assert report_of(path, public_keys=[], heads=[])["lines"] == 4


def test_another_key_is_told(folder):
    code, lines = found(folder, key="other")
    assert (code, len(lines)) == (4, 4)
    assert lines[0].startswith("line 1: was signed with another key, sha256:")


def test_a_given_head_is_compared(folder):
    hash_ = "sha256:" + "1" * 64
    Head(9, hash_, hash_).write(folder / "kept.json")
    code, (line,) = found(folder, heads=[folder / "kept.json"])
    assert code == 3
    assert line.startswith(f"line 5: is missing: {folder / 'kept.json'} says that there are 9 lines")
    with pytest.raises(InputError, match="the head cannot be read"):
        found(folder, heads=[folder / "missing.json"])


def test_heads_of_the_store(folder):
    path = folder / "store" / "ledger_head.json"
    content = path.read_bytes()
    path.write_text("{}")
    assert found(folder)[1] == [
        "ledger_head.json of the store: is no head of a ledger any more: it was damaged or edited."
    ]
    first = json.loads(content)["first"]
    path.write_text(json.dumps({**json.loads(content), "first": first[:-1] + ("0" if first[-1] != "0" else "1")}))
    assert found(folder)[1][0].startswith(
        "ledger_head.json of the store: says that the first line has the hash sha256:"
    )
    path.unlink()
    assert found(folder)[1][0].startswith("ledger_head.json: is missing")
    path.write_bytes(content)
    (folder / "store" / "ledger.jsonl").write_bytes(b"")
    assert found(folder)[1][0].startswith("line 1: is missing")


def test_releases_of_another_site_have_the_head_of_another_ledger(folder, tmp_path):
    write_release(folder / "1.3.0", version="1.3.0", seed=3)
    sign(folder / "1.3.0", folder / "other.pem", act=act_of(folder / "elsewhere", folder / "other.pem"))
    act = act_of(folder / "elsewhere", folder / "other.pem", why="x")
    sign(folder / "1.3.0", folder / "other.pem", act=act)
    promote(folder / "1.3.0", act_of(folder / "store", folder / "key.pem"), public_key=folder / "other.pub")
    assert found(folder) == (0, [])


def test_a_link_that_leads_elsewhere_is_named(folder):
    store = act_of(folder / "store", folder / "key.pem").store
    first, second = store.places()
    store.deploy(first)
    assert found(folder)[1] == [f"current: leads to {first}; line 4 of the ledger says {second}."]
    store.current.unlink()
    assert found(folder)[1] == [f"current: leads to nothing; line 4 of the ledger says {second}."]


def test_what_is_no_store_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"expected a store of deployed versions with its ledger.jsonl, found none"):
        report_of(tmp_path, public_keys=[], heads=[])
