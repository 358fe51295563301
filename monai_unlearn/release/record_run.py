"""Notes runs in the ledger: training and unlearning, with the digests in the records of the bundle."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError, check_choice
from monai_unlearn.release.ledger import LedgerKey
from monai_unlearn.release.promote import Act
from monai_unlearn.release.store import Store
from monai_unlearn.release.verify import verify
from monai_unlearn.release.verify.chain import read_lineage, read_record

if TYPE_CHECKING:
    from monai_unlearn.release.ledger import Line

STORE_VARIABLE = "MONAI_UNLEARN_STORE"
KEY_VARIABLE = "MONAI_UNLEARN_KEY"
LEDGER_VARIABLES = (STORE_VARIABLE, KEY_VARIABLE)
RUNS = ("train", "unlearn")


def record_run(
    event: str, bundle: Path, *, store: Path, key: LedgerKey, who: str | None = None, why: str | None = None
) -> Line:
    """Append a line about a run to the ledger.

    Args:
        event: `train` or `unlearn`.
        bundle: The bundle that was trained, or the revised bundle.
        store: The folder of the store.
        key: The private key that signs the line.
        who: Who ran it; by default the user of the system.
        why: The reason; by default that of the cohort that was forgotten.

    Raises:
        InputError: There is no such run, or no bundle, or the ledger was tampered with.
    """
    check_choice(event, RUNS, name="EVENT")
    report, record = verify(bundle), read_record(bundle)
    lineage, _ = read_lineage(bundle)
    names = ("index_digest", "spec_digest", "images_digest", "pixels_digest")
    digests = {name.removesuffix("_digest"): str(record[name]) for name in names if record.get(name)}
    if event == "unlearn":
        if lineage is None:
            raise ConfigError(f"{bundle} has no lineage.json: it was not unlearned.")
        last = lineage.revisions[-1]
        digests |= {"manifest": last.manifest_digest, "base_weights": last.base_weights_digest}
        digests |= {"spec": last.spec_digest, "lineage": lineage.digest}
        why = why or f"{last.cohort} ({last.reason})"
    return Act(store=Store(store), key=key, who=who, why=why).append(event, report, digests=digests)


def site_ledger() -> tuple[Path, LedgerKey] | None:
    """Return the store and the key that the environment names; None where it names none.

    Raises:
        InputError: Only one of the two is named, or the key cannot be used.
    """
    store, key = os.environ.get(STORE_VARIABLE), os.environ.get(KEY_VARIABLE)
    if not store and not key:
        return None
    if not store or not key:
        raise ConfigError(f"{STORE_VARIABLE} and {KEY_VARIABLE}: expected both, the folder of the store and the key.")
    return Path(store), LedgerKey.read(Path(key))
