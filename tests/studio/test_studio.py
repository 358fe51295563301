from __future__ import annotations

import pytest
from studio_client import SPEC, studio_index

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.errors import ConfigError
from monai_unlearn.studio.settings import Settings
from monai_unlearn.studio.studio import Studio
from monai_unlearn.studio.turns import OutdatedError


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("studio")
    studio_index(folder / "index")
    return Studio(Settings(index=folder / "index", work=folder / "work"))


def test_a_cohort_is_resolved_once_and_the_last_few_are_kept(studio):
    spec = CohortSpec.parse(SPEC)
    first = studio.cohort(spec)
    assert studio.cohort(CohortSpec.parse(f"{SPEC}\n# a comment")) is first
    for device in ("New", "a", "b", "c"):
        studio.cohort(CohortSpec.parse(SPEC.replace("Old", device)))
    assert studio.cohort(spec) is not first


def test_what_nobody_waits_for_is_not_counted(studio, monkeypatch):
    monkeypatch.setattr("monai_unlearn.studio.studio.resolve_unguarded", None)
    with pytest.raises(OutdatedError):
        studio.cohort(CohortSpec.parse(SPEC.replace("Old", "never")), is_wanted=lambda: False)


def test_values_are_counted_once(studio):
    assert studio.values(studio.index, "device") is studio.values(studio.index, "device")


def test_without_an_index_no_cohort_is_resolved(tmp_path):
    studio = Studio(Settings(work=tmp_path))
    assert studio.index is None
    with pytest.raises(ConfigError, match="--index DIR"):
        studio.cohort(CohortSpec.parse(SPEC))
