"""The documentation site builds without a warning, requests nothing from elsewhere, and has every page."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md"))
# What a browser requests when it shows a page: links that a reader follows are not among them.
REQUESTED = re.compile(r"<(?:link|script|img|iframe|source)\b[^>]*?(?:href|src)=[\"']?(?:https?:)?//[^>]*>")

needs_mkdocs = pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="`make docs` installs MkDocs")


def build(out, config=ROOT / "mkdocs.yml"):
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    words = [sys.executable, "-W", "ignore", "-m", "mkdocs", "build", "--strict", "--config-file", str(config)]
    return subprocess.run(
        [*words, "--site-dir", str(out)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("site")
    done = build(out)
    assert done.returncode == 0, done.stderr
    return out


@needs_mkdocs
def test_every_page_is_there(site):
    for page in PAGES:
        name = page.with_name("index.html") if page.name == "README.md" else page.with_suffix(".html")
        assert (site / name).is_file(), page


@needs_mkdocs
def test_no_page_requests_anything_from_elsewhere(site):
    for page in site.rglob("*.html"):
        found = REQUESTED.findall(page.read_text(encoding="utf-8"))
        assert [tag for tag in found if 'rel="canonical"' not in tag] == [], page


@needs_mkdocs
def test_files_outside_the_pages_are_copied(site):
    text = (site / "worked_specs.html").read_text(encoding="utf-8")
    links = set(re.findall(r'href="(files/cohort_specs/[^"]+)"', text))
    assert links
    assert all((site / link).is_file() for link in links)


@needs_mkdocs
def test_the_interface_comes_from_docstrings(site):
    text = (site / "api.html").read_text(encoding="utf-8")
    for name in ("index.Index.open", "cohort.CohortSpec.read", "methods.PSG", "errors.UnlearnError"):
        assert f'id="monai_unlearn.{name}"' in text
    # Markdown takes the prompt of a doctest for three quotations.
    assert not re.search(r"<blockquote>\s*<blockquote>", text)


@needs_mkdocs
def test_a_broken_link_fails(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# x\n\n[nowhere](nowhere.md)\n", encoding="utf-8")
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    config |= {"docs_dir": str(tmp_path / "docs"), "nav": ["index.md"], "plugins": [], "hooks": []}
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    done = build(tmp_path / "site", tmp_path / "mkdocs.yml")
    assert done.returncode == 1
    assert "nowhere.md" in done.stderr


@pytest.mark.parametrize("tag", ['<script src="https://cdn.example/x.js">', "<link rel=x href='//fonts.example/y'>"])
def test_a_request_is_recognised(tag):
    assert REQUESTED.search(tag)
