from __future__ import annotations

import builtins
from pathlib import Path

import pydicom
import pytest
import torch
from ignite.engine import Engine
from report_items import named

from monai_unlearn.errors import InputError
from monai_unlearn.release.sr import ReportWriter, read_source

BUNDLE = Path(__file__).resolve().parents[2] / "bundles" / "fundus_classifier"


def run(writer, paths, probabilities):
    engine = Engine(lambda _, batch: [{"pred": torch.tensor(probabilities)} for _ in batch])
    engine.network = torch.nn.Linear(2, 3)
    writer.attach(engine)
    engine.run([[{"file": str(path)} for path in paths]], max_epochs=1)
    return engine


def test_the_handler_writes_a_report_for_every_dicom_image(image, tmp_path):
    plain = tmp_path / "plain.png"
    plain.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    writer = ReportWriter(bundle_root=BUNDLE, class_names=["a", "b", "c"], output_dir=tmp_path / "reports")
    run(writer, [image, plain], [0.2, 0.3, 0.5])
    (path,) = (tmp_path / "reports").iterdir()
    report = pydicom.dcmread(path)
    assert path.stem == read_source(image).SOPInstanceUID
    assert named(report, "Algorithm Name")[0].TextValue == "Fundus classifier"
    assert named(report, "Finding")[0].ConceptCodeSequence[0].CodeMeaning == "c"


def test_the_handler_does_nothing_when_disabled(image, tmp_path):
    writer = ReportWriter(bundle_root=BUNDLE, class_names=["a"], output_dir=tmp_path / "reports", enabled=False)
    run(writer, [image], [1.0])
    assert not (tmp_path / "reports").exists()


def test_without_highdicom_the_extra_is_named(monkeypatch):
    original = builtins.__import__

    def missing(name, *arguments, **options):
        if name == "highdicom":
            raise ImportError(name)
        return original(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(InputError, match=r"pip install 'monai-unlearn\[pacs\]'"):
        ReportWriter(bundle_root=BUNDLE, class_names=["a"], output_dir="reports")
