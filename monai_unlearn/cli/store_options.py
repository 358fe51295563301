"""Options of the commands that act on a store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

StoreFolder = Annotated[
    Path, typer.Option("--store", metavar="DIR", help="The folder of deployed versions, with its ledger.")
]
Who = Annotated[
    str | None, typer.Option("--who", metavar="NAME", help="Who acts, for the ledger; by default your user name.")
]
Why = Annotated[str | None, typer.Option("--why", metavar="TEXT", help="The reason, which the ledger keeps.")]
