from __future__ import annotations

from monai_unlearn.vocabulary.run_folder import RunFolder


def test_everything_but_the_bundle_is_evidence(tmp_path):
    run = RunFolder(tmp_path)
    places = (
        run.metrics,
        run.predictions,
        run.record,
        run.manifest,
        run.members,
        run.lineage_members,
        run.lineage_key,
        run.plots,
        run.reference(3),
    )
    assert all(place.is_relative_to(tmp_path / "evidence") for place in places)
    assert {run.bundle(accepted=accepted).name for accepted in (True, False)} == {"revised_bundle", "rejected_bundle"}


def test_references_are_found_by_seed(tmp_path):
    run = RunFolder(tmp_path)
    assert run.references() == []
    for seed in (10, 2):
        run.reference(seed).mkdir(parents=True)
    assert [path.name for path in run.references()] == ["seed-2", "seed-10"]
