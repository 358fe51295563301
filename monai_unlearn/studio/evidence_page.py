"""The Evidence page: the card of a revision, and what it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from monai_unlearn.card.bundles.read import read_card
from monai_unlearn.card.html.sections import SECTIONS
from monai_unlearn.cohort.lineage.history import history
from monai_unlearn.errors import ConfigError
from monai_unlearn.studio.bundles import bundle_named, bundles
from monai_unlearn.studio.comparisons import comparison_plot, comparisons
from monai_unlearn.studio.evidence_view import attack, confusions, history_table
from monai_unlearn.studio.features_view import features
from monai_unlearn.studio.pages import render, studio_of

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

_OLD = "has a card that this version cannot show. Use the version of monai-unlearn that it names."


async def show(request: Request) -> Response:
    """Show the card of a bundle, and what it rests on."""
    return await run_in_threadpool(_show, request)


def _show(request: Request) -> Response:
    studio = studio_of(request)
    known = bundles(studio)
    name = request.query_params.get("bundle") or next(iter(known), "")
    shown = None if not name else _evidence(bundle_named(studio, name), name)
    found = comparisons(studio)
    return render(request, "evidence.html.jinja", names=list(known), name=name, shown=shown, comparisons=found)


async def plot(request: Request) -> Response:
    """Send a plot of a comparison."""
    asked = request.query_params
    number, name = asked.get("comparison", ""), asked.get("plot", "")
    drawn = await run_in_threadpool(comparison_plot, studio_of(request), number, name)
    return Response(drawn, media_type="image/svg+xml")


def _evidence(bundle: Path, name: str) -> dict[str, Any]:
    """Return what is known about a bundle; a bundle that was never revised has no card.

    Raises:
        ConfigError: It is no bundle, or its card cannot be shown.
    """
    past, diff = history(bundle), read_card(bundle)
    about: dict[str, Any] = {"name": past["name"], "version": past["version"], "history": history_table(past)}
    if diff is None:
        return {**about, "diff": None}
    try:
        return {
            **about,
            "diff": diff,
            "sections": [(section, section.view(diff)) for section in SECTIONS],
            "confusions": confusions(diff, bundle),
            "features": features(bundle, diff["class_names"]),
            "attack": attack(diff),
        }
    # What is read as JSON or Parquet may be anything.
    except (OSError, KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError):
        raise ConfigError(f"the bundle '{name}' {_OLD}") from None


ROUTES = [Route("/evidence", show), Route("/evidence/plot", plot)]
