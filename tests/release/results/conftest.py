from __future__ import annotations

import copy
from contextlib import ExitStack
from itertools import groupby

import pytest
from archive_example import Archive, report_of
from small_server import small_server

from monai_unlearn.pacs.access import Access
from monai_unlearn.pacs.dicomweb import DicomWeb
from monai_unlearn.phantom import write_mri_studies


@pytest.fixture(scope="session")
def scans(tmp_path_factory):
    """An image of each of three studies."""
    out = tmp_path_factory.mktemp("scans") / "studies"
    write_mri_studies(out, patients=3, size=32, slices=1)
    files = sorted(out.rglob("*.dcm"))
    return [next(group) for _, group in groupby(files, key=lambda file: file.parent)][:3]


@pytest.fixture(scope="session")
def reports(scans):
    """Reports of two versions of a model, and one of another model."""
    return [
        report_of(scans[0], "0.1.0"),
        report_of(scans[1], "0.1.0"),
        report_of(scans[1], "0.2.0"),
        report_of(scans[2], "0.1.0", name="Another"),
    ]


@pytest.fixture
def shared(reports, scans):
    """A report that has results of two models."""
    other = report_of(scans[0], "7", name="Another")
    both = copy.deepcopy(reports[0])
    both.ContentSequence = [*both.ContentSequence, *other.ContentSequence]
    return both


@pytest.fixture
def archive(reports):
    """An archive, and a client of it."""
    with ExitStack() as stack:

        def run(*documents, **options):
            held = Archive(*(documents or reports), **options)
            server = stack.enter_context(small_server(held))
            client = stack.enter_context(DicomWeb(Access(url=server.url, attempts=2, wait=0.001, timeout=10.0)))
            return held, client

        yield run
