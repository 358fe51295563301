"""What the service was asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError
from monai_unlearn.watch.mailbox import SETTLED_SECONDS
from monai_unlearn.watch.requests import Reading
from monai_unlearn.watch.trust import Trusted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from monai_unlearn.release.ledger import LedgerKey

SET_BY_WATCH = {
    "index_dir": "--index",
    "cohort_spec": "it writes one",
    "output_dir": "--out",
    "protocol": "--protocol",
    "keyfile": "--keyfile",
    "method": "--protocol",
}
"""Config ids that the service sets, and where their values come from."""


@dataclass(frozen=True, kw_only=True)
class WatchPlan:
    """What to watch, and what may be done.

    Attributes:
        inbox: The folder that anybody may write to.
        index: The image index.
        protocol: The rehearsed protocol.
        out: The folder of the service.
        bundle: The bundle to revise; None for the one that the store deploys.
        store: The store whose ledger notes each step; without one, nothing is run.
        key: The private key of its lines.
        key_file: The file that the key was read from.
        trusted: Who is acted for.
        runs_a_day: How many runs may begin within 24 hours.
        reading: How files are read.
        keyfile: The key that the index was pseudonymised with.
        fixed: Further settings of the runs, as text.
        trust_index: Whether to skip the check of the index's digests.
        settle: How many seconds a file must have been left alone.

    Raises:
        ConfigError: The number of runs is below 0, there is a store without a key, or the inbox and the folder of the
            service lie within each other.
    """

    inbox: Path
    index: Path
    protocol: Path
    out: Path
    bundle: Path | None = None
    store: Path | None = None
    key: LedgerKey | None = None
    key_file: Path | None = None
    trusted: Trusted = field(default_factory=Trusted)
    runs_a_day: int = 1
    reading: Reading = field(default_factory=Reading)
    keyfile: Path | None = None
    fixed: Mapping[str, str] = field(default_factory=dict)
    trust_index: bool = False
    settle: float = SETTLED_SECONDS

    def __post_init__(self) -> None:
        if self.runs_a_day < 0:
            raise ConfigError(f"--runs-a-day: expected 0 or more, got {self.runs_a_day}.")
        if len({self.store is None, self.key is None, self.key_file is None}) > 1:
            raise ConfigError("--store and --key: expected both, the folder of the store and the key of its ledger.")
        inbox, out = self.inbox.resolve(), self.out.resolve()
        if inbox == out or inbox.is_relative_to(out) or out.is_relative_to(inbox):
            raise ConfigError(
                f"--out {self.out}: expected a folder apart from --inbox, to which others may write. Choose another."
            )
