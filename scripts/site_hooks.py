"""Hooks of the documentation site: what GitHub does with the pages, MkDocs does too.

- Anchors of headings are those of GitHub.
- A link to a file of the repository outside `docs/` leads to a copy of it in the site, as plain text.
- A page that `mkdocs.yml` does not list stands at the end of the navigation.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File
from pymdownx.slugs import slugify

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
OUTWARD = re.compile(r"(?<=\]\()((?:\.\./)+[^)#\s]+)(#[^)\s]*)?(?=\))")
COPIES = "files"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Set the anchors, and complete the navigation."""
    config.mdx_configs["toc"]["slugify"] = slugify(case="lower")
    listed = set(_pages(config.nav))
    docs = Path(config.docs_dir)
    further = [path.relative_to(docs).as_posix() for path in sorted(docs.rglob("*.md"))]
    config.nav.extend(page for page in further if page not in listed)
    return config


def _pages(nav: Any) -> list[str]:  # noqa: ANN401 - lists, dictionaries and texts, nested
    if isinstance(nav, str):
        return [nav]
    return [page for entry in (nav.values() if isinstance(nav, dict) else nav) for page in _pages(entry)]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files outside `docs/` that pages link to."""
    for page in files.documentation_pages():
        for target in outward(page.content_string, Path(page.abs_src_path).parent):
            name = copied(target)
            if files.get_file_from_path(name) is None:
                files.append(File.generated(config, name, content=target.read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - MkDocs' names
    """Let links that leave `docs/` lead to the copies."""
    folder = Path(page.file.abs_src_path).parent

    def replaced(match: re.Match[str]) -> str:
        target = (folder / match[1]).resolve()
        if is_outside(target):
            up = "../" * page.file.src_uri.count("/")
            return f"{up}{copied(target)}"
        return match[0]

    return OUTWARD.sub(replaced, markdown)


def outward(markdown: str, folder: Path) -> set[Path]:
    """Return the files outside `docs/` that a page in a folder links to."""
    targets = {(folder / match[1]).resolve() for match in OUTWARD.finditer(markdown)}
    return {target for target in targets if is_outside(target)}


def is_outside(target: Path) -> bool:
    return target.is_file() and not target.is_relative_to(ROOT / "docs")


def copied(target: Path) -> str:
    """Return the address of a copy; Markdown becomes text, so that it is no page whose links must resolve."""
    name = f"{COPIES}/{target.relative_to(ROOT).as_posix()}"
    return f"{name}.txt" if target.suffix in {".md", ".py", ".yaml"} else name
