"""Small bundles in the layouts of MONAI's model zoo, built from what is known of it (its state of October 2024).

No file of the zoo is copied. Of its 31 bundles, 28 have `large_files.yml` and two `large_files.yaml`; most configs are
JSON, some YAML; `scripts/` may have packages, one of them called `models`; weights may have several names and lie in
folders below `models/`; two classifiers ask for `pretrained: true`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path

OLD = "https://weights.example/old"


def _entry(path: str) -> dict[str, str]:
    return {"path": path, "url": f"{OLD}/{path}", "hash_val": "0" * 32, "hash_type": "md5"}


def _configs(kind: str, **extra: Any) -> dict[str, Any]:
    network = {"_target_": "DenseNet121", "spatial_dims": 2, **extra.pop("network", {})}
    inference = {
        "bundle_root": "/workspace/bundle",
        "image_size": [64, 64],
        "load_pretrain": True,
        "network_def": network,
        "checkpointloader": {"_target_": "CheckpointLoader", "load_path": "$@bundle_root + '/models/model.pt'"},
        **extra,
    }
    return {f"configs/inference.{kind}": inference, f"configs/train.{kind}": {"network_def": network, "epochs": 2}}


LAYOUTS: dict[str, dict[str, Any]] = {
    "json": {**_configs("json"), "large_files.yml": ["models/model.pt", "models/model.ts"]},
    "yaml": {**_configs("yaml"), "large_files.yaml": ["models/model.pt"]},
    "yml": {**_configs("yml"), "large_files.json": ["./models/model.pt"]},
    "committed weights": _configs("json"),
    "scripts with models": {
        **_configs("json"),
        "large_files.yml": ["models/model.pt"],
        "scripts/__init__.py": "",
        "scripts/models/__init__.py": "",
        "scripts/models/net.py": "SIZE = 3\n",
        "scripts/networks/nest/utils.py": "",
    },
    "pretrained": {
        **_configs(
            "json", network={"_target_": "TorchVisionFCModel", "model_name": "inception_v3", "pretrained": True}
        ),
        "large_files.yml": ["models/model.pt"],
        "sample_data/A/sample_A1.jpg": "an image",
    },
    "pretrained by reference": {
        **_configs("yaml", network={"pretrained": "@use_imagenet_pretrain"}, use_imagenet_pretrain=True),
        "large_files.yml": ["models/model.pt"],
    },
    "several weights": {
        **_configs("yaml", arch_ckpt_path="$@bundle_root + '/models/search_code_18590.pt'"),
        "large_files.yml": ["models/search_code_18590.pt", "models/model.pt", "models/stage0/model.pt"],
    },
    "other names": {
        **_configs("yaml"),
        "large_files.yaml": ["models/dynunet_FT.pt", "models/A100/dynunet_FT_trt_16.ts"],
    },
    "data beside weights": {
        **_configs("json"),
        "large_files.yml": ["models/model.pt", "training.csv", "docs/labels.json", "datasets/masks.zip", "sam.pth"],
        "download_preprocessor/prepare.py": "pass\n",
    },
    "only data": {**_configs("json"), "large_files.yml": ["docs/SC-N-2-3-0.npy"]},
}


def write_layout(root: Path, name: str, *, weights: bool = True) -> Path:
    """Write a bundle in one of the layouts, and return its folder."""
    files = {
        "configs/metadata.json": {"version": "0.1.0", "name": "Some", "changelog": {"0.1.0": "first"}},
        "configs/logging.conf": "[loggers]\nkeys=root\n",
        "docs/README.md": "# Some\n",
        "docs/data_license.txt": "free\n",
        "LICENSE": "free\n",
        **LAYOUTS[name],
    }
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_text(path, content), encoding="utf-8")
    (root / "models").mkdir()
    if weights:
        (root / "models" / "model.pt").write_bytes(b"old weights")
    return root


def _text(path: str, content: Any) -> str:
    if isinstance(content, str):
        return content
    if path.startswith("large_files"):
        content = {"large_files": [_entry(one) for one in content]}
    return (
        json.dumps(content, indent=4)
        if path.endswith(".json")
        else yaml.safe_dump(content, sort_keys=False, default_flow_style=None)
    )


def downloads(root: Path) -> list[str]:
    """Return what MONAI's `download_large_files` would fetch into a bundle, whatever the name of its list."""
    found = []
    for path in root.rglob("large_files.*"):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        found += [entry["path"] for entry in content["large_files"]]
    return found
