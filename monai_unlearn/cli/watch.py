"""`monai-unlearn watch`: a consent service on a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monai_unlearn.cli.command import AsJson, Command, Keyfile, emit
from monai_unlearn.cli.experiment_options import Fix, IndexFolder  # noqa: TC001 - Typer evaluates the annotations
from monai_unlearn.cli.index_check import Trust  # noqa: TC001 - as above
from monai_unlearn.errors import ConfigError, ExitCode
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.watch.plan import WatchPlan

_HELP = (
    "Act on withdrawals of consent, and on specs, that are dropped into a folder, within the bounds of a rehearsed "
    "protocol.\n\n"
    "The folder may be written to by anybody. Only files that belong to --owner or are signed with a key of "
    "--signed-by are acted on, as far as the protocol reaches, at most --runs-a-day. Everything else is previewed and "
    "left for a person, with a reason file in OUT/left. Nothing is signed or deployed. Files: lists of PatientID "
    "(.txt, .csv, .tsv), cohort specs (.yaml) and the lists that they read (.list), FHIR Bundles with Consent "
    "resources with status inactive (.json).\n\n"
    "Exit codes: 0 stopped, or with --once: all is done or left for a person. 2 bad input. 3, with --once: a run was "
    "not accepted."
)
_EXAMPLE = (
    "Example: monai-unlearn watch --inbox /srv/consent --index index/ --protocol protocol.yaml --out service/ "
    "--owner consent-office --store deployed --key service.pem"
)
_Inbox = Annotated[Path, typer.Option("--inbox", metavar="DIR", help="The folder to watch. It is only read.")]
_ProtocolFile = Annotated[
    Path, typer.Option("--protocol", metavar="FILE", help="The protocol, as `monai-unlearn rehearse` wrote it.")
]
_OutFolder = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="The folder of the service: requests, runs, and reason files.")
]
_BundleFolder = Annotated[
    Path | None,
    typer.Option("--bundle", metavar="DIR", help="The bundle to revise; by default the one that --store deploys."),
]
_Owner = Annotated[
    list[str] | None,
    typer.Option("--owner", metavar="USER", help="Act on files of this user, by name or number; repeatable."),
]
_SignedBy = Annotated[
    list[Path] | None,
    typer.Option("--signed-by", metavar="FILE", help="Act on files signed with this public key; repeatable."),
]
_RunsADay = Annotated[int, typer.Option("--runs-a-day", metavar="N", help="How many runs may begin within 24 hours.")]
_StoreFolder = Annotated[
    Path | None,
    typer.Option(
        "--store",
        metavar="DIR",
        envvar="MONAI_UNLEARN_STORE",
        help="The store whose ledger notes each step. Without it nothing is run.",
    ),
]
_KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key", metavar="FILE", envvar="MONAI_UNLEARN_KEY", help="The private key that signs lines of the ledger."
    ),
]
_Column = Annotated[
    str | None,
    typer.Option("--column", metavar="NAME", help="The column of tables with PatientID, if it is called otherwise."),
]
_System = Annotated[
    str | None,
    typer.Option(
        "--identifier-system", metavar="URI", help="FHIR: the system of the identifier that is PatientID of images."
    ),
]
_Category = Annotated[
    str | None,
    typer.Option("--consent-category", metavar="CODE", help="FHIR: the category of the consents that are about this."),
]
_Once = Annotated[bool, typer.Option("--once", help="Do what there is to do, and end.")]
_Interval = Annotated[float, typer.Option("--interval", metavar="SECONDS", help="How often to look.", min=1)]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("watch", cls=Command, help=_HELP, epilog=_EXAMPLE)(watch)


def watch(  # noqa: PLR0913 - Typer takes an option as a parameter
    *,
    inbox: _Inbox,
    index: IndexFolder,
    protocol: _ProtocolFile,
    out: _OutFolder,
    bundle: _BundleFolder = None,
    owner: _Owner = None,
    signed_by: _SignedBy = None,
    runs_a_day: _RunsADay = 1,
    store: _StoreFolder = None,
    key: _KeyFile = None,
    keyfile: Keyfile = None,
    column: _Column = None,
    identifier_system: _System = None,
    consent_category: _Category = None,
    fix: Fix = None,
    once: _Once = False,
    interval: _Interval = 60.0,
    trust: Trust = False,
    as_json: AsJson = False,
) -> None:
    """Act on what is dropped into a folder."""
    from monai_unlearn.experiments.settings import read_fixed
    from monai_unlearn.release.ledger import LedgerKey
    from monai_unlearn.watch.consents import ConsentRule
    from monai_unlearn.watch.plan import SET_BY_WATCH, WatchPlan
    from monai_unlearn.watch.requests import Reading
    from monai_unlearn.watch.trust import Trusted, named_users

    plan = WatchPlan(
        inbox=inbox,
        index=index,
        protocol=protocol,
        out=out,
        bundle=bundle,
        store=store,
        key=None if key is None else LedgerKey.read(key),
        key_file=key,
        trusted=Trusted(owners=named_users(owner or ()), keys=tuple(signed_by or ())),
        runs_a_day=runs_a_day,
        reading=Reading(column=column, consents=ConsentRule(system=identifier_system, category=consent_category)),
        keyfile=keyfile,
        fixed=read_fixed(fix or (), {}, set_by=SET_BY_WATCH),
        trust_index=trust,
    )
    if as_json and not once:
        raise ConfigError("--json prints one document: give --once with it.")
    _serve(plan, once=once, interval=interval, as_json=as_json)


def _serve(plan: WatchPlan, *, once: bool, interval: float, as_json: bool) -> None:
    import time

    from monai_unlearn.watch.service import opened_service
    from monai_unlearn.watch.stopping import stopped_by_signal

    with stopped_by_signal(), opened_service(plan) as service:
        while not once:
            document = service.scan(strangers=1)
            _show(document)
            # Strangers' files are looked at one by one, so that nobody who is trusted waits for all of them.
            if document["counts"]["running"] or not document["counts"]["taken"]:
                time.sleep(interval)
        document = service.scan()
    emit(document, as_json=as_json, render=lambda: _show_once(document))
    refused = any(one["verdict"] and one["state"] == "left" for one in document["requests"])
    raise typer.Exit(ExitCode.NOT_ACCEPTED if refused else ExitCode.DONE)


def _show(document: Mapping[str, Any]) -> None:
    for one in document["requests"]:
        verdict = f", {one['verdict']}" if one["verdict"] else ""
        say(f"{one['id']} {one['kind'] or 'file'}: {one['state']}{verdict}")
        say(*(f"  {line}" for line in [*one["reasons"], one["revised_bundle"], one["reason_file"]] if line))
    if document["unread"]:
        say(
            f"{document['unread']} files were not looked at: too many of strangers wait for a person, in OUT/left, or "
            "the inbox is too full."
        )


def _show_once(document: Mapping[str, Any]) -> None:
    _show(document)
    say(", ".join(f"{number} {state}" for state, number in document["counts"].items()))
