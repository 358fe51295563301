from __future__ import annotations

import pytest
from demo_example import write_demo, write_run

from monai_unlearn.studio.demo import visitors as module
from monai_unlearn.studio.demo.start import demo_settings
from monai_unlearn.studio.demo.visitors import FOLDER, SECONDS_AWAY, FullError, Visitors
from monai_unlearn.studio.settings import Settings


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return write_demo(tmp_path_factory.mktemp("visitors") / "demo")


class Clock:
    time = 0.0

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def visitors(demo, clock):
    settings = demo_settings(Settings(demo=demo, behind_proxy="https://demo.example"), demo)
    found = Visitors(settings, now=clock)
    yield found
    found.delete()
    assert not (demo.root / FOLDER).exists()


def test_each_has_a_folder_and_keys_of_their_own(visitors, demo):
    ada, bob = (visitors.visitor(visitors.invite().cookie) for _ in range(2))
    assert ada.folder.root != bob.folder.root
    assert ada.studio.settings.store != bob.studio.settings.store
    keys = {one.folder.keys.joinpath("ada.pem").read_bytes() for one in (ada, bob)}
    assert len(keys | {demo.keys.joinpath("ada.pem").read_bytes()}) == 3
    assert ada.studio.workspace.names() == ["retire-cirrus-02"]
    ada.studio.workspace.save("schema_version: 1\nname: mine\nreason: other\nforget: device == Old\n", over="")
    assert bob.studio.workspace.names() == ["retire-cirrus-02"]


def test_nothing_is_made_for_who_does_not_come_back(visitors, demo):
    cookies = [visitors.invite().cookie for _ in range(3)]
    assert all(map(visitors.knows, cookies))
    assert not (demo.root / FOLDER).exists()
    assert not visitors.knows("made-up")
    with pytest.raises(KeyError):
        visitors.visitor("made-up")


def test_who_was_away_for_long_is_forgotten_with_all_they_left(visitors, clock):
    first, second = visitors.invite().cookie, visitors.invite().cookie
    left = visitors.visitor(first).folder.root
    clock.time = SECONDS_AWAY + 1
    assert left.exists()
    visitors.visitor(second)
    assert not left.exists()
    assert not visitors.knows(first)
    assert visitors.knows(second)


def test_there_is_an_end_to_how_many_are_here(visitors, monkeypatch, clock):
    monkeypatch.setattr(module, "MOST_VISITORS", 1)
    first, second = visitors.invite().cookie, visitors.invite().cookie
    visitors.visitor(first)
    with pytest.raises(FullError, match="Come back in half an hour"):
        visitors.visitor(second)
    clock.time = SECONDS_AWAY + 1
    visitors.visitor(second)


def test_a_revision_of_another_visitor_is_known(visitors, monkeypatch):
    first, second = visitors.invite().cookie, visitors.invite().cookie
    write_run(visitors.visitor(first).folder)
    visitors.visitor(second)
    assert not visitors.is_another_busy(second)
    monkeypatch.setattr(module.Revisions, "is_busy", lambda self: any(self.folder.iterdir()))
    assert visitors.is_another_busy(second)
    assert not visitors.is_another_busy(first)


def test_what_an_earlier_start_left_is_deleted(demo):
    (demo.root / FOLDER / "old").mkdir(parents=True)
    Visitors(Settings(demo=demo, behind_proxy="https://demo.example"))
    assert not (demo.root / FOLDER).exists()
