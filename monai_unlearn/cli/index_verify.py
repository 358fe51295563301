"""`monai-unlearn index verify`: whether an index is as it was written, and its images as they were indexed."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path  # noqa: TC003 - Typer evaluates the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from monai_unlearn.cli.command import AsJson, Command, emit
from monai_unlearn.errors import ExitCode
from monai_unlearn.terminal import escaping_console, say
from monai_unlearn.vocabulary.counted import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monai_unlearn.index.verify import Verification
    from monai_unlearn.index.verify_pixels import PixelVerification

_HELP = (
    "Hash all files of an index again, and name each that was changed, damaged or lost since it was written.\n\n"
    "Other commands compare only the files that they read, and skip those unchanged since the last comparison. This "
    "command compares every file, every time. With --pixels, also compare every image with the index: size, time, and "
    "the digest of its pixels.\n\n"
    "Exit codes: 0 every file is as it was, 2 one is not, or there is no index."
)


def register(app: typer.Typer) -> None:
    """Add the command to the group of index commands."""
    app.command("verify", cls=Command, help=_HELP, epilog="Example: monai-unlearn index verify index/ --pixels")(verify)


def verify(
    index: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the index.")],
    *,
    pixels: Annotated[
        bool,
        typer.Option("--pixels", help="Also compare the images; the index must have been built with --pixel-digest."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Hash all files of an index again, and name each that is not as it was written."""
    from monai_unlearn.index.verify import verify_index

    found = verify_index(index)
    images = None if found.bad or not pixels else _verified_pixels(index)
    document = found.document()
    if pixels:
        document["pixels"] = None if images is None else images.document()
        document["sound"] = not found.bad and images is not None and not images.bad
    emit(document, as_json=as_json, render=lambda: _show(found, images, pixels=pixels))
    _refuse(index, found, images)


def _verified_pixels(index: Path) -> PixelVerification:
    from monai_unlearn.index import Index
    from monai_unlearn.index.verify_pixels import verify_pixels

    with _progress_bar() as advance:
        return verify_pixels(Index.open(index, trust=True), progress=advance)  # its files were hashed a moment ago


def _refuse(index: Path, found: Verification, images: PixelVerification | None) -> None:
    """End with 2 if anything is not as it was."""
    bad = []
    if found.bad:
        of = f"of {counted(found.files, 'file')}"
        bad.append(counted(len(found.bad), f"{of} is not as it was written", f"{of} are not as they were written"))
    if images is not None and images.bad:
        of = f"of {counted(images.images, 'image')}"
        bad.append(
            counted(
                len(images.bad), f"{of} is not the file that was indexed", f"{of} are not the files that were indexed"
            )
        )
    if bad:
        from monai_unlearn.index.store.check_files import remedy

        restore = "" if found.bad else "Restore the files; if they are meant to be others: "
        say(f"Error: {index}: {' and '.join(bad)}. {restore}{remedy(index)}", err=True)
        raise typer.Exit(int(ExitCode.BAD_INPUT))


def _show(found: Verification, images: PixelVerification | None, *, pixels: bool) -> None:
    for file in found.bad:
        digests = "" if file.got is None else f": expected {_short(file.expected)}, got {_short(file.got)}"
        say(f"{file.file}: {file.problem}{digests}")
    if not found.bad:
        say(f"{found.index}: all {found.files} files are as they were written.")
    say(f"{found.hashed / 1e6:,.1f} MB hashed in {found.seconds:.2f} s")
    if images is not None:
        _show_images(images)
    elif pixels:
        say("The images were not compared, because the index is not as it was written.")


def _show_images(images: PixelVerification) -> None:
    for image in images.bad:
        say(f"{image.image_id}: {_PROBLEMS[image.problem]}")
    if images.bad:
        say("Their paths are in the index, in the column path.")
    else:
        are = "image is the file that was indexed", "images are the files that were indexed"
        say(f"{'' if images.images == 1 else 'All '}{counted(images.images, *are)}.")
    if images.without:
        without = counted(images.without, "image has", "images have")
        say(f"Note: {without} no digest, because the pixels could not be read.")
    say(f"{images.hashed / 1e6:,.1f} MB of images hashed in {images.seconds:.2f} s")


_PROBLEMS = {"missing": "missing", "pixels": "other pixels", "size_or_time": "another size or time, the same pixels"}


def _short(digest: str | None) -> str:
    return "no digest" if digest is None else f"{digest[:19]}…"


@contextmanager
def _progress_bar() -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr; yield a function that moves it to a number of images."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = escaping_console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("Images", total=None)

        def advance(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield advance
