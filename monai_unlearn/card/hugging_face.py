"""The front matter of a README for the Hugging Face hub: `base_model`, and the figures as `model-index`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from monai_unlearn.terminal import escaped

if TYPE_CHECKING:
    from collections.abc import Mapping

    Document = Mapping[str, Any]

SHOWN = {("remain", "test"): "images to come", ("forget", "test"): "forgotten images, never trained on"}
TASK = {"type": "image-classification"}


def to_hugging_face(diff: Document) -> str:
    """Render the front matter, YAML that stands between two lines `---` on top of the Markdown.

    It is that of the hub's model cards (huggingface_hub, `ModelCardData` and `EvalResult`): `base_model`
    names the bundle that was revised, by its name in lower case; write the hub's own id in its place where the bundle
    has one. The metrics are registered ones of the revised model, by the names of this package.
    """
    named = f"{diff['base']['name']} {diff['revised']['version']}"
    front = {
        "library_name": "monai",
        "pipeline_tag": TASK["type"],
        "tags": ["monai", "medical", "unlearning"],
        "base_model": slug(diff["base"]["name"]),
        "base_model_relation": "finetune",
        "model-index": [{"name": " ".join(named.split()), "results": _results(diff)}],
    }
    return escaped(yaml.safe_dump(front, sort_keys=False, allow_unicode=True))


def slug(name: str) -> str:
    """Return a name as the hub writes names.

    >>> slug("Fundus classifier")
    'fundus-classifier'
    """
    return re.sub(r"[^a-z0-9._]+", "-", name.lower()).strip("-.") or "model"


def _results(diff: Document) -> list[dict[str, Any]]:
    results = []
    for (part, split), words in SHOWN.items():
        found = [row for row in diff["metrics"] if (row["part"], row["split"], row["class"]) == (part, split, "all")]
        metrics = [
            {"type": row["metric"], "value": row["after"]["value"], "name": row["key"]}
            for row in found
            if row["after"]["value"] is not None
        ]
        if metrics:
            dataset = {"type": "private", "name": f"{words} of the site's index", "split": split}
            results.append({"task": dict(TASK), "dataset": dataset, "metrics": metrics})
    return results
