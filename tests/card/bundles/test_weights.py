from __future__ import annotations

import subprocess

from two_bundles import weights, write_bundle

from monai_unlearn.card.bundles import weights as module
from monai_unlearn.card.bundles.read import read_bundle
from monai_unlearn.card.bundles.weights import compare_weights


def compared(old, new):
    return compare_weights(old, new, (read_bundle(old)["weights"], read_bundle(new)["weights"]))


def test_a_changed_file_is_shown_layer_by_layer(tmp_path):
    old, new = write_bundle(tmp_path / "a"), write_bundle(tmp_path / "b", state=weights(0.5))
    (old / "models" / "model.ts").write_bytes(b"1")
    (new / "models" / "model.ts").write_bytes(b"2")
    (new / "models" / "more.onnx").write_bytes(b"1")
    found = compared(old, new)
    assert found["models/model.pt"]["layers"][1]["relative"] == 0.25
    assert "compared by its digest" in found["models/model.ts"]["why"]
    assert found["models/more.onnx"] == {"status": "added"}
    assert compared(new, old)["models/more.onnx"] == {"status": "removed"}
    assert compared(old, old)["models/model.pt"] == {"status": "same"}


def test_a_process_that_fails_is_told(tmp_path, monkeypatch):
    old, new = write_bundle(tmp_path / "a"), write_bundle(tmp_path / "b", state=weights(0.5))
    monkeypatch.setattr(module, "PROGRAM", "monai_unlearn.nowhere")
    assert "could not be compared (JSONDecodeError)" in compared(old, new)["models/model.pt"]["why"]

    def late(*words, **options):
        raise subprocess.TimeoutExpired("python", 1)

    monkeypatch.setattr(module.subprocess, "run", late)
    assert "could not be compared (TimeoutExpired)" in compared(old, new)["models/model.pt"]["why"]
