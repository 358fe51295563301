from __future__ import annotations

import hashlib
import pickle

import pytest
import torch
from bundle_run import BUNDLE
from release_example import write_release

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.inspection import inspect_bundle


@pytest.fixture
def bundle(tmp_path):
    return write_release(tmp_path / "bundle")


def test_code_is_listed_by_file_and_digest(bundle):
    found = inspect_bundle(bundle)
    assert found["configs"] == {
        "configs/inference.yaml": [{"kind": "expression", "where": "size", "text": "$1 + 1", "outside": False}]
    }
    digest = hashlib.sha256((bundle / "scripts" / "models" / "net.py").read_bytes()).hexdigest()
    assert found["python"] == [{"file": "scripts/models/net.py", "sha256": digest}]
    assert found["other"] == found["unreadable"] == []
    assert found["counts"]["expression"] == found["counts"]["python"] == 1


def test_nothing_is_run(bundle, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    ran = f"open({str(tmp_path / 'ran')!r}, 'w')"
    (bundle / "configs" / "a.json").write_text(f'{{"a": "${ran}"}}')
    (bundle / "configs" / "b.yaml").write_text("!!python/object/apply:os.system [x]")
    (bundle / "configs" / "logging.conf").write_text(f"[handler_a]\nargs=({ran},)\n")
    (bundle / "scripts" / "__init__.py").write_text(ran)
    (bundle / "models" / "a.pt").write_bytes(pickle.dumps(Bomb()))
    torch.save({"a": Bomb()}, bundle / "models" / "b.ckpt")
    (tmp_path / "ran").unlink(missing_ok=True)
    found = inspect_bundle(bundle)
    assert not (tmp_path / "ran").exists()
    assert found["unreadable"] == ["configs/b.yaml"]
    assert [one["file"] for one in found["other"]] == ["models/a.pt", "models/b.ckpt"]
    assert found["configs"]["configs/a.json"][0]["outside"]
    assert found["configs"]["configs/logging.conf"][0]["outside"]


def test_other_code(bundle):
    for name in ("scripts/a.so", "models/model.ts", "run.sh", ".hidden.py", "x.pkl"):
        (bundle / name).write_text("x")
    (bundle / "link").symlink_to("run.sh")
    found = inspect_bundle(bundle)
    assert {one["file"] for one in found["other"]} == {"scripts/a.so", "models/model.ts", "run.sh", "x.pkl", "link"}
    assert [one["file"] for one in found["python"]] == [".hidden.py", "scripts/models/net.py"]


def test_our_own_bundles_have_code_too():
    found = inspect_bundle(BUNDLE)
    texts = [one["text"] for one in found["configs"]["configs/unlearn.yaml"]]
    assert "$import monai_unlearn.engine as engine" in texts
    assert "$@revision.run()" in texts
    assert not found["python"]


def test_a_folder_that_is_no_bundle_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="is not a MONAI bundle"):
        inspect_bundle(tmp_path)
