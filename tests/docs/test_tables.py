"""Tables, plots and figures in prose are those of the committed results."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"
sys.path += [str(SCRIPTS), str(ROOT / "benchmarks")]

import document_tables  # noqa: E402 - scripts, and no package
import render_tables  # noqa: E402
import results_file  # noqa: E402

RESULTS = sorted(results_file.RESULTS.glob("*.json"))
FIGURES = render_tables.sentences()
FENCE = re.compile(r"^(`{3,}).*?^\1", re.MULTILINE | re.DOTALL)
TABLE = re.compile(r"^\|.*$", re.MULTILINE)
CODE = re.compile(r"`[^`]*`|\]\([^)]*\)|^ {4,}\S.*$", re.MULTILINE)
FIGURE = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?(?: %| points| s\b| processor seconds)|\d+\.\d+")
# What is no measurement: versions, identifiers, settings and declared aims.
NO_FIGURES = {"README.md": {"3.10", "3.13", "2.0", "2505.21872"}, "docs/scale.md": {"6.4"}}
SETTINGS = {"5 %", "10 %", "0.005", "0.1", "two points"}


@pytest.mark.parametrize(("path", "text"), list(render_tables.files()), ids=lambda value: getattr(value, "name", ""))
def test_files_are_rendered_from_the_results(path, text):
    assert path.read_text(encoding="utf-8") == text, "run `python scripts/render_tables.py`"


@pytest.mark.parametrize("document", FIGURES)
def test_figures_in_prose_are_those_of_the_results(document):
    assert render_tables.wrong_sentences(document, FIGURES[document]) == []


@pytest.mark.parametrize("document", ["README.md", "docs/scale.md", "docs/methods/psg.md"])
def test_every_measured_figure_is_listed(document):
    assert unlisted(document) <= NO_FIGURES.get(document, SETTINGS)


def unlisted(document):
    """The figures of a document's prose that are in no listed sentence."""
    text = (ROOT / document).read_text(encoding="utf-8")
    if document.endswith("psg.md"):
        text = text[text.index("## The defaults") : text.index("## Choosing λ and γ")]
    for pattern in (FENCE, TABLE, CODE):
        text = pattern.sub(" ", text)
    text = " ".join(text.split())
    for sentence in FIGURES[document]:
        text = text.replace(" ".join(CODE.sub(" ", sentence).split()), " ")
    return set(FIGURE.findall(text))


def test_every_table_is_shown_somewhere():
    shown = [name for path in render_tables.DOCUMENTS for name in re.findall(r"<!-- table: (\w+)", path.read_text())]
    assert sorted(shown) == sorted(document_tables.TABLES)


def test_a_wrong_figure_is_found(tmp_path, monkeypatch):
    page = tmp_path / "README.md"
    page.write_text("PSG is 1.9 points\nbelow retraining.\n")
    monkeypatch.setattr(render_tables, "ROOT", tmp_path)
    assert render_tables.wrong_sentences("README.md", ["PSG is 1.9 points below retraining."]) == []
    assert render_tables.wrong_sentences("README.md", ["PSG is 1.8 points below retraining."]) != []


def test_a_changed_table_is_rendered_again():
    page = "before\n\n<!-- table: psg_speed -->\n\n| forget images |\n\n<!-- end -->\n\nafter\n"
    rendered = render_tables.rendered(page)
    assert rendered.startswith("before\n\n<!-- table: psg_speed -->\n\n| forget images | remain images |")
    assert rendered.endswith("|\n\n<!-- end -->\n\nafter\n")
    assert render_tables.rendered(rendered) == rendered


def test_an_unknown_table_is_refused():
    with pytest.raises(KeyError, match="nothing"):
        render_tables.rendered("<!-- table: nothing -->\n<!-- end -->\n")


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("{index_speed[sizes][50 KB][files]:,} files", "20,000 files"),
        ("{quality()[brain_mri][remain_gap].high:distance} points", "0.4 points"),
        ("{psg_speed[times_faster][here, float32][processor]:.1f} times", "2.2 times"),
        ("{mri_training[accuracy][test][accuracy]:.1p} %", "97.4 %"),
    ],
)
def test_sentences_are_filled_in(sentence, expected):
    assert render_tables.Figures().format(sentence) == expected


def test_the_command_checks():
    command = [sys.executable, str(SCRIPTS / "render_tables.py"), "--check"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_results_are_compact_and_say_where_they_come_from(path):
    text = path.read_text(encoding="utf-8")
    document = json.loads(text)
    assert text == results_file.dumps(document) + "\n"
    for facts in [document["facts"]] if "facts" in document else [row["facts"] for row in document["rows"]]:
        assert re.match(r"[0-9a-f]{7}", facts["commit"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", facts["date"])
        assert facts["machine"]["processor"]
        assert {"python", "monai-unlearn"} <= facts["versions"].keys()


def test_a_result_is_written_one_run_a_line(tmp_path):
    runs = {f"run {number}": {"values": list(range(200))} for number in range(3)}
    results_file.write({"facts": {}, "runs": runs}, "some", tmp_path / "results")
    lines = (tmp_path / "results" / "some.json").read_text(encoding="utf-8").splitlines()
    assert [line[:11] for line in lines] == [
        "{",
        ' "facts": {',
        ' "runs": {',
        '  "run 0": ',
        '  "run 1": ',
        '  "run 2": ',
        " }",
        "}",
    ]
    assert results_file.read("some", tmp_path / "results") == {"facts": {}, "runs": runs}


def test_facts_name_commit_machine_and_versions():
    facts = results_file.facts("monai-unlearn", seeds=1)
    assert list(facts) == ["commit", "date", "machine", "versions", "seeds"]
    assert facts["machine"].keys() == {"processor", "cores", "load"}
    assert facts["versions"].keys() == {"python", "monai-unlearn"}
