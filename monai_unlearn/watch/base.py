"""The bundle that is revised: that of the protocol, and no other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.bundle_info import BundleInfo
from monai_unlearn.release.store import Store
from monai_unlearn.release.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

    from monai_unlearn.evaluation.decision.protocol import Protocol
    from monai_unlearn.watch.plan import WatchPlan


@dataclass(frozen=True, kw_only=True)
class Base:
    """A bundle.

    Attributes:
        root: Its folder.
        name: Its name.
        version: Its version.
        weights: The digest of its weights; None where they cannot be read.
    """

    root: Path
    name: str
    version: str
    weights: str | None

    def why_not(self, protocol: Protocol) -> str | None:
        """Return a sentence if the protocol is another bundle's, else None."""
        known = protocol.bundle
        if (self.name, self.weights) == (known.name, known.weights):
            return None
        return (
            f"The protocol was rehearsed with {known.name} {known.version}, and with other weights than those of "
            f"{self.name} {self.version}, which would be revised. Rehearse with these: monai-unlearn rehearse."
        )


def base_of(plan: WatchPlan) -> Base:
    """Return the bundle to revise.

    Raises:
        ConfigError: None was given and none is deployed, or it is no bundle with `configs/unlearn.yaml`.
    """
    root = plan.bundle
    if root is None:
        if plan.store is None or Store(plan.store).deployed is None:
            raise ConfigError("expected a bundle to revise: give --bundle DIR, or a --store that deploys one.")
        root = Store(plan.store).current
    # `current` may lead elsewhere tomorrow.
    root = root.resolve()
    info = BundleInfo.read(root)
    if not (root / "configs" / "unlearn.yaml").is_file():
        raise ConfigError(f"{root}: expected a bundle with configs/unlearn.yaml. Give --bundle DIR.")
    return Base(root=root, name=info.name, version=info.version, weights=verify(root).weights_digest)
