"""Pulls from an archive in memory, and what an index of them has."""

from __future__ import annotations

from monai_unlearn.index import Index
from monai_unlearn.index.build_request import BuildRequest
from monai_unlearn.index.pull import PullRequest, pull
from monai_unlearn.index.scan.extra_tags import ExtraTags
from monai_unlearn.index.scan.options import ScanOptions


def pulled(out, archive, *, tags=(), pseudonyms=None, scan=None, check=False, track=iter, **options):
    """Pull, with as many connections as archives in memory need: two."""
    extra = ExtraTags.of(tags, raw_values=False, pseudonyms=pseudonyms)
    build = BuildRequest(sources=(), out=out, scan=scan or ScanOptions(extra_tags=extra, pseudonyms=pseudonyms))
    return pull(PullRequest(build=build, check=check, connections=2, **options), archive, track=track)


def ids(folder):
    """Return the identifiers of the images in an index."""
    return sorted(Index.open(folder).frame(["image_id"])["image_id"])
