from __future__ import annotations

import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest
from release_example import write_keys, write_release

from monai_unlearn.errors import InputError, NotAccepted
from monai_unlearn.release import promote as module
from monai_unlearn.release.check_store import check_store
from monai_unlearn.release.promote import act_of, objections, promote, reject, rollback
from monai_unlearn.release.sign import sign
from monai_unlearn.release.verify import verify


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("template")
    private, _ = write_keys(folder)
    write_keys(folder, "site")
    for version in ("1.1.0", "1.2.0"):
        write_release(folder / version, version=version, seed=int(version[2]))
        sign(folder / version, private)
    write_release(folder / "inconclusive", verdict="inconclusive")
    sign(folder / "inconclusive", private)
    write_release(folder / "unsigned")
    return folder


@pytest.fixture
def folder(template, tmp_path):
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    return tmp_path


def act(folder, **more):
    return act_of(folder / "store", folder / "site.pem", who="lead", **more)


def promoted(folder, name, **more):
    override = more.pop("override", False)
    return promote(folder / name, act(folder, **more), public_key=folder / "key.pub", override=override)


def events(folder):
    return [(line.event.event, line.event.version) for line in act(folder).store.ledger.lines()]


def test_a_signed_and_accepted_bundle_is_deployed(folder):
    line = promoted(folder, "1.1.0")
    store = act(folder).store
    assert (line.event.event, line.event.who, line.event.verdict, line.event.overridden) == (
        "promote",
        "lead",
        "erased",
        (),
    )
    assert set(line.event.digests) == {"weights", "files"}
    assert verify(store.current, public_key=folder / "key.pub").exit_code == 0
    assert store.deployed == line.event.place
    assert check_store(store)[0] == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("inconclusive", "its verdict is inconclusive, which is not accepted"),
        ("unsigned", "unsigned.sig: there is no signature"),
    ],
)
def test_anything_else_is_refused(name, message, folder):
    with pytest.raises(NotAccepted, match=message) as caught:
        promoted(folder, name)
    assert caught.value.exit_code == 3
    assert not (folder / "store").exists()


def test_a_changed_bundle_or_another_key_is_refused(folder):
    with pytest.raises(NotAccepted, match=r"was made with another key than the public half of --key"):
        promote(folder / "1.1.0", act(folder))
    (folder / "1.1.0" / "LICENSE").write_text("x")
    with pytest.raises(NotAccepted, match="LICENSE: has sha256 2d711642b726b"):
        promoted(folder, "1.1.0")


def test_the_own_key_is_enough_where_it_signed(folder):
    sign(folder / "unsigned", folder / "site.pem")
    assert promote(folder / "unsigned", act(folder)).event.overridden == ()


def test_an_override_is_recorded(folder):
    with pytest.raises(InputError, match="--override needs a reason"):
        promoted(folder, "unsigned", override=True)
    line = promoted(folder, "unsigned", override=True, why="the first version")
    assert line.event.why == "the first version"
    assert line.event.overridden == ("bundle.sig: there is no signature.",)
    assert act(folder).store.deployed == line.event.place


def test_rollback_restores_the_version_before(folder):
    first, second = promoted(folder, "1.1.0"), promoted(folder, "1.2.0")
    store = act(folder).store
    assert store.deployed == second.event.place
    line = rollback(act(folder, why="false negatives"))
    assert (line.event.version, line.event.place, line.event.why) == ("1.1.0", first.event.place, "false negatives")
    assert store.deployed == first.event.place
    with pytest.raises(InputError, match="no version was deployed before the current one"):
        rollback(act(folder, why="worse"))
    promoted(folder, "1.2.0")
    assert rollback(act(folder, why="worse")).event.version == "1.1.0"
    assert events(folder) == [
        ("promote", "1.1.0"),
        ("promote", "1.2.0"),
        ("rollback", "1.1.0"),
        ("promote", "1.2.0"),
        ("rollback", "1.1.0"),
    ]
    assert check_store(store)[0] == []


def test_a_version_that_was_changed_in_the_store_is_not_restored(folder):
    first = promoted(folder, "1.1.0")
    promoted(folder, "1.2.0")
    store = act(folder).store
    (store.bundle(first.event.place) / "LICENSE").write_text("x")
    with pytest.raises(InputError, match="is not what was promoted: its files have the digest"):
        rollback(act(folder, why="worse"))
    assert len(events(folder)) == 2


