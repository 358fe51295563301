from __future__ import annotations

import os
from dataclasses import replace

import pytest
from release_example import write_keys
from watch_example import drop, plan_of, withdrawals

from monai_unlearn.release.sign import sign_file
from monai_unlearn.watch import intake as module
from monai_unlearn.watch.intake import Intake
from monai_unlearn.watch.spool import Spool
from monai_unlearn.watch.trust import Trusted


@pytest.fixture
def intake(place):
    def make(**changed):
        plan = plan_of(place, **changed)
        return Intake(plan, Spool(plan.out))

    return make


def test_what_is_known_is_not_read_again(place, intake, monkeypatch):
    found = intake()
    drop(place, "a.txt", withdrawals(0))
    assert len(found.take().requests) == 1
    monkeypatch.setattr(module.Mailbox, "read", lambda *_, **__: pytest.fail("it was read again"))
    assert found.take().requests == []


def test_files_of_strangers_are_bounded_in_number(place, intake, monkeypatch):
    monkeypatch.setattr(module, "MAX_STRANGERS", 2)
    for number in range(4):
        drop(place, f"{number}.txt", withdrawals(number))
    strange = intake(trusted=Trusted(owners=frozenset({4711})))
    found = strange.take()
    assert (len(found.requests), found.unread) == (2, 2)
    for one in strange.spool.all():
        strange.spool.keep(replace(one, state="left"))
    # Those of an owner are not held up by them.
    found = intake().take()
    assert (len(found.requests), found.unread) == (4, 0)


def test_signed_files_are_not_held_up_by_those_of_strangers(place, intake, monkeypatch):
    """In a container, everybody is a stranger but for the signature."""
    private, public = write_keys(place, "office")
    monkeypatch.setattr(module, "MAX_STRANGERS", 2)
    for number in range(4):
        os.utime(drop(place, f"{number}.txt", withdrawals(number)), (number, number))
        drop(place, f"{number}.txt.sig", b"junk")
    sign_file(drop(place, "signed.txt", withdrawals(9)), private)
    found = intake(trusted=Trusted(keys=(public,)))
    taken = found.take()
    assert [found.spool.read(name).trusted for name in taken.requests] == [None, None, "key"]
    assert taken.unread == 2
    # Nor is junk read again each time.
    monkeypatch.setattr(module.Mailbox, "read", lambda *_, **__: pytest.fail("it was read again"))
    assert found.take().unread == 2


def test_what_waits_as_a_strangers_file_is_taken_anew_once_it_is_signed(place, intake):
    private, public = write_keys(place, "office")
    path = drop(place, "a.txt", withdrawals(0))
    found = intake(trusted=Trusted(keys=(public,)))
    (name,) = found.take().requests
    assert (found.spool.read(name).state, found.spool.read(name).trusted) == ("taken", None)
    sign_file(path, private)
    assert found.take().requests == [name]
    assert found.spool.read(name).trusted == "key"


def test_files_of_strangers_are_bounded_in_size(place, intake, monkeypatch):
    monkeypatch.setattr(module, "MAX_STRANGE_BYTES", 4)
    drop(place, "a.txt", withdrawals(0))
    found = intake(trusted=Trusted())
    (name,) = found.take().requests
    assert "and was not kept" in found.spool.read(name).reasons[1]
    assert [path.name for path in found.spool.folder(name).iterdir()] == ["state.json"]


def spec_of(file):
    head = "schema_version: 1\nname: out\nreason: consent_withdrawal\n"
    return f"{head}value_sets: {{gone: {{file: {file}}}}}\nforget: patient in @gone\n"


def test_a_list_of_a_spec_is_no_request_before_its_spec_comes(place, intake):
    """It may name whom to keep."""
    drop(place, "keep.list", withdrawals(0))
    found = intake()
    assert found.take().requests == []
    drop(place, "spec.yaml", spec_of("keep.list"))
    (name,) = found.take().requests
    assert (found.spool.read(name).kind, found.spool.read(name).reasons) == ("spec", [])


def test_a_signed_list_is_no_request_under_another_name(place, intake):
    private, public = write_keys(place, "office")
    path = drop(place, "keep.list", withdrawals(0))
    signature = sign_file(path, private)
    drop(place, "zzz.txt", path.read_bytes())
    drop(place, "zzz.txt.sig", signature.read_bytes())
    found = intake(trusted=Trusted(keys=(public,)))
    (name,) = found.take().requests
    assert (found.spool.read(name).file, found.spool.read(name).trusted) == ("zzz.txt", None)
    # Under its own name it is what a signed spec reads.
    sign_file(drop(place, "spec.yaml", spec_of("keep.list")), private)
    (name,) = found.take().requests
    assert (found.spool.read(name).trusted, found.spool.read(name).reasons) == ("key", [])


def test_a_spec_does_not_use_the_list_of_a_stranger(place, intake):
    drop(place, "gone.list", withdrawals(0), mode=0o666)
    drop(place, "spec.yaml", spec_of("gone.list"))
    found = intake()
    (name,) = found.take().requests
    assert "a list of the spec is of somebody who is not trusted" in found.spool.read(name).reasons[0]


@pytest.mark.parametrize("file", ["missing.list", "../protocol.list", "/etc/passwd", "/etc/hosts.list"])
def test_a_spec_reads_no_other_file(place, intake, file):
    drop(place, "spec.yaml", spec_of(file))
    found = intake()
    (name,) = found.take().requests
    assert " of the spec" in found.spool.read(name).reasons[0]
