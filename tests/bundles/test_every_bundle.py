"""Requirements of the model zoo, checked on every bundle of the repository and on a revision of each."""

from __future__ import annotations

import csv
import json
import re
import sys
from unittest import mock

import monai.bundle
import pytest
import torch
import yaml
from bundle_run import ROOT, TINY, run
from bundle_walk import BUNDLES, CONFIGS
from monai.bundle import ConfigParser, ConfigWorkflow, verify_metadata, verify_net_in_out

from monai_unlearn.release import load_weights, weights_digest
from monai_unlearn.release.report_content import ModelIdentity
from monai_unlearn.release.torchscript import (
    bundle_network,
    export_torchscript,
    largest_difference,
    probe_inputs,
    read_export,
)

SCHEMA = ROOT / "bundles" / "metadata_schema.json"
FILES = [
    *(f"configs/{name}.yaml" for name in (*CONFIGS, "gpu", "multi_gpu")),
    *(f"configs/{name}" for name in ("metadata.json", "logging.conf")),
    *("docs/README.md", "docs/data_license.txt", "LICENSE", "models/model.pt"),
]
OVERLAYS = {"volume_3d", "gpu", "multi_gpu"}
# The beginning of a path that only one machine has.
ABSOLUTE = re.compile(r"(?:^|[\s'\"=(\[])(?:/(?!/)\w|~/|[A-Za-z]:\\)")


@pytest.mark.parametrize("config", sorted(ROOT.glob("bundles/*/configs/*.yaml")), ids=lambda path: str(path.parts[-3:]))
def test_no_component_has_the_name_of_a_module(config):
    # From Python 3.12 on, pydoc.locate, by which MONAI finds a component, gives the module of such a name.
    targets = re.findall(r"_target_['\"]?: *['\"]?(monai_unlearn[\w.]*)", config.read_text(encoding="utf-8"))
    assert [name for name in targets if (ROOT / name.replace(".", "/")).with_suffix(".py").exists()] == []


def metadata_of(walked):
    return json.loads((walked.root / "configs" / "metadata.json").read_text(encoding="utf-8"))


def test_there_are_bundles():
    assert {path.name for path in BUNDLES} >= {"fundus_classifier", "mri_classifier"}


def test_required_files_are_there(walked):
    assert [name for name in FILES if not (walked.root / name).is_file()] == []
    assert [name for name in FILES if (walked.root / name).stat().st_size == 0] == []


def test_large_files_are_listed_only_if_there_are_any(walked):
    assert (walked.root / "models" / "model.pt").stat().st_size < 2_000_000
    assert not list(walked.root.glob("large_files.*"))


def test_metadata_are_valid_and_the_version_is_in_the_changelog(walked):
    verify_metadata(meta_file=str(walked.root / "configs" / "metadata.json"), filepath=str(SCHEMA))
    metadata = metadata_of(walked)
    assert metadata["version"] in metadata["changelog"]
    assert metadata["intended_use"]


def test_the_readme_has_the_sections_of_the_zoo(walked):
    text = (walked.root / "docs" / "README.md").read_text(encoding="utf-8")
    for heading in ("Data", "Network", "Performance", "Commands", "Limits", "References", "Licence"):
        assert f"\n## {heading}\n" in text, heading


@pytest.mark.parametrize("config", CONFIGS)
def test_inputs_and_outputs_of_the_network_match_the_metadata(walked, config):
    verify_net_in_out(
        net_id="network_def",
        meta_file=str(walked.root / "configs" / "metadata.json"),
        config_file=str(walked.root / "configs" / f"{config}.yaml"),
        device="cpu",
    )


@pytest.mark.parametrize(("config", "kind"), [("train", "train"), ("unlearn", "train"), ("inference", "infer")])
def test_a_workflow_finds_the_properties_it_needs(walked, tmp_path, config, kind):
    path = walked.root / "configs" / f"{config}.yaml"
    known = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings = {**TINY, **walked.data, "output_dir": str(tmp_path / "out"), "dataset_dir": str(walked.images)}
    # Inference has the classes of the weights, training those of the cohort.
    left_out = {"class_names"} if kind == "infer" else set()
    settings = {key: value for key, value in settings.items() if key in known and key not in left_out}
    run_id = kind if kind == "infer" else config
    workflow = ConfigWorkflow(config_file=str(path), workflow_type=kind, run_id=run_id, logging_file=False, **settings)
    with mock.patch.object(sys, "excepthook"):
        workflow.initialize()
    assert workflow.check_properties() == []


def test_the_export_to_torchscript_computes_the_same(walked, tmp_path):
    path = export_torchscript(walked.root, target=tmp_path / "model.ts")
    exported = read_export(path)
    network = bundle_network(walked.root)
    assert largest_difference(network, exported.network, probe_inputs(metadata_of(walked))) <= 1e-5
    assert exported.metadata["version"] == metadata_of(walked)["version"]
    assert ModelIdentity.of_export(path).weights == weights_digest(network.state_dict())


def test_monai_loads_the_weights_as_pure_tensors(walked):
    network = bundle_network(walked.root)
    blank = ConfigParser.load_config_file(str(walked.root / "configs" / "inference.yaml"))
    assert blank["network_def"]
    loaded = monai.bundle.load(
        name=walked.root.name, bundle_dir=str(walked.root.parent), source="local", model=_scrambled(network)
    )
    expected = load_weights(bundle_network(walked.root), walked.root / "models" / "model.pt").state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in loaded.state_dict().items())


def _scrambled(network):
    with torch.no_grad():
        for tensor in network.parameters():
            tensor.add_(1.0)
    return network


def test_no_config_names_a_path_of_one_machine(walked):
    found = [
        f"{path.name}: {line}"
        for path in sorted((walked.root / "configs").iterdir())
        for line in path.read_text(encoding="utf-8").splitlines()
        # A path that is appended to another one is relative.
        if ABSOLUTE.search(line.replace("+ '/", "")) and not line.lstrip().startswith("#")
    ]
    assert found == []


@pytest.mark.parametrize("line", ["checkpoint: /data/model.pt", "dir: '~/x'", 'x: "C:\\data"'])
def test_a_path_of_one_machine_is_recognised(line):
    assert ABSOLUTE.search(line)


def test_inference_runs_in_another_folder_and_writes_probabilities(walked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    classes = list(metadata_of(walked)["network_data_format"]["outputs"]["pred"]["channel_def"].values())
    run(
        "infer",
        "inference.yaml",
        bundle=walked.root,
        dataset_dir=str(walked.images),
        file_pattern="1*.png",
        output_dir=str(tmp_path / "out"),
        class_names=classes,
    )
    header, *rows = csv.reader((tmp_path / "out" / "predictions.csv").read_text().splitlines())
    assert header == ["file", *classes]
    assert len(rows) == len(list(walked.images.glob("1*.png")))
    for row in rows:
        assert sum(map(float, row[1:])) == pytest.approx(1, abs=1e-5)
        assert len(row) == 1 + len(classes)


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_overlays_set_only_what_a_config_has(bundle):
    ids = {key for name in CONFIGS for key in yaml.safe_load((bundle / "configs" / f"{name}.yaml").read_text())}
    for path in (bundle / "configs").glob("*.yaml"):
        if path.stem in OVERLAYS:
            overlay = {key.split("::")[0] for key in yaml.safe_load(path.read_text())}
            assert overlay <= ids | {"finalize"}, path.name
