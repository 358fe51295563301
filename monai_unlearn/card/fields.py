"""What regulators ask a card to say, where this card says it, and what people must add: the root of the docs' table.

Sources: FDA, *Marketing Submission Recommendations for a Predetermined Change Control Plan for AI-Enabled Device
Software Functions*, 2024 (PCCP); Regulation (EU) 2024/1689, Annex IV, by its points; ONC HTI-1, 45 CFR
170.315(b)(11)(iv)(B), by the numbers of its source attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from monai_unlearn.card.wording import ACTIONS, REASONS, choice

Document = Mapping[str, Any]

DESCRIPTION = "description of modifications"
DATA, TRAINING, EVALUATION, UPDATE = (
    f"modification protocol: {name}"
    for name in ("data management", "re-training", "performance evaluation", "update procedures")
)
IMPACT = "impact assessment"
TO_FILL_IN = "To be filled in"


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field of the card.

    Attributes:
        name: What it says.
        where: Where the card says it: a section of the page; `people` where only people know it.
        pccp: The part of a predetermined change control plan that asks for it; empty where none does.
        ai_act: The point of Annex IV that asks for it.
        hti1: The source attribute of HTI-1 that asks for it.
        found: Returns its content in one sentence, None where people must fill it in.
    """

    name: str
    where: str
    pccp: str = ""
    ai_act: str = ""
    hti1: str = ""
    found: Callable[[Document], str | None] = lambda _: None


def _of_bundle(name: str) -> Callable[[Document], str | None]:
    return lambda diff: diff["bundle"].get(name)


def _change(diff: Document) -> str:
    cohort, reason = diff["modification"]["cohort"], REASONS[diff["modification"]["reason"]]
    return (
        f"Version {diff['revised']['version']} forgets {cohort['images']['forget']:,} images of "
        f"{cohort['patients']['forget']:,} patients that version {diff['base']['version']} learned from, because "
        f"{reason}."
    )


def _data(diff: Document) -> str:
    parts = ", ".join(f"{count:,} {part}" for part, count in diff["modification"]["cohort"]["images"].items())
    return f"Images by part: {parts}. Spec and manifest by their digests; attrition rule by rule."


def _training(diff: Document) -> str:
    method = diff["modification"]["method"]
    return f"Method: {choice(method)}. {method['paper']}. Seed {diff['modification']['seed']}, settings on the card."


def _declared(diff: Document) -> str:
    endpoints = diff["decision"]["declared"]["endpoints"]
    return f"{len(endpoints)} endpoints with margins, declared before the run; found: {diff['verdict']}."


def _performance(diff: Document) -> str:
    return f"{len(diff['metrics'])} figures before and after, with 95 % intervals where the images support one."


def _fairness(diff: Document) -> str | None:
    rows = diff["subgroups"]["rows"]
    slices = ", ".join(dict.fromkeys(row["slice"].replace("_", " ") for row in rows))
    return f"By {slices}, on images that stand for the patients to come." if rows else None


def _limits(diff: Document) -> str:
    return " ".join([*diff["why"], *(one["text"] for one in diff["needs"]), *diff["warnings"]])


def _versions(diff: Document) -> str:
    return (
        f"{diff['base']['version']} ({diff['base']['weights_digest']}) to {diff['revised']['version']} "
        f"({diff['revised']['weights_digest']}), monai-unlearn {diff['modification']['tool_version']}, "
        f"{diff['modification']['date']}."
    )


def _advice(diff: Document) -> str:
    return f"{ACTIONS[diff['advice']['action']]}. {diff['advice']['sentence']}"


def _forgetting(diff: Document) -> str:
    return f"{len(diff['true_class'])} rows by subset and class, {len(diff['audits'])} audits."


