from __future__ import annotations

import shutil

import pytest
from watch_example import PlayedRun, plan_of, write_example

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.errors import UnlearnError
from monai_unlearn.experiments import runner
from monai_unlearn.index import Index
from monai_unlearn.watch import service as module
from monai_unlearn.watch.previews import Preview
from monai_unlearn.watch.service import opened_service


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("watch")
    write_example(folder)
    return folder


@pytest.fixture
def place(written, tmp_path):
    """A folder with what a service needs."""
    folder = tmp_path / "site"
    shutil.copytree(written, folder)
    return folder


@pytest.fixture
def played(monkeypatch):
    """Runs that are played, and previews within this process."""

    def preview(spec, plan):
        try:
            return Preview(document=CohortSpec.read(spec).resolve(Index.open(plan.index)).preview())
        except UnlearnError as error:
            return Preview(refused=str(error))

    run = PlayedRun()
    monkeypatch.setattr(runner, "start", run)
    monkeypatch.setattr(module, "preview", preview)
    return run


@pytest.fixture
def scan(place, played):
    """Look once, with another plan if one is given."""

    def look(**changed):
        with opened_service(plan_of(place, **changed)) as service:
            return service.scan()

    return look
