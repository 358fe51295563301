"""A small release: a revised bundle with card, lineage, record and sums, and keys to sign it with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import torch
from card_example import build
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from lineage_example import DIGEST, entry, lineage
from torch import nn

from monai_unlearn.card.eval_metrics import eval_metrics
from monai_unlearn.card.renderers import RENDERERS
from monai_unlearn.release import save_weights, weights_digest, write_sums

if TYPE_CHECKING:
    from pathlib import Path


def write_release(root: Path, *, version: str = "1.1.0", verdict: str = "erased", seed: int = 0) -> Path:
    """Write a revised bundle, with its sums, and return its folder."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))
    weights = weights_digest(network.state_dict())
    texts = {
        "configs/inference.yaml": "network_def: {_target_: Linear}\nsize: $1 + 1\n",
        "scripts/models/net.py": "SIZE = 3\n",
        "docs/README.md": "# Some\n",
        "LICENSE": "free\n",
    }
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    channels = {"outputs": {"pred": {"num_channels": 2, "channel_def": {"0": "a", "1": "b"}}}}
    diff = card(version=version, verdict=verdict, weights=weights)
    metadata = {"name": "Some", "version": version, "network_data_format": channels, "eval_metrics": eval_metrics(diff)}
    (root / "configs" / "metadata.json").write_text(json.dumps(metadata))
    save_weights(network, root / "models" / "model.pt")
    revised = entry(version, base_version="1.0.0", verdict=verdict, weights_digest=weights)
    history = lineage(entry("1.0.0"), revised)
    history.write(root)
    record = {"images": 3, "spec_digest": DIGEST, "lineage_digest": history.digest}
    (root / "models" / "training.json").write_text(json.dumps(record))
    for name, text in rendered(diff).items():
        (root / "docs" / name).write_text(text, encoding="utf-8")
    write_sums(root)
    return root


def card(*, version: str, verdict: str, weights: str) -> dict[str, Any]:
    """Return the card of a release."""
    measured = {"original": {"forget": 95, "remain": 90}, "revised": {"forget": 50, "remain": 88}}
    diff = build(changes={"verdict": verdict}, **measured)
    diff["revised"] |= {"version": version, "weights_digest": weights}
    return diff


def rendered(diff: dict[str, Any]) -> dict[str, str]:
    """Return the documents of a card by file name."""
    return {name: render(diff) for name, render in RENDERERS.items()}


def write_keys(folder: Path, name: str = "key", *, password: bytes | None = None) -> tuple[Path, Path]:
    """Write a new pair of keys, and return the files of the private and the public one."""
    key = ec.generate_private_key(ec.SECP256R1())
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public