FIELDS = (
    Field(name="What changed, and why", where="1, 2", pccp=DESCRIPTION, ai_act="2(f), 6", hti1="9(i)", found=_change),
    Field(name="Versions, digests, date", where="10", pccp=UPDATE, ai_act="6", hti1="9(i)", found=_versions),
    Field(name="What it is", where="1", ai_act="1(a)", hti1="1(iii)", found=_of_bundle("description")),
    Field(name="Developer", where="10", ai_act="1(a)", hti1="1(i)", found=_of_bundle("authors")),
    Field(name="Intended use", where="8", ai_act="1(a), 3", hti1="2(i)", found=_of_bundle("intended_use")),
    Field(name="Input data", where="10", pccp=DATA, ai_act="2(d)", hti1="4(i)", found=_of_bundle("data_type")),
    Field(
        name="Source of the training data",
        where="10",
        pccp=DATA,
        ai_act="2(d)",
        hti1="4(i)",
        found=_of_bundle("data_source"),
    ),
    Field(name="Which data were removed and kept", where="2", pccp=DATA, ai_act="2(d), 6", hti1="4(i)", found=_data),
    Field(
        name="How it was revised", where="6, appendix", pccp=TRAINING, ai_act="2(f), 6", hti1="9(i)", found=_training
    ),
    Field(
        name="Acceptance criteria declared beforehand",
        where="6",
        pccp=EVALUATION,
        ai_act="2(f), 4",
        hti1="9(ii)",
        found=_declared,
    ),
    Field(
        name="Performance before and after",
        where="4, appendix",
        pccp=EVALUATION,
        ai_act="3, 4",
        hti1="7(i)",
        found=_performance,
    ),
    Field(name="Performance by subgroup", where="4", pccp=IMPACT, ai_act="3", hti1="7(ii)", found=_fairness),
    Field(
        name="Evidence of forgetting", where="3, 5", pccp=EVALUATION, ai_act="2(f), 4", hti1="7(i)", found=_forgetting
    ),
    Field(name="Limits and what is undecided", where="8", pccp=IMPACT, ai_act="3", hti1="3(ii)", found=_limits),
    Field(name="Whether to deploy", where="1", pccp=UPDATE, ai_act="6", hti1="9(ii)", found=_advice),
    Field(name="Names and signatures", where="people", pccp=UPDATE, ai_act="6"),
    Field(name="Contact of the developer", where="people", ai_act="1(a)", hti1="1(i)"),
    Field(name="Funding", where="people", hti1="1(ii)"),
    Field(
        name="Intended users and their role in the decision", where="people", ai_act="1(a), 2(e)", hti1="2(iii), 2(iv)"
    ),
    Field(name="Intended patients", where="people", ai_act="3", hti1="2(ii)"),
    Field(name="Uses to be warned of", where="people", ai_act="3", hti1="3(i)"),
    Field(name="Fairness process", where="people", ai_act="2(g)", hti1="5(i), 5(ii)"),
    Field(name="External validation", where="people", pccp=EVALUATION, ai_act="2(g)", hti1="6, 7(iii), 7(iv)"),
    Field(name="Benefits and risks of this change, taken together", where="people", pccp=IMPACT, ai_act="5"),
    Field(name="Within the authorised plan, or a new submission", where="people", pccp=DESCRIPTION, ai_act="2(f)"),
    Field(name="Monitoring after release", where="people", pccp=UPDATE, ai_act="3, 9", hti1="8"),
    Field(name="Schedule of updates", where="people", pccp=UPDATE, ai_act="9", hti1="9(i)"),
    Field(name="Who tells users of this change, and how", where="people", pccp=UPDATE, ai_act="6"),
    Field(name="Clinical risk level and regulatory status", where="people", ai_act="1(a), 5"),
    Field(name="Consent, or notice to patients", where="people", pccp=DATA, ai_act="2(d)"),
)


def gaps(diff: Document) -> list[Field]:
    """Return the fields that people must fill in: the difference has nothing for them."""
    return [field for field in FIELDS if not field.found(diff)]
