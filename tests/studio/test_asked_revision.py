from __future__ import annotations

from types import SimpleNamespace

import pytest
import yaml
from protocol_example import content

from monai_unlearn.errors import ConfigError, InputError
from monai_unlearn.studio.asked_revision import AskedRevision, asked_revision
from monai_unlearn.studio.forms import Form, Upload
from monai_unlearn.studio.settings import Settings
from monai_unlearn.studio.workspace import Workspace

SPEC = "schema_version: 1\nname: mine\nreason: other\nforget: device == Old\n"


@pytest.fixture
def studio(tmp_path):
    (tmp_path / "bundle" / "configs").mkdir(parents=True)
    workspace = Workspace(tmp_path / "work")
    workspace.prepare()
    workspace.save(SPEC, over="")
    settings = Settings(index=tmp_path / "index", bundle=tmp_path / "bundle", work=tmp_path / "work")
    return SimpleNamespace(workspace=workspace, settings=settings)


def form(studio, *, protocol=None, **fields):
    files = {} if protocol is None else {"protocol": Upload(protocol.encode())}
    digest = studio.workspace.saved("mine").digest
    return Form({"spec": f"mine {digest}", "bundle": "given", **fields}, files)


def test_a_form_names_places_of_this_studio_and_options(studio, tmp_path):
    asked = asked_revision(studio, form(studio, method="psg", budget="12.5"))
    assert asked.spec == "mine"
    assert asked.job == {
        "bundle": str(tmp_path / "bundle"),
        "index": str(tmp_path / "index"),
        "spec": str(tmp_path / "work" / "specs" / "mine.yaml"),
        "spec_digest": studio.workspace.saved("mine").digest,
        "method": "psg",
        "budget": "0.125",
    }
    assert asked.files == {}


def test_a_protocol_is_read_as_data_and_kept_as_it_came(studio):
    text = yaml.safe_dump(content())
    assert asked_revision(studio, form(studio, protocol=text)).files == {"protocol.yaml": text}
    hostile = yaml.safe_dump(content(method={"name": "psg", "steps": "$__import__('os').system('x')"}))
    with pytest.raises(ConfigError, match="plain values"):
        asked_revision(studio, form(studio, protocol=hostile))
    for other in ({"method": "reset"}, {"budget": "10"}, {"reference": "retrain"}):
        with pytest.raises(InputError, match=f"leave {next(iter(other))} as the form had it"):
            asked_revision(studio, form(studio, protocol=text, **other))


def test_without_a_protocol_no_file_belongs_to_it():
    assert AskedRevision("mine", {}).files == {}
