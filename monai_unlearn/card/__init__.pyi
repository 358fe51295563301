from .diff import build_diff, metric_rows
from .document_schema import schema
from .html import to_html
from .markdown import to_markdown
from .renderers import RENDERERS

__all__ = ["RENDERERS", "build_diff", "metric_rows", "schema", "to_html", "to_markdown"]
