"""What to do next in the demo, in plain words: known from what is in its folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from monai_unlearn.errors import InputError
from monai_unlearn.release.store import Store
from monai_unlearn.studio.bundles import bundles
from monai_unlearn.studio.demo.people import ADA, GRACE
from monai_unlearn.studio.demo.story import SPEC_NAME, STATION
from monai_unlearn.studio.revisions import ALIVE, Revisions, State

if TYPE_CHECKING:
    from monai_unlearn.studio.studio import Studio

ADDRESS = "/demo"
_REVISED = frozenset({State.ACCEPTED, State.NOT_ACCEPTED})


@dataclass(frozen=True, kw_only=True)
class GuideStep:
    """A step of the demo.

    Attributes:
        title: What it is.
        how: What to do, and what to look at.
        page: The page on which it is done.
        address: That page, about what the step is about.
        is_done: Whether it was done.
        is_looking: Whether there is only something to look at: whoever has, goes on.
        number: Its number, from 1.
        count: How many there are.
        link: Where to go from the page on which this is read; empty where it is to be done there.
        link_text: What stands on the link.
    """

    title: str
    how: str
    page: str
    address: str
    is_done: bool
    is_looking: bool = False
    number: int = 0
    count: int = 0
    link: str = ""
    link_text: str = ""


def guide(studio: Studio, here: str) -> GuideStep | None:
    """Return the step that comes next for whoever looks at a page; None outside of a demo, and on its own page.

    Args:
        studio: The studio.
        here: The address of the page.
    """
    if studio.settings.demo is None or here.startswith(ADDRESS):
        return None
    steps = steps_of(studio)
    step = next((one for one in steps if not one.is_done), None)
    if step is None:
        return None
    if step.page == "/evidence" and here.startswith("/release"):  # whoever has gone on has read enough
        step = steps[step.number]
    if not here.startswith(step.page):
        return replace(step, link=step.address, link_text="Go there")
    if step.is_looking:
        after = steps[step.number]
        return replace(step, link=after.address, link_text=f"Go on: {after.title}")
    return step


def _events(studio: Studio) -> list[str]:
    """Return what the ledger says was done; nothing where it cannot be read, which the Release page says."""
    store = studio.settings.store
    try:
        return [] if store is None else [line.event.event for line in Store(store).ledger.lines()]
    except InputError:
        return []


def steps_of(studio: Studio) -> list[GuideStep]:
    """Return the steps of the demo, in order."""
    revisions = Revisions(studio.workspace.runs)
    states = {name: revisions.state(name) for name in revisions.names()}
    events = _events(studio)
    revised = next((name for name in bundles(studio) if name.partition(",")[0] in states), "")
    about = f"?bundle={quote(revised)}" if revised else ""
    runs = any(state in ALIVE for state in states.values())
    steps = [
        GuideStep(
            title="look at whom the model must forget",
            how=f"The camera {STATION} was retired: it filed photographs of sick eyes as normal. The spec says so in a "
            "line; beside it you see how many photographs it catches.",
            page="/cohort",
            is_looking=True,
            address=f"/cohort?spec={SPEC_NAME}",
            is_done=bool(states),
        ),
        GuideStep(
            title="make the model forget them",
            how="It runs, for a minute or two. This page tells when it is done; you may leave it meanwhile."
            if runs
            else f"Leave everything as it is, and press Start. The spec {SPEC_NAME} and the model are chosen already.",
            page="/revise",
            address="/revise",
            is_done=any(state in _REVISED for state in states.values()),
        ),
        GuideStep(
            title="read whether it did",
            how="The first lines say whether the new model may be used, and why. Below, the same is shown in figures. "
            "Then decide.",
            page="/evidence",
            is_looking=True,
            address=f"/evidence{about}",
            is_done="sign" in events,
        ),
        GuideStep(
            title="sign it, as the one who revised",
            how=f"You play {ADA.name}. Under “Prepare: sign it”, give a reason in your words and press Sign; name and "
            "key are filled in.",
            page="/release",
            address=f"/release{about}",
            is_done="sign" in events,
        ),
        GuideStep(
            title="deploy it, as somebody else",
            how=f"Now you play {GRACE.name}. Under “Approve: deploy it”, give a reason and press Deploy. From then on "
            "the new model is in use.",
            page="/release",
            address=f"/release{about}",
            is_done=events.count("promote") > 1,
        ),
        GuideStep(
            title="take it back",
            how="Something is wrong after all? Under “Roll back”, give a reason and press Roll back: the model before "
            "is in use again, and the ledger at the end of the page keeps all that happened.",
            page="/release",
            address=f"/release{about}",
            is_done="rollback" in events,
        ),
    ]
    return [replace(step, number=number, count=len(steps)) for number, step in enumerate(steps, 1)]
