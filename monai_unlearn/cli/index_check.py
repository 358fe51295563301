"""The option `--trust`, and what comparing an index with its digests cost: of all commands that open an index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.index import Index

Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="Skip the check that the files of the index are as they were written. Use it for very large indexes "
        "only, where something else shows that nobody changed them.",
    ),
]
# A wait that people notice, in seconds.
_NOTICEABLE = 1.0


def with_check(document: Mapping[str, Any], index: Index) -> dict[str, Any]:
    """Return a command's document with the entry `index_check`; say on stderr where comparing took long."""
    check = index.checked
    if check.seconds > _NOTICEABLE:
        say(
            f"Note: {check.hashed / 1e6:,.0f} MB of the index were compared with their digests, in "
            f"{check.seconds:.1f} s. They are not hashed again until they change; --trust skips this.",
            err=True,
        )
    return {**document, "index_check": check.document()}
