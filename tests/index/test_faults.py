from __future__ import annotations

import errno

import pytest

from monai_unlearn.index.faults import Fault, fault_of_os_error, usable_faults


def test_each_fault_has_a_unique_code_and_a_sentence() -> None:
    assert len({fault.code for fault in Fault}) == len(Fault)
    assert all(Fault.of(fault.code) is fault and fault.sentence for fault in Fault)


def test_only_images_with_pixels_and_a_uid_are_usable() -> None:
    assert set(usable_faults()) == {
        "missing_patient_id",
        "undecodable_text",
        "invalid_uid",
        "invalid_date",
        "invalid_age",
        "invalid_number",
        "pixels_not_checked",
    }


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (PermissionError(errno.EACCES, "no"), Fault.PERMISSION_DENIED),
        (OSError(errno.ELOOP, "round"), Fault.SYMLINK_LOOP),
        (OSError(errno.EIO, "disk"), Fault.UNREADABLE),
    ],
)
def test_error_of_the_system_determines_the_fault(error: OSError, fault: Fault) -> None:
    assert fault_of_os_error(error) is fault
