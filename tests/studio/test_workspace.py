from __future__ import annotations

import stat

import pytest
from studio_client import SPEC

from monai_unlearn.errors import InputError, SpecError
from monai_unlearn.strict_yaml import MAX_BYTES
from monai_unlearn.studio.workspace import NEW, ChangedError, Workspace, new_key

OTHER = SPEC.replace("Old", "New")


@pytest.fixture
def workspace(tmp_path):
    found = Workspace(tmp_path / "work")
    found.prepare()
    return found


def test_the_folder_is_for_its_owner_alone(workspace):
    assert stat.S_IMODE(workspace.root.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match=r"cannot be written .* --work DIR"):
        Workspace(tmp_path / "file").prepare()


def test_a_spec_is_saved_under_its_own_name(workspace):
    assert workspace.save(SPEC, over="") == "retire-old"
    assert workspace.names() == ["retire-old"]
    assert workspace.saved("retire-old").text == SPEC
    assert workspace.saved("other").text == ""


def test_what_another_tab_saved_is_not_overwritten(workspace):
    workspace.save(SPEC, over="")
    opened = workspace.saved("retire-old").digest
    workspace.save(OTHER, over=opened)
    with pytest.raises(ChangedError, match="was saved before"):
        workspace.save(SPEC, over=opened)
    with pytest.raises(ChangedError, match="was saved before"):
        workspace.save(SPEC, over="")
    assert workspace.saved("retire-old").text == OTHER
    workspace.save(SPEC, over=workspace.saved("retire-old").digest)


def test_saving_the_same_twice_is_no_conflict(workspace):
    workspace.save(SPEC, over="")
    assert workspace.save(SPEC, over="") == "retire-old"


def test_a_new_name_replaces_nothing(workspace):
    workspace.save(SPEC, over="")
    renamed = SPEC.replace("retire-old", "retire-older")
    assert workspace.save(renamed, over=workspace.saved("retire-old").digest) == "retire-older"
    assert workspace.names() == ["retire-old", "retire-older"]


@pytest.mark.parametrize("name", ["../../etc", "/etc/cron", "a/b", "A"])
def test_a_spec_whose_name_leads_elsewhere_is_not_saved(workspace, name):
    with pytest.raises(SpecError, match="name"):
        workspace.save(SPEC.replace("retire-old", name), over="")
    assert workspace.names() == []


def test_lists_lie_beside_the_specs_and_nowhere_else(workspace):
    (workspace.specs / "list.txt").write_text("Old\n")
    text = SPEC.replace("device == Old", "device in @gone") + "value_sets: {gone: {file: %s}}\n"
    assert workspace.parse(text % "list.txt").value_sets["gone"] == ("Old",)
    for path in ("../drafts/new.yaml", "/etc/passwd"):
        with pytest.raises(SpecError, match="leads elsewhere"):
            workspace.parse(text % path)


def test_drafts_are_kept_until_they_are_dropped(workspace):
    def texts():
        return [draft.text for draft in workspace.drafts(NEW)]

    assert texts() == []
    workspace.keep_draft(NEW, "a", "forget: ((\ud800")
    assert texts() == ["forget: ((?"]
    workspace.keep_draft(NEW, "a", "x" * (MAX_BYTES + 1))
    assert texts() == ["forget: ((?"]
    workspace.drop_draft(NEW, "a")
    workspace.drop_draft(NEW, "a")
    assert texts() == []


def test_every_page_has_a_draft_of_its_own(workspace):
    first, second = new_key(), new_key()
    workspace.keep_draft(NEW, first, "one")
    workspace.keep_draft(NEW, second, "two")
    assert {draft.key: draft.text for draft in workspace.drafts(NEW)} == {first: "one", second: "two"}
    (read,) = [draft for draft in workspace.drafts(NEW) if draft.key == first]
    workspace.keep_draft(NEW, first, "one more")
    workspace.drop_draft(NEW, first, only=read.digest)  # typed on since it was read
    assert "one more" in [draft.text for draft in workspace.drafts(NEW)]
    (read,) = [draft for draft in workspace.drafts(NEW) if draft.key == second]
    workspace.drop_draft(NEW, second, only=read.digest)
    assert [draft.key for draft in workspace.drafts(NEW)] == [first]


@pytest.mark.parametrize("key", ["../x", "", "a/b"])
def test_a_draft_whose_key_leads_elsewhere_is_refused(workspace, key):
    with pytest.raises(InputError, match="expected a name"):
        workspace.keep_draft(NEW, key, "x")
