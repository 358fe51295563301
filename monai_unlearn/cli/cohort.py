"""`monai-unlearn cohort`: see whom a spec catches, then freeze it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monai_unlearn.cli.command import AsJson, Command, emit

if TYPE_CHECKING:
    from monai_unlearn.cohort import Cohort

app = typer.Typer(
    help="Choose by metadata which images a model must forget.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)

_Spec = Annotated[
    Path, typer.Argument(metavar="SPEC", help="The cohort spec, a YAML file; start from one in cohort_specs/.")
]
_IndexDir = Annotated[
    Path, typer.Option("--index", metavar="DIR", help="The image index, as `monai-unlearn index build` wrote it.")
]

# Paragraphs stand on one line each: the terminal wraps them.
_PREVIEW = (
    "Show which images a spec would forget, before anything is changed.\n\n"
    "Three parts come out: images to forget, images that remain, and undetermined images, whose missing tags "
    "leave open which they are. The attrition table shows what each rule lets through, so that a rule that "
    "catches too many or too few stands out. Nothing is written."
)
_FREEZE = (
    "Write down which images a spec catches, image by image, with digests of spec and index.\n\n"
    "The manifest is what an audit reads later: it says what was asked, of which index, by which version, and "
    "which images came out. It holds image identifiers: keep it where the images may be kept."
)


@app.command(
    cls=Command,
    help=_PREVIEW,
    epilog="Example: monai-unlearn cohort preview cohort_specs/retire-camera.yaml --index index/",
)
def preview(spec: _Spec, index: _IndexDir, as_json: AsJson = False) -> None:  # noqa: FBT002 - Typer's option
    """Show which images a spec would forget, before anything is changed."""
    cohort = _resolve(spec, index)
    emit(cohort.preview(), as_json=as_json, render=lambda: _show(cohort))


@app.command(
    cls=Command,
    help=_FREEZE,
    epilog="Example: monai-unlearn cohort freeze cohort_specs/retire-camera.yaml --index index/ --out cohort.json",
)
def freeze(
    spec: _Spec,
    index: _IndexDir,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The manifest to write, a JSON file.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write down which images a spec catches, image by image, with digests of spec and index."""
    from monai_unlearn.cohort.manifest import write_manifest

    cohort = _resolve(spec, index)
    digest = write_manifest(cohort.manifest, out, overwrite=force)
    document = {"manifest": str(out), "digest": digest, "images": cohort.images, "patients": cohort.patients}
    emit(document, as_json=as_json, render=lambda: typer.echo(f"{out}: {_counts(cohort)}, {digest}"))


def _resolve(spec: Path, index: Path) -> Cohort:
    from monai_unlearn.cohort import CohortSpec
    from monai_unlearn.index import Index

    # The spec first: its faults need no index.
    parsed = CohortSpec.read(spec)
    return parsed.resolve(Index.open(index))


def _show(cohort: Cohort) -> None:
    from rich.console import Console

    from monai_unlearn.cohort.report import show

    show(cohort.preview(), Console())


def _counts(cohort: Cohort) -> str:
    return ", ".join(f"{images} images {part}" for part, images in cohort.images.items())
