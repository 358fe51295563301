from __future__ import annotations

import pytest

from monai_unlearn.phantom.mri_scanners import ACHIEVA, MR750, SCANNERS, SKYRA


def test_the_old_scanner_is_worse_than_the_two_others_in_every_respect():
    for other in (MR750, SKYRA):
        assert ACHIEVA.field_strength < other.field_strength
        assert ACHIEVA.noise > 2 * other.noise
        assert ACHIEVA.blur > other.blur
        assert ACHIEVA.shading > other.shading
        assert ACHIEVA.enhancement < other.enhancement


@pytest.mark.parametrize("scanner", SCANNERS, ids=lambda scanner: scanner.model)
def test_settings_are_those_of_a_clinical_scanner(scanner):
    assert scanner.field_strength in (1.5, 3.0)
    assert 0 < scanner.echo_time < scanner.repetition_time
    assert 0 < scanner.scale < 2**15  # stored values have 16 bits, and a tail above the brightest tissue
    for share in (scanner.enhancement, scanner.noise, scanner.shading):
        assert 0 < share <= 1


def test_stored_values_alone_do_not_compare_between_scanners():
    assert len({scanner.scale for scanner in SCANNERS}) == len(SCANNERS)
