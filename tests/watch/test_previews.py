from __future__ import annotations

from watch_example import plan_of, withdrawals

from monai_unlearn.watch.previews import preview


def test_a_preview_is_a_process(place, tmp_path):
    spec = tmp_path / "spec.yaml"
    (tmp_path / "gone.txt").write_text(withdrawals(0, 1))
    head = "schema_version: 1\nname: out\nreason: consent_withdrawal\nvalue_sets: {gone: {file: gone.txt}}\n"
    spec.write_text(f"{head}forget: patient in @gone\n")
    found = preview(spec, plan_of(place))
    assert found.document["patients"]["forget"] == 2
    spec.write_text(f"{head}forgive: patient in @gone\n")
    assert "Its preview ended with exit code 2: " in preview(spec, plan_of(place)).refused
    assert preview(spec, plan_of(place), seconds=0.01).refused == "Its preview took longer than 0.01 seconds."
