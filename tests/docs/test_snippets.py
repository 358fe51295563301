"""A test runs every snippet of the documentation: two pages here, the others by the tests of their pages."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml
from decision_example import binary, decision, everywhere, table
from typer.core import TyperGroup

from monai_unlearn.cli import app
from monai_unlearn.evaluation.decision import decide
from monai_unlearn.vocabulary.run_folder import RunFolder

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = {
    path.relative_to(ROOT / "docs").as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "docs").rglob("*.md")
}
# What a reader copies and runs; other blocks show output, files and the form of commands.
RUN = {"bash", "python"}

HERE = "tests/docs/test_snippets.py"
RUN_BY = {
    "audits.md": HERE,
    "verdict.md": HERE,
    "card.md": "tests/docs/test_predictors_and_card.py",
    "predictors.md": "tests/docs/test_predictors_and_card.py",
    "deploy.md": "tests/docs/test_deploy_page.py",
    "index.md": "tests/docs/test_quick_start.py",
    "rehearse.md": "tests/docs/test_rehearse.py",
    "release.md": "tests/docs/test_release_page.py",
    "your_own_model.md": "tests/docs/test_your_own_model.py",
}
# Their commands need an archive or a service, which the tests of their rooms have; here they parse.
PARSED = {"pacs.md", "studio.md", "watch.md"}


def snippets(page, language):
    return [body for found, body in BLOCK.findall(PAGES[page]) if found == language]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """What a run leaves of its predictions and its decision, in the folder that the pages name."""
    folder = tmp_path_factory.mktemp("finished")
    run = RunFolder(folder / "revision")
    good = everywhere(binary(0.8, 0.8))
    networks = {
        "original": everywhere(binary(0.99, 0.99)),
        "revised": good,
        **{f"reference-{i}": good for i in range(3)},
    }
    found = table(networks, patients=120, eyes=2)
    run.evidence.mkdir(parents=True)
    found.write(run.predictions)
    run.metrics.write_text(json.dumps(decide(decision(), found).to_metrics()), encoding="utf-8")
    return folder


def run_in(folder, code, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    exec(compile(code, "snippet", "exec"), {})  # noqa: S102 - the page's own example
    return capsys.readouterr().out


def test_an_audit_is_computed_again_as_shown(finished, monkeypatch, capsys):
    (code,) = snippets("audits.md", "python")
    said = run_in(finished, code, monkeypatch, capsys).splitlines()
    assert said
    assert all(len(line.split()) >= 3 for line in said)


def test_a_decision_is_computed_again_as_shown(finished, monkeypatch, capsys):
    (code,) = snippets("verdict.md", "python")
    assert run_in(finished, code, monkeypatch, capsys).startswith("equivalent: ")


@pytest.mark.parametrize(
    "page", sorted(page for page, text in PAGES.items() if RUN & {f for f, _ in BLOCK.findall(text)})
)
def test_a_page_with_snippets_has_a_test_that_reads_it(page):
    if page in PARSED:
        return
    assert page in RUN_BY, "run its snippets in a test, and name the test in RUN_BY"
    assert Path(page).name in (ROOT / RUN_BY[page]).read_text(encoding="utf-8")


def commands(page):
    lines = "".join(snippets(page, "bash")).replace("\\\n", " ").splitlines()
    return [
        shlex.split(re.sub(r"\[.*?\]", "", line)) for line in lines if line.startswith(("monai-unlearn", "python -m"))
    ]


@pytest.mark.parametrize(
    "words", [words for page in sorted(PARSED) for words in commands(page)], ids=lambda words: " ".join(words[:4])
)
def test_a_command_parses(words):
    if words[0] == "monai-unlearn":
        command, rest = typer.main.get_command(app), words[1:]
        while isinstance(command, TyperGroup):
            command = command.commands[rest.pop(0)]
        command.make_context("monai-unlearn", rest)
    else:
        name = Path(words[words.index("--config_file") + 1]).name
        config = yaml.safe_load((ROOT / "bundles" / "fundus_classifier" / "configs" / name).read_text())
        options = {word[2:].split("::")[0] for word in words[5:] if word.startswith("--")}
        assert options <= {"config_file", *config}
