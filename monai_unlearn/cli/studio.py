"""`monai-unlearn studio`: look, decide and sign in a browser, on this machine."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer evaluates the annotations
from typing import Annotated

import typer

from monai_unlearn.cli.command import Command
from monai_unlearn.cli.index_check import Trust  # noqa: TC001 - Typer evaluates the annotations
from monai_unlearn.terminal import say

_HELP = (
    "Open the studio: choose whom a model must forget, revise it, look at the evidence and release it, in a browser on "
    "this machine.\n\n"
    "It prints a link that is for you alone; nobody without it sees anything. It shows counts, never whose an image "
    "is. Nothing leaves the machine. To let others use it over the network, give --host, --tls-cert and --tls-key.\n\n"
    "--demo makes studies of made-up patients, trains a classifier on them, and opens the studio with a camera to "
    "retire. All of it lies in DIR, or in a temporary folder that is named; the same command with DIR goes on.\n\n"
    "Exit codes: 0 ended by you. 2 a folder, a port or a TLS file cannot be used, or the extra `studio` is missing. "
    "130 interrupted while the demo was prepared."
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    epilog = "Example: monai-unlearn studio --index index/ --bundle BUNDLE --store deployed/"
    app.command("studio", cls=Command, help=_HELP, epilog=epilog)(studio)


def studio(  # noqa: PLR0913 - options of a command
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="With --demo: the demo's folder.", show_default=False)
    ] = None,
    *,
    demo: Annotated[bool, typer.Option("--demo", help="Open the studio on made-up patients, with all to try.")] = False,
    index: Annotated[Path | None, typer.Option("--index", metavar="DIR", help="The image index.")] = None,
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", metavar="DIR", help="The bundle to revise, or the output folder of a revision."),
    ] = None,
    store: Annotated[
        Path | None, typer.Option("--store", metavar="DIR", help="The folder of deployed versions, with its ledger.")
    ] = None,
    work: Annotated[
        Path | None,
        typer.Option(
            "--work",
            metavar="DIR",
            help="Where specs, frozen cohorts and revisions are kept.",
            show_default="studio",
        ),
    ] = None,
    host: Annotated[str, typer.Option("--host", metavar="NAME", help="Where to listen; other machines need TLS.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 for any free one.")] = 8477,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="FILE", help="The certificate, in PEM.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", metavar="FILE", help="Its private key, in PEM.")] = None,
    show_images: Annotated[
        bool, typer.Option("--show-images", help="Show some images of each part; they are kept on no disk.")
    ] = False,
    behind_proxy: Annotated[
        str | None,
        typer.Option(
            "--behind-proxy",
            metavar="ORIGIN",
            help="With --demo: open it to everybody at this https address, where a proxy ends TLS.",
        ),
    ] = None,
    trust: Trust = False,
) -> None:
    """Open the studio in a browser on this machine."""
    from monai_unlearn.experiments.unlearn import INTERRUPTED, StoppedError
    from monai_unlearn.studio.demo.start import demo_folder, start_demo
    from monai_unlearn.studio.serve import serve
    from monai_unlearn.studio.settings import WORK, Settings

    given = {"--index": index, "--bundle": bundle, "--store": store, "--work": work}
    settings = Settings(
        index=index,
        bundle=bundle,
        store=store,
        work=work or WORK,
        trust=trust,
        show_images=show_images,
        host=host,
        port=port,
        tls_cert=tls_cert,
        tls_key=tls_key,
        demo=demo_folder(folder, is_demo=demo, given=given),
        behind_proxy=behind_proxy,
    )
    try:
        serve(start_demo(settings))
    except StoppedError as error:
        say(error, err=True)
        raise typer.Exit(INTERRUPTED) from None
