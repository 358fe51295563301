"""What the documents point at exists, and the commands that they show are commands."""

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
DOCUMENTS = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

FENCE = re.compile(r"^(`{3,})([^\n`]*)\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)[^)]*\)")
BACKTICKED = re.compile(r"`([^`\n]+)`")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)

# A path is plain words between slashes; what begins with capitals (`DIR/…`) stands for a path of the reader's.
PATH = re.compile(r"(?![A-Z_]+/)\.?\w[\w.-]*(?:/[\w.-]+)*/?")
FILE = re.compile(r"\.(?:py|md|yaml|toml|txt|lark|jinja)")
# What runs write: folders that the repository has not.
WRITTEN = {"build", "revision", "revised_bundle", "rejected_bundle", "reference"}
# Documents name what is in the package from the package on: `engine/host.py`.
HOMES = (ROOT, ROOT / "monai_unlearn")
MODULES = {path.name for folder in ("monai_unlearn", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")}

SHELL = {"bash", "console", "sh", "shell", ""}
# What `monai.bundle run` itself takes; every other option overrides an id of the config.
OF_MONAI = {"meta_file", "config_file", "logging_file", "args_file", "tracking", "init_id", "final_id"}


def prose(document: Path) -> str:
    """A document without its fenced blocks."""
    return FENCE.sub("", document.read_text(encoding="utf-8"))


def anchors(document: Path) -> set[str]:
    """The anchors that a page's headings make."""
    titles = HEADING.findall(prose(document))
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


def broken_links(document: Path) -> list[str]:
    targets = [target for target in LINK.findall(prose(document)) if not re.match(r"[a-z]+:", target)]
    return [target for target in targets if not leads_somewhere(document, target)]


def leads_somewhere(document: Path, target: str) -> bool:
    name, _, anchor = target.partition("#")
    page = document.parent / name if name else document
    return page.exists() and (not anchor or anchor in anchors(page))


def missing_paths(text: str) -> list[str]:
    """The paths of a text, in backticks, that nothing in the repository has."""
    return [word for word in BACKTICKED.findall(text) if PATH.fullmatch(word) and not stands(word)]


def stands(word: str) -> bool:
    """Whether a path is there, or is none: other words have slashes too, and runs write files."""
    folder, slash, _ = word.partition("/")
    if not slash:
        return not word.endswith(".py") or word in MODULES
    if any((home / word).exists() for home in HOMES) or folder in WRITTEN:
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
        assert rest[0] in command.commands, f"{rest[0]} is no command"
        command = command.commands[rest.pop(0)]
    with contextlib.suppress(typer.Exit):  # --help and --version end where they stand
        command.make_context("monai-unlearn", rest)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    assert broken_links(document) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_paths_exist(document):
    assert missing_paths(prose(document)) == []


def test_the_readme_shows_the_way():
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


# What the checks above would let through would not be checked.


@pytest.mark.parametrize("target", ["nowhere.md", "docs/glossary.md#no-such-heading", "#no-such-heading"])
def test_a_link_to_nowhere_is_seen(target):
    assert not leads_somewhere(README, target)


@pytest.mark.parametrize("path", ["engine/nothing.py", "monai_unlearn/nothing/", "nothing.py", "nothing/page.md"])
def test_a_path_of_nothing_is_seen(path):
    assert missing_paths(f"see `{path}`") == [path]


@pytest.mark.parametrize("text", ["DIR/index.json", "engine/host.py", "cohort/", "device == A/B", "x/y", "run.json"])
def test_what_is_no_path_of_the_repository_is_left_alone(text):
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
def test_a_command_that_is_none_is_seen(line, fault):
    with pytest.raises(Exception, match=fault):
        parse(line.split())
