"""How a pull is shown to people: what a build of an index is, and what was asked of the archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.index import build_view
from monai_unlearn.terminal import say
from monai_unlearn.vocabulary.counted import counted

if TYPE_CHECKING:
    from monai_unlearn.index.pull import PullReport

_LOOKED_AT = {
    "all": "all studies were listed",
    "changes": "only studies were listed that the archive says have changed; --check lists all",
    "window": "only studies of recent days were listed; --check lists all: what was deleted, and what came "
    "with an older date or without one",
}


def render(report: PullReport) -> None:
    """Print what a pull did, one fact per line."""
    build_view.render(report.build)
    studies, traffic = report.counts.studies, report.traffic
    say(
        f"archive  {report.archive}: {counted(studies['read'], 'study', 'studies')} read, "
        f"{studies['resumed']:,} resumed, {studies['reused']:,} reused, {studies['vanished']:,} vanished",
        f"looked   {_LOOKED_AT[report.looked_at]}",
        f"traffic  {traffic['requests']:,} requests, {traffic['bytes'] / 1e6:,.1f} MB",
    )
    if report.counts.identities:
        now = counted(report.counts.identities, "image has", "images have")
        say(f"warning  {now} another patient than at the last pull: read cohorts that name patients again")
