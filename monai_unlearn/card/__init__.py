"""The model-card difference: one canonical document, and what is rendered from it."""

from monai_unlearn.card.diff import build_diff, metric_rows
from monai_unlearn.card.html import to_html
from monai_unlearn.card.markdown import to_markdown
from monai_unlearn.card.renderers import RENDERERS
from monai_unlearn.card.schema import schema

__all__ = ["RENDERERS", "build_diff", "metric_rows", "schema", "to_html", "to_markdown"]
