from __future__ import annotations

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation.audits import chosen, registered


def test_default_is_every_audit_in_the_order_of_registration():
    assert [audit.name for audit in chosen("default")] == list(registered())


def test_cheap_audits_come_first():
    needs = [audit.needs_networks for audit in chosen("default")]
    assert needs == sorted(needs)


@pytest.mark.parametrize(
    ("setting", "names"),
    [([], []), (None, []), ("distance", ["distance"]), (["distance", "membership"], ["membership", "distance"])],
)
def test_names_choose_audits(setting, names):
    assert [audit.name for audit in chosen(setting)] == names


def test_an_unknown_name_is_refused():
    with pytest.raises(ConfigError, match="audits: expected one of membership, .* got 'membershp'.*membership"):
        chosen(["membershp"])
    with pytest.raises(ConfigError, match="expected default or a list of names, got 3"):
        chosen([3])
