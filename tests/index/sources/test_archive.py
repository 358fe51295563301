"""Every source that a pull may have fits the protocol."""

from __future__ import annotations

import datetime as dt

from fake_archive import FakeArchive

from monai_unlearn.index.sources.archive import Archive, Asked
from monai_unlearn.index.sources.web_archive import WebArchive
from monai_unlearn.pacs.access import Access


def test_sources_have_what_a_pull_needs():
    wanted = {name for name in vars(Archive) if not name.startswith("_")}
    web = WebArchive(Access(url="https://pacs"), today=dt.date(2020, 1, 1))
    for source in (FakeArchive([]), web):
        assert wanted <= set(dir(source))
    web.close()


def test_all_studies_are_asked_for_unless_something_else_is_said():
    assert (Asked("all", {}).studies, Asked("all", {}).since) == (None, None)
