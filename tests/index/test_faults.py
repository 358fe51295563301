from __future__ import annotations

import errno

import pytest

from monai_unlearn.index.faults import Fault, fault_of_os_error, joined, split, usable_faults


def test_each_fault_has_a_unique_code_and_a_sentence() -> None:
    assert len({fault.code for fault in Fault}) == len(Fault)
    assert all(Fault.of(fault.code) is fault and fault.sentence for fault in Fault)


def test_only_images_with_pixels_and_a_uid_are_usable() -> None:
    assert set(usable_faults()) == {
        "conflicting_duplicate",
        "placeholder_patient_id",
        "missing_patient_id",
        "undecodable_text",
        "invalid_uid",
        "invalid_date",
        "invalid_age",
        "invalid_number",
        "several_numbers",
        "contradicting_laterality",
        "invalid_laterality",
        "whole_slide",
        "pixels_not_checked",
        "several_frames",
        "transparent_pixels",
        "unknown_value_range",
        "patient_with_two_sexes",
        "patient_with_two_birth_dates",
        "patient_with_two_issuers",
        "study_with_two_patients",
        "no_preamble",
        "partial_date",
        "implausible_age",
        "implausible_date",
        "dates_shifted",
    }


def test_usable_faults_come_after_all_others() -> None:
    usable = [fault.usable for fault in Fault]
    assert usable == sorted(usable)


def test_codes_are_joined_gravest_first_and_split_again() -> None:
    assert joined(["no_preamble", "truncated", "invalid_age", "truncated"]) == "truncated\\invalid_age\\no_preamble"
    assert split("truncated\\invalid_age") == ["truncated", "invalid_age"]
    assert (joined([]), split(None)) == (None, [])


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
