from __future__ import annotations

from monai_unlearn.index.faults import Fault, usable_faults


def test_each_fault_has_a_code_of_its_own_and_a_sentence() -> None:
    assert len({fault.code for fault in Fault}) == len(Fault)
    assert all(Fault.of(fault.code) is fault and fault.sentence for fault in Fault)


def test_only_an_image_without_a_patient_still_counts() -> None:
    assert usable_faults() == ("missing_patient_id",)
