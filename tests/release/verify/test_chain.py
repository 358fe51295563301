from __future__ import annotations

import json

from lineage_example import DIGEST, entry, lineage

from monai_unlearn.release.verify.chain import check_chain, read_lineage, read_record

OTHER = "sha256:" + "1" * 64


def lines(*entries, version="0.3.0", weights=DIGEST):
    return [fault.line for fault in check_chain(lineage(*entries), version=version, weights=weights)]


def test_a_whole_chain():
    assert not lines()
    assert not lines(weights=None)


def test_broken_links_are_named():
    assert lines(entry(), entry("0.3.0", base_version="0.1.5")) == [
        "lineage.json: revision 0.3.0 builds on 0.1.5, but the one before made 0.2.0."
    ]
    assert lines(entry(weights_digest=OTHER), entry("0.3.0", base_version="0.2.0")) == [
        f"lineage.json: revision 0.3.0 builds on weights {DIGEST}, but the one before made {OTHER}."
    ]


def test_the_end_is_the_bundle():
    assert lines(version="0.4.0") == ["lineage.json: ends with version 0.3.0; the metadata say 0.4.0."]
    assert lines(weights=OTHER) == [f"lineage.json: ends with weights {DIGEST}; the weights in the bundle are {OTHER}."]


def test_a_lineage_is_that_of_the_record(tmp_path):
    assert read_lineage(tmp_path) == (None, [])
    assert read_record(tmp_path) == {}
    lineage().write(tmp_path)
    assert read_lineage(tmp_path) == (lineage(), [])
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "training.json").write_text(json.dumps({"lineage_digest": OTHER}))
    assert read_lineage(tmp_path)[1][0].line.startswith("lineage.json: is another one")
    (tmp_path / "lineage.json").write_text("{}")
    assert read_lineage(tmp_path)[1][0].line.startswith("lineage.json: does not match its digest")
