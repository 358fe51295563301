"""Paths and links in documents exist, and the commands that they show parse."""

from __future__ import annotations

import contextlib
import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml
from typer.core import TyperGroup

from monai_unlearn.cli import app

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
DOCUMENTS = [
    README,
    *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]

FENCE = re.compile(r"^(`{3,})([^\n`]*)\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)[^)]*\)")
BACKTICKED = re.compile(r"`([^`\n]+)`")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)

# A path is plain words between slashes; one that begins with capitals (`DIR/…`) is a path of the reader's.
PATH = re.compile(r"(?![A-Z_]+/)\.?\w[\w.-]*(?:/[\w.-]+)*/?")
FILE = re.compile(r"\.(?:py|md|yaml|toml|txt|lark|jinja)")
# Folders that runs write, and the folders of real data.
WRITTEN = {"build", "revision", "revised_bundle", "rejected_bundle", "reference"}
DATA = {"brain_mri", "cifar10", "fundus_odir", "dicom_mr", "periorbital_masks"}
# Documents name modules of the package without the package: `engine/host.py`; benchmarks name their own files.
HOMES = (ROOT, ROOT / "monai_unlearn", ROOT / "benchmarks")
CODE = ("monai_unlearn", "tests", "benchmarks", "scripts")
MODULES = {path.name for folder in CODE for path in (ROOT / folder).rglob("*.py")}

SHELL = {"bash", "console", "sh", "shell", ""}
# Options of `monai.bundle run` itself; every other option overrides an id of the config.
OF_MONAI = {"meta_file", "config_file", "logging_file", "args_file", "tracking", "init_id", "final_id"}


def prose(document: Path) -> str:
    """A document without its fenced blocks."""
    return FENCE.sub("", document.read_text(encoding="utf-8"))


def anchors(document: Path) -> set[str]:
    """The anchors of a page's headings."""
    titles = HEADING.findall(prose(document))
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


def broken_links(document: Path) -> list[str]:
    targets = [target for target in LINK.findall(prose(document)) if not re.match(r"[a-z]+:", target)]
    return [target for target in targets if not resolves(document, target)]


def resolves(document: Path, target: str) -> bool:
    name, _, anchor = target.partition("#")
    page = document.parent / name if name else document
    return page.exists() and (not anchor or anchor in anchors(page))


def missing_paths(text: str) -> list[str]:
    """The paths in backticks that do not exist in the repository."""
    return [word for word in BACKTICKED.findall(text) if PATH.fullmatch(word) and not exists(word)]


def exists(word: str) -> bool:
    """Whether a path exists, or is no path: other words have slashes too, and runs write files."""
    folder, slash, _ = word.partition("/")
    if not slash:
        return not word.endswith(".py") or word in MODULES
    if any((home / word).exists() for home in HOMES) or folder in WRITTEN | DATA:
        return True
    return not FILE.search(Path(word).suffix) and not any((home / folder).is_dir() for home in HOMES)


def commands(document: Path) -> list[list[str]]:
    """The commands of a document's shell blocks as words: continued lines joined, comments and prompts left out."""
    blocks = [body for _, language, body in FENCE.findall(document.read_text(encoding="utf-8")) if language in SHELL]
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    starts = ("monai-unlearn", "python -m monai", "make ")
    plain = [line.strip().removeprefix("$ ") for line in lines]
    return [words_of(line) for line in plain if line.startswith(starts)]


def words_of(line: str) -> list[str]:
    words = shlex.split(line, comments=True)
    ends = [place for place, word in enumerate(words) if word in {"|", "||", "&&", ";", ">", ">>", "<"}]
    return words[: ends[0]] if ends else words


README_COMMANDS = commands(README)
OURS = [words[1:] for words in README_COMMANDS if words[0] == "monai-unlearn"]
OURS += [words[3:] for words in README_COMMANDS if words[:3] == ["python", "-m", "monai_unlearn"]]
BUNDLE_RUNS = [words[4:] for words in README_COMMANDS if words[:4] == ["python", "-m", "monai.bundle", "run"]]
MAKE = [words[1:] for words in README_COMMANDS if words[0] == "make"]


def parse(words: list[str]) -> None:
    """Parse a command line as `monai-unlearn` does, without running it; Typer raises what it would show."""
    command, rest = typer.main.get_command(app), list(words)
    while isinstance(command, TyperGroup) and rest and not rest[0].startswith("-"):
        assert rest[0] in command.commands, f"{rest[0]} is not a command"
        command = command.commands[rest.pop(0)]
    with contextlib.suppress(typer.Exit):  # --help and --version end the program
        command.make_context("monai-unlearn", rest)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_resolve(document):
    assert broken_links(document) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_paths_exist(document):
    assert missing_paths(prose(document)) == []


def test_the_readme_shows_every_step():
    assert OURS
    assert BUNDLE_RUNS
    assert ["demo"] in MAKE
    assert ["test"] in MAKE


@pytest.mark.parametrize("words", OURS, ids=" ".join)
def test_commands_parse(words):
    parse(words)


@pytest.mark.parametrize("words", BUNDLE_RUNS, ids=" ".join)
def test_bundle_runs_name_ids_of_their_config(words):
    options = dict(zip(words[1::2], words[2::2], strict=True))
    config = yaml.safe_load((ROOT / options["--config_file"]).read_text(encoding="utf-8"))
    assert words[0] in config
    for option in options:
        assert option.startswith("--")
        name = option[2:].split("::")[0]
        assert name in OF_MONAI or name in config


@pytest.mark.parametrize("words", MAKE, ids=" ".join)
def test_make_targets_exist(words):
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert words[0] in targets


# The checks themselves can fail.


@pytest.mark.parametrize("target", ["nowhere.md", "docs/glossary.md#no-such-heading", "#no-such-heading"])
def test_a_broken_link_is_found(target):
    assert not resolves(README, target)


@pytest.mark.parametrize("path", ["engine/nothing.py", "monai_unlearn/nothing/", "nothing.py", "nothing/page.md"])
def test_a_missing_path_is_found(path):
    assert missing_paths(f"see `{path}`") == [path]


@pytest.mark.parametrize("text", ["DIR/index.json", "engine/host.py", "cohort/", "device == A/B", "x/y", "run.json"])
def test_other_words_with_slashes_are_left_alone(text):
    assert missing_paths(f"see `{text}`") == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("cohort preview SPEC --indx DIR", "indx"),
        ("cohort preview SPEC", "Missing parameter: index"),
        ("cohort look SPEC", "look"),
        ("phantom fundus OUT --patients many", "valid integer"),
    ],
)
def test_an_invalid_command_is_found(line, fault):
    with pytest.raises(Exception, match=fault):
        parse(line.split())