def test_a_rejection_needs_a_reason_and_changes_nothing(folder):
    promoted(folder, "1.1.0")
    before = act(folder).store.deployed
    with pytest.raises(InputError, match="a rejection needs a reason"):
        reject(folder / "inconclusive", act(folder), public_key=folder / "key.pub")
    line = reject(folder / "inconclusive", act(folder, why="not enough patients"), public_key=folder / "key.pub")
    assert line.event.overridden == (
        "its verdict is inconclusive, which is not accepted.",
        "its card says: not known.",
    )
    assert act(folder).store.deployed == before


def test_nothing_is_built_on_a_ledger_that_was_tampered_with(folder):
    promoted(folder, "1.1.0")
    path = act(folder).store.ledger.path
    path.write_bytes(path.read_bytes().replace(b'"who":"lead"', b'"who":"else"'))
    for attempt in (lambda: promoted(folder, "1.2.0"), lambda: rollback(act(folder, why="worse"))):
        with pytest.raises(InputError, match="was tampered with; nothing was changed:\n  line 1: was edited"):
            attempt()


def test_the_head_in_a_release_shows_a_ledger_that_was_cut_together_with_its_head(folder):
    promoted(folder, "1.1.0")
    store = act(folder).store
    kept = (store.ledger.path.read_bytes(), store.ledger.head_path.read_bytes())
    reject(folder / "inconclusive", act(folder, why="x"))
    sign(folder / "1.2.0", folder / "key.pem", act=act(folder))
    promoted(folder, "1.2.0")
    assert [event for event, _ in events(folder)] == ["promote", "reject", "sign", "promote"]
    assert check_store(store)[0] == []
    store.ledger.path.write_bytes(kept[0])
    store.ledger.head_path.write_bytes(kept[1])
    (fault,) = check_store(store)[0]
    assert fault.line.startswith("line 2: is missing: Some-1.2.0-")
    assert "ledger_head.json says that there are 2 lines" in fault.line


def test_a_rollback_needs_a_reason_and_notes_what_speaks_against_the_version(folder):
    promoted(folder, "unsigned", override=True, why="the first version")
    promoted(folder, "1.2.0")
    with pytest.raises(InputError, match="a rollback needs a reason"):
        rollback(act(folder))
    line = rollback(act(folder, why="worse"), public_key=folder / "key.pub")
    assert line.event.overridden[0] == "bundle.sig: there is no signature."


def test_a_card_that_advises_against_it_is_an_objection(folder):
    report = verify(folder / "1.1.0", public_key=folder / "key.pub")
    assert objections(report) == []
    assert objections(replace(report, advice="do_not_deploy")) == ["its card says: do not deploy."]


def test_a_bundle_that_knows_less_of_what_was_forgotten_is_not_promoted(folder, monkeypatch):
    promoted(folder, "1.1.0")
    store = act(folder).store
    own, other = SimpleNamespace(spec_digest="sha256:a"), SimpleNamespace(spec_digest="sha256:b")

    def read(path):
        deployed = path == store.current
        return SimpleNamespace(revisions=[own, other] if deployed else [own]), []

    monkeypatch.setattr(module, "read_lineage", read)
    with pytest.raises(NotAccepted, match="has forgotten cohorts that this bundle has not"):
        promoted(folder, "1.2.0")
    # Cohorts with other specs may be the same images: the evidence of the runs decides.
    asked = []
    monkeypatch.setattr(module, "has_forgotten_all", lambda *found: asked.append(found) or False)
    line = promoted(folder, "1.2.0", override=True, why="the other cohort came back")
    assert asked[0][0] == folder / "1.2.0"
    assert "they would be back" in line.event.overridden[-1]


def test_a_union_of_what_was_forgotten_is_promoted_where_the_evidence_shows_it(folder, monkeypatch):
    promoted(folder, "1.1.0")
    store = act(folder).store

    def read(path):
        return SimpleNamespace(revisions=[SimpleNamespace(spec_digest=str(path == store.current))]), []

    monkeypatch.setattr(module, "read_lineage", read)
    monkeypatch.setattr(module, "has_forgotten_all", lambda *_: True)
    assert promoted(folder, "1.2.0").event.overridden == ()


def test_a_deployed_lineage_that_cannot_be_read_is_an_objection(folder):
    promoted(folder, "1.1.0")
    (act(folder).store.current / "lineage.json").write_text("{")
    with pytest.raises(NotAccepted, match="nothing says what the deployed bundle has forgotten"):
        promoted(folder, "1.2.0")
