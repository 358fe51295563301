"""`monai-unlearn cohort`: preview which images a spec selects, freeze the cohort, and check later whether it holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monai_unlearn.cli.command import AsJson, Command, Keyfile, emit, emit_json
from monai_unlearn.cli.index_check import Trust, with_check
from monai_unlearn.errors import ExitCode
from monai_unlearn.terminal import escaping_console, say
from monai_unlearn.vocabulary.counted import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import Console

    from monai_unlearn.cohort import Cohort, CohortSpec
    from monai_unlearn.cohort.resolve.frozen import Frozen
    from monai_unlearn.index import Index

app = typer.Typer(
    help="Choose by metadata which images a model must forget.",
    epilog="Exit codes: 0 success, 2 bad input (spec, index, manifest, or a cohort that its guards refuse), "
    "3 a frozen cohort no longer holds, 1 unexpected.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)

_Spec = Annotated[
    Path, typer.Argument(metavar="SPEC", help="The cohort spec, a YAML file; start from one in cohort_specs/.")
]
_IndexDir = Annotated[
    Path, typer.Option("--index", metavar="DIR", help="The image index, as `monai-unlearn index build` wrote it.")
]
_SuppressBelow = Annotated[
    int | None,
    typer.Option(
        "--suppress-below",
        metavar="N",
        help="For readers who may not see small groups: show counts from 1 to N-1 as <N, and hide the counts that "
        "would give them away. Zeros are shown. At least 3; 5 is a common choice.",
    ),
]
_Listed = Annotated[bool, typer.Option("--list", help="Name the images as well, by their identifiers.")]
_Force = Annotated[bool, typer.Option("--force", help="Replace what exists.")]
_MaybeIndex = Annotated[
    Path | None,
    typer.Option("--index", metavar="DIR", help="The image index; two frozen cohorts are compared without one."),
]

# One line per paragraph: the terminal wraps them.
_PREVIEW = (
    "Show which images a spec would forget, before anything is changed.\n\n"
    "There are three parts: images to forget, images that remain, and undetermined images, whose missing tags "
    "leave open where they belong. The attrition table shows how many images each rule lets through, so that a rule "
    "that matches too many or too few stands out. Nothing is written.\n\n"
    "Exit code 2: the spec has a fault, does not fit the index, or its guards refuse what it selects."
)
_DIFF = (
    "Show which images change their part from one cohort to another, and which differences in the specs cause it.\n\n"
    "A and B are specs, or folders that `cohort freeze` or a run wrote. Rows are where an image is by A, columns where "
    "it is by B; `outside` images are outside a population. A cohort that the guards would refuse is compared as well, "
    "and the reason is shown.\n\n"
    "Exit code 0, whether images move or not; 2: a spec or a folder cannot be used, or a spec has no index."
)
_FREEZE = (
    "Write a cohort to a folder, for later audits.\n\n"
    "cohort_manifest.json holds counts, attrition and the digests of spec, index and members: no identifier, no list "
    "of values. cohort_members.parquet beside it holds part and split of each image by its identifier: keep it where "
    "the images may be kept.\n\n"
    "Exit code 2: the spec has a fault, does not fit the index, or its guards refuse what it selects."
)
_CHECK = (
    "Check whether a frozen cohort still holds, and show what has changed.\n\n"
    "Selects images from the index again, by the spec in the manifest, and compares them with the frozen members. The "
    "cohort holds if each part has exactly the images that it had, and the conditions under `expect` are met.\n\n"
    "The manifest leaves out lists and values that identify people. If the spec has such values and the index has "
    "changed, give the spec as NOW. NOW may also be a cohort that was frozen later: the two are compared.\n\n"
    "Frozen files that were edited or damaged are refused. Their digests do not prove who wrote them.\n\n"
    "Exit codes: 0 the cohort holds; 3 it does not; 2 the cohorts or the index cannot be used."
)
_SCHEMA = (
    "Print the JSON Schema of cohort specs: editors use it to complete and check specs while you type.\n\n"
    "For the YAML language server (VS Code, Neovim, Emacs and others) write the schema beside your specs, and this "
    "as the first line of each: # yaml-language-server: $schema=cohort_spec.schema.json\n\n"
    "Exit code 2: the file exists, or cannot be written."
)


@app.command(
    cls=Command,
    help=_PREVIEW,
    epilog="Example: monai-unlearn cohort preview cohort_specs/retire-camera.yaml --index index/ --suppress-below 5",
)
def preview(
    spec: _Spec,
    index: _IndexDir,
    *,
    keyfile: Keyfile = None,
    suppress_below: _SuppressBelow = None,
    trust: Trust = False,
    as_json: AsJson = False,
) -> None:
    """Show which images a spec would forget, before anything is changed."""
    parsed, opened = _opened(spec, index, keyfile, trust=trust)
    if suppress_below is None:
        document = parsed.resolve(opened).preview()
    else:
        from monai_unlearn.cohort.reports.suppress_preview import preview_for_others

        document = preview_for_others(parsed, opened, below=suppress_below)
    emit(with_check(document, opened), as_json=as_json, render=lambda: _print_preview(document))


@app.command(
    cls=Command,
    help=_DIFF,
    epilog="Example: monai-unlearn cohort diff retire-camera.yaml retire-camera-2019.yaml --index index/",
)
def diff(
    a: Annotated[Path, typer.Argument(metavar="A", help="The cohort that images come from: a spec, or a folder.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="The cohort that they move to: a spec, or a folder.")],
    index: _MaybeIndex = None,
    *,
    listed: _Listed = False,
    keyfile: Keyfile = None,
    suppress_below: _SuppressBelow = None,
    trust: Trust = False,
    as_json: AsJson = False,
) -> None:
    """Show which images change their part from one cohort to another, and which differences in the specs cause it."""
    from monai_unlearn.cohort.reports import report
    from monai_unlearn.cohort.reports.compare import compare, suppress_comparison

    (first, second), opened = _cohorts([a, b], index, keyfile, trust=trust)
    document = compare(first, second, opened, listed=listed)
    if suppress_below is not None:
        document = suppress_comparison(document, below=suppress_below)
    shown = document if opened is None else with_check(document, opened)
    emit(shown, as_json=as_json, render=lambda: _print(report.show_comparison, document))


@app.command(
    cls=Command,
    help=_FREEZE,
    epilog="Example: monai-unlearn cohort freeze cohort_specs/retire-camera.yaml --index index/ --out cohort/",
)
def freeze(
    spec: _Spec,
    index: _IndexDir,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to write the two files to.")],
    *,
    keyfile: Keyfile = None,
    force: _Force = False,
    trust: Trust = False,
    as_json: AsJson = False,
) -> None:
    """Write a cohort to a folder, in counts and digests and image by image."""
    from monai_unlearn.cohort.resolve.frozen import freeze as write
    from monai_unlearn.vocabulary.run_folder import MANIFEST, MEMBERS

    parsed, opened = _opened(spec, index, keyfile, trust=trust)
    cohort = parsed.resolve(opened)
    digest = write(cohort, out, overwrite=force)
    document = {
        "manifest": str(out / MANIFEST),
        "members": str(out / MEMBERS),
        "digest": digest,
        "images": cohort.images,
        "patients": cohort.patients,
        "patients_in_both": cohort.patients_in_both,
        "classes_emptied": cohort.counts.classes_emptied,
        "value_lists": cohort.value_lists,
        "warnings": cohort.warnings,
    }
    emit(with_check(document, opened), as_json=as_json, render=lambda: _print_frozen(cohort, document))


@app.command(cls=Command, help=_CHECK, epilog="Example: monai-unlearn cohort check cohort/ --index index/ --list")
def check(
    frozen: Annotated[
        Path, typer.Argument(metavar="FROZEN", help="A folder that `cohort freeze` or a run wrote, or a spec.")
    ],
    now: Annotated[
        Path | None,
        typer.Argument(metavar="[NOW]", help="A spec, or another frozen cohort. By default, the spec in the manifest."),
    ] = None,
    index: _MaybeIndex = None,
    *,
    listed: _Listed = False,
    keyfile: Keyfile = None,
    trust: Trust = False,
    as_json: AsJson = False,
) -> None:
    """Check whether a frozen cohort still holds, and show what has changed."""
    from monai_unlearn.cohort.reports import report
    from monai_unlearn.cohort.reports.recheck import frozen_of, recheck

    given, opened = _cohorts([frozen] if now is None else [frozen, now], index, keyfile, trust=trust)
    before = frozen_of(given[0], opened, has_other=now is not None)
    document = recheck(before, opened, now=given[1] if now else None, listed=listed, keyfile=keyfile)
    shown = document if opened is None else with_check(document, opened)
    emit(shown, as_json=as_json, render=lambda: _print(report.show_recheck, document))
    if not document["holds"]:
        raise typer.Exit(int(ExitCode.NOT_ACCEPTED))


@app.command(cls=Command, help=_SCHEMA, epilog="Example: monai-unlearn cohort schema --out cohort_spec.schema.json")
def schema(
    *,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="The file to write.")] = None,
    force: _Force = False,
    as_json: AsJson = False,
) -> None:
    """Print the JSON Schema of cohort specs, which editors use to complete and check specs."""
    from monai_unlearn.cohort.resolve.manifest import write_document
    from monai_unlearn.cohort.spec.schema import json_schema

    if out is None:
        emit_json(json_schema())
        return
    write_document(json_schema(), out, overwrite=force)
    line = f"# yaml-language-server: $schema={out.name}"
    said = f"{out}: written. First line of a spec in the same folder:\n{line}"
    emit({"schema": str(out), "modeline": line}, as_json=as_json, render=lambda: say(said))


def _opened(spec: Path, index: Path, keyfile: Path | None, *, trust: bool) -> tuple[CohortSpec, Index]:
    from monai_unlearn.cohort import CohortSpec
    from monai_unlearn.cohort.resolve.resolve import with_pseudonyms
    from monai_unlearn.index import Index
    from monai_unlearn.light_imports import light_arrow

    # The spec first: most of its faults are found without an index.
    parsed = CohortSpec.read(spec)
    light_arrow()
    opened = Index.open(index, trust=trust)
    return with_pseudonyms(parsed, opened, keyfile), opened


def _cohorts(
    paths: list[Path], index: Path | None, keyfile: Path | None, *, trust: bool
) -> tuple[list[CohortSpec | Frozen], Index | None]:
    """Read specs, and the folders of frozen cohorts; open the index, if one is given."""
    from monai_unlearn.cohort import CohortSpec
    from monai_unlearn.cohort.resolve.frozen import Frozen
    from monai_unlearn.cohort.resolve.resolve import with_pseudonyms
    from monai_unlearn.index import Index

    read = [Frozen.read(path) if path.is_dir() else CohortSpec.read(path) for path in paths]
    opened = None if index is None else Index.open(index, trust=trust)
    if opened is None:
        return read, None
    return [one if isinstance(one, Frozen) else with_pseudonyms(one, opened, keyfile) for one in read], opened


def _print(show: Callable[[Mapping[str, Any], Console], None], document: Mapping[str, Any]) -> None:
    show(document, escaping_console())


def _print_preview(document: Mapping[str, Any]) -> None:
    from monai_unlearn.cohort.reports.report import show

    _print(show, document)


def _print_frozen(cohort: Cohort, document: Mapping[str, Any]) -> None:
    from monai_unlearn.cohort.resolve.value_list_words import value_list_words

    counts = ", ".join(f"{counted(images, 'image')} {part}" for part, images in cohort.images.items())
    say(f"{document['manifest']}: {counts}, {document['digest']}")
    for note in [*map(value_list_words, document["value_lists"]), *document["warnings"]]:
        say(f"Note: {note}")
