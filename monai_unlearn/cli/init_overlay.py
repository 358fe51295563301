"""`monai-unlearn init-overlay`: the config by which a bundle that was made elsewhere can forget."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer evaluates the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monai_unlearn.cli.command import AsJson, Command, emit
from monai_unlearn.errors import ConfigError, ExitCode
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_HELP = (
    "Write configs/unlearn.yaml for a classifier bundle that was made without this package.\n\n"
    "Classes, outputs, normalisation, loader and keys are read off its configs and metadata, in YAML or JSON. Where "
    "its training can be pointed at an index, configs/train_reference.yaml is written as well. What cannot work is "
    "named, with what to do, and then nothing is written.\n\n"
    "The configs are tried on one image, in a process of its own. That runs the bundle's code, as MONAI does: see "
    "monai-unlearn inspect, or leave it out with --no-dry-run.\n\n"
    "Exit codes: 0 written. 2 bad input, or the bundle cannot be revised as it is."
)
_EXAMPLE = "Example: monai-unlearn init-overlay my_bundle --index index/ --healthy normal"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init-overlay", cls=Command, help=_HELP, epilog=_EXAMPLE)(init_overlay)


def init_overlay(  # noqa: PLR0913 - Typer takes an option as a parameter
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The folder of the bundle.")],
    *,
    index: Annotated[
        Path | None,
        typer.Option("--index", metavar="DIR", help="An image index: one image is tried, the classes are compared."),
    ] = None,
    config: Annotated[
        str | None,
        typer.Option("--config", metavar="NAME", help="The config with network_def; by default the inference config."),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option("--classes", metavar="FIRST,SECOND,…", help="The classes, in the order of the network's outputs."),
    ] = None,
    healthy: Annotated[
        list[str] | None,
        typer.Option("--healthy", metavar="CLASS", help="A class that means no disease; repeatable."),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="KEY=COLUMN[,COLUMN…]",
            help="A key of preprocessing that columns of the index fill: a path, or numbers; repeatable.",
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels",
            metavar="COLUMN,COLUMN,…",
            help="Where an image may have several labels: columns of the index with 0 or 1, one for each output.",
        ),
    ] = None,
    head: Annotated[
        str | None,
        typer.Option(
            "--head", metavar="softmax|sigmoid|multilabel", help="What the network gives out, if the configs mislead."
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            metavar="NAME|NUMBER",
            help="Of a network that returns several outputs, the one with the logits.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run/--no-dry-run", help="Try the configs on one image.")] = True,
    force: Annotated[bool, typer.Option("--force", help="Replace configs that are there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the overlay."""
    from monai_unlearn.experiments.overlay.init_overlay import init_overlay as write_overlay
    from monai_unlearn.experiments.overlay.settings import Choices

    choices = Choices(
        healthy=tuple(healthy or ()),
        classes=_names(classes),
        labels=_names(labels),
        columns=_columns(columns or ()),
        head=head,
        output=output,
    )
    if dry_run:
        say("Dry run: trying the configs on one image, which runs the bundle's code.", err=True)
    document = write_overlay(bundle, choices=choices, config=config, index=index, tries=dry_run, force=force)
    emit(document, as_json=as_json, render=lambda: say(*_lines(document)))
    if document["problems"]:
        say("Error: nothing was written: the bundle cannot be revised as it is.", err=True)
        raise typer.Exit(int(ExitCode.BAD_INPUT))


def _names(words: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in words.split(",")) if words else ()


def _columns(words: Sequence[str]) -> dict[str, str | list[str]]:
    from monai_unlearn.experiments.overlay.transforms import LABEL, LABEL_FILE

    found: dict[str, str | list[str]] = {}
    for word in words:
        key, _, names = word.partition("=")
        listed = [name.strip() for name in names.split(",") if name.strip()]
        if not key or not listed:
            raise ConfigError(f"--column: expected KEY=COLUMN, got {word}. Example: --column label=mask_file.")
        found[LABEL_FILE if key == LABEL else key] = listed[0] if len(listed) == 1 else listed
    return found


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    for one in document["problems"]:
        yield f"Cannot work ({one['code']}): {one['what']} {one['do']}"
    for one in document["notes"]:
        yield f"Note: {one['what']} {one['do']}".rstrip()
    if not document["written"]:
        return
    yield f"Wrote {', '.join(document['written'])} for the classes {', '.join(document['class_names'])}."
    if document["training_command"]:
        yield "Train from an index, for weights with a training record and for references:"
        yield f"  {document['training_command']}"
        if "--checkpoint" in document["training_command"]:
            yield (
                "The bundle's own weights stay. To revise those of the file WEIGHTS, add --checkpoint WEIGHTS to the "
                "first command below, or --set checkpoint=WEIGHTS to the second."
            )
    yield "Forget a cohort, by either command:"
    yield f"  {document['command']}"
    yield f"  {document['short_command']}"
