"""The difference as a page of HTML, for people who read it in a browser."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from monai_unlearn.card.markdown import to_markdown

if TYPE_CHECKING:
    from collections.abc import Mapping

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 75em; margin: 2em auto; padding: 0 1em;
  overflow-wrap: anywhere; }}
.table {{ overflow-x: auto; margin: 1em 0; }}
table {{ border-collapse: collapse; overflow-wrap: normal; }}
th, td {{ border: 1px solid #bbb; padding: 0.25em 0.6em; vertical-align: top; }}
</style>
</head>
<body>
{body}</body>
</html>
"""


def to_html(diff: Mapping[str, Any]) -> str:
    """Render a difference that `build_diff` made: its Markdown as one page, which loads and runs nothing.

    The Markdown is read by markdown-it-py (CommonMark 0.31 with tables); HTML within it is shown, not interpreted.
    """
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["link", "image", "autolink"])
    # A wide table scrolls by itself, by keyboard too; the page would be cut on a phone.
    body.add_render_rule(
        "table_open", lambda *_: '<div class="table" role="region" aria-label="table" tabindex="0"><table>\n'
    )
    body.add_render_rule("table_close", lambda *_: "</table></div>\n")
    base, revised = diff["base"], diff["revised"]
    title = f"Model card difference: {base['name']} {base['version']} → {revised['version']}"
    return _PAGE.format(title=html.escape(title), body=body.render(to_markdown(diff)))
