"""Write `traps.md` from `traps.yaml`: make the phantoms of each trap, run the tool on them, and show what it says."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from page import write_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pydicom.dataset import Dataset

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "traps.md"
TRAPS = ROOT / "docs" / "traps.yaml"
WIDTH = 116
HEAD = "schema_version: 1\nname: trap\n"
# A file is named by a digest of its path, which is another in each temporary folder.
HANDLE = re.compile(r"\bfile [0-9a-f]{12}\b")
# Tables are left out, apart from the counts of the parts; so are titles, and lines with paths, digests or file counts.
PART = re.compile(r"^│ (forget|remain|undetermined) +│ +([\d,]+) │", re.MULTILINE)
LEFT_OUT = re.compile(
    r"^ *$|^[┏┃┡│└]|^(Parts|From the index to|Images by class|Cohort |Index:|Next:| +monai-unlearn|Reading )|"
    r"^(images|label|files|index|next) |^[\d,]+ images of "
)


def document() -> str:
    """Return the page."""
    content = yaml.safe_load(TRAPS.read_text(encoding="utf-8"))
    blocks = [content["introduction"]]
    for chapter in content["chapters"]:
        blocks.append(f"## {chapter['title']}\n")
        for trap in chapter["traps"]:
            blocks += [f"### {trap['title']}\n", *section(trap)]
    return joined(blocks)


def joined(blocks: Iterable[str]) -> str:
    """Return blocks with an empty line between them."""
    return "\n".join(block if block.endswith("\n") else f"{block}\n" for block in blocks)


def section(trap: Mapping[str, Any]) -> Iterator[str]:
    """Yield the blocks of one trap: its text, its inputs, and each step with what the tool says."""
    yield trap["text"]
    with tempfile.TemporaryDirectory() as folder, _within(Path(folder)):
        yield from _inputs(trap)
        for step in trap["steps"]:
            yield from _step(step)


@contextlib.contextmanager
def _within(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _inputs(trap: Mapping[str, Any]) -> Iterator[str]:
    """Write the inputs of a trap to the current folder, and yield what they hold."""
    for name, text in trap.get("files", {}).items():
        Path(name).write_text(text, encoding="utf-8")
        if name != "key":
            yield f"`{name}`:\n\n```\n{text.rstrip()}\n```\n"
    images: Mapping[str, Mapping[str, Any]] = trap.get("images", {})
    for name, tags in images.items():
        _write_image(Path("images") / f"{name}.dcm", tags, seed=trap["title"])
    if images:
        heads = list(dict.fromkeys(tag for tags in images.values() for tag in tags))
        rows = [["image", *heads], ["---"] * (len(heads) + 1)]
        rows += [[name, *(_cell(tags.get(head)) for head in heads)] for name, tags in images.items()]
        yield "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{keyword} {_cell(one)}" for keyword, one in value.items())
    texts = [_cell(one) for one in value] if isinstance(value, list) else ["" if value is None else str(value)]
    # Double spaces would be one on the page.
    return "\\\\".join(texts).replace("  ", "␣␣").replace("*", r"\*")


def _step(step: Mapping[str, Any]) -> Iterator[str]:
    if "say" in step:
        yield step["say"]
    if "build" in step:
        yield _block(["index", "build", "images", "--out", "index", *step["build"]])
    if "table" in step:
        yield _block(["index", "from-table", *step["table"], "--out", "index"])
    if "spec" in step:
        reason = "" if "reason:" in step["spec"] else "reason: other\n"
        Path("spec.yaml").write_text(f"{HEAD}{reason}{step['spec']}", encoding="utf-8")
        yield f"```yaml\n{step['spec'].rstrip()}\n```\n"
        if step.get("ask") == "validate":
            yield _block(["cohort", "validate", "spec.yaml"])
        else:
            if not Path("index").exists():
                _run(["index", "build", "images", "--out", "index"])
            yield _block(["cohort", "preview", "spec.yaml", "--index", "index", *step.get("options", ())])
    if step.get("unlearn"):
        yield _fenced("python -m monai.bundle run unlearn …", _stopped_run())


def _block(words: Sequence[str]) -> str:
    command = " ".join(f"'{word}'" if re.search(r"[\s();\"]", word) else word for word in words)
    return _fenced(f"monai-unlearn {command}", _run(words))


def _fenced(command: str, said: Sequence[str]) -> str:
    wrapped = [part for line in said for part in textwrap.wrap(
        line, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )]  # fmt: skip
    lines = textwrap.wrap(f"$ {command}", WIDTH - 2, subsequent_indent="    ", break_on_hyphens=False)
    return "\n".join(["```console", " \\\n".join(lines), *wrapped, "```\n"])


def _run(words: Sequence[str]) -> list[str]:
    """Run a command in the current folder; return what it says, without its tables."""
    from typer.testing import CliRunner

    from monai_unlearn.cli import app

    more = ["--workers", "1"] if words[:2] == ["index", "build"] else []
    result = CliRunner(env={"COLUMNS": "2000"}).invoke(app, [*words, *more])
    counts = [f"{part} {count}" for part, count in PART.findall(result.stdout)]
    error = result.stderr.partition("\nImages, rule by rule")[0] if result.exit_code else ""
    text = f"{result.stdout}\n{error}".replace(f"{Path.cwd()}/", "").replace("images/", "")
    text = HANDLE.sub("file …", text)
    lines = [line.rstrip() for line in text.splitlines() if not LEFT_OUT.search(line)]
    code = [f"(exit code {result.exit_code})"] if result.exit_code else []
    return [*([", ".join(counts)] if counts else []), *lines, *code]


def _stopped_run() -> list[str]:
    """Return the message with which an unlearning run stops before it loads any weights."""
    from monai_unlearn.data import open_data
    from monai_unlearn.engine.consent import check_consent
    from monai_unlearn.errors import CohortError

    data = open_data(index_dir=Path("index"), cohort_spec=Path("spec.yaml"), class_names=("healthy", "ill"))
    try:
        check_consent(data.cohort, data, {})
    except CohortError as error:
        return [f"Error: {error}", f"(exit code {int(error.exit_code)})"]
    return ["The run begins."]


def _write_image(path: Path, tags: Mapping[str, Any], *, seed: str) -> None:
    """Write an image of 2 × 2 pixels: ophthalmic photography with these tags, and identifiers that follow from them."""
    from pydicom import config, uid
    from pydicom.dataset import FileMetaDataset

    # The tags are wrong on purpose.
    config.settings.writing_validation_mode = config.IGNORE
    config.settings.reading_validation_mode = config.IGNORE
    name = f"2.25.{int(hashlib.sha256(f'{seed}/{path.stem}'.encode()).hexdigest()[:24], 16)}"
    given = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.5.1",
        "SOPInstanceUID": name,
        "StudyInstanceUID": f"{name}1",
        "SeriesInstanceUID": f"{name}2",
        "PatientID": f"P-{path.stem}",
        "Modality": "OP",
        "SpecificCharacterSet": "ISO_IR 192",
        **dict.fromkeys(("BitsAllocated", "BitsStored"), 8),
        **dict.fromkeys(("Rows", "Columns"), 2),
        "HighBit": 7,
        "SamplesPerPixel": 1,
        "PixelRepresentation": 0,
        "PhotometricInterpretation": "MONOCHROME2",
        **tags,
    }
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = given["SOPClassUID"], given["SOPInstanceUID"]
    if "SourceApplicationEntityTitle" in given:
        meta.SourceApplicationEntityTitle = given.pop("SourceApplicationEntityTitle")
    image = _dataset({keyword: value for keyword, value in given.items() if keyword != "preamble"})
    image.file_meta = meta
    image.PixelData = b"\0\1\2\3" * given.get("NumberOfFrames", 1)
    path.parent.mkdir(exist_ok=True)
    image.save_as(path, enforce_file_format=tags.get("preamble") != "none")


def _dataset(tags: Mapping[str, Any]) -> Dataset:
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence as Items

    dataset = Dataset()
    for keyword, value in tags.items():
        if private := re.fullmatch(r'\((\w{4}),"(\w+)",(\w{2})\)', keyword):
            block = dataset.private_block(int(private[1], 16), private[2], create=True)
            block.add_new(int(private[3], 16), "LO", value)
        elif isinstance(value, dict) or (isinstance(value, list) and isinstance(value[0], dict)):
            setattr(dataset, keyword, Items([_dataset(one) for one in (value if isinstance(value, list) else [value])]))
        elif value is not None:
            setattr(dataset, keyword, value)
    return dataset


if __name__ == "__main__":
    write_page(TARGET, document)
