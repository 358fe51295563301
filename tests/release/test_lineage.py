from __future__ import annotations

import pytest
from lineage_example import DIGEST
from tiny import tiny_index, tiny_spec

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.errors import ConfigError
from monai_unlearn.release.lineage import lineage_after


@pytest.fixture
def cohort(tmp_path):
    return CohortSpec.read(tiny_spec(tmp_path)).resolve(tiny_index(tmp_path))


def test_a_revision_is_added_to_the_lineage_of_its_base(cohort):
    facts = {
        "cohort": cohort,
        "date": "2026-11-26",
        "kept_out": {"images": 3, "later_images": 1},
        "digests": dict.fromkeys(("manifest", "members", "base_weights", "weights"), DIGEST),
    }
    first = lineage_after(None, versions=("0.1.0", "0.2.0"), verdict=None, **facts)
    second = lineage_after(first, versions=("0.2.0", "0.3.0"), verdict="equivalent", **facts)
    assert second.revisions[0] == first.revisions[0]
    entry = second.revisions[1]
    assert (entry.cohort, entry.reason, entry.scope) == ("retire-old", "device_deprecation", "image")
    assert entry.images.model_dump() == {"forget": 24, "remain": 24, "undetermined": 0}
    assert entry.patients.model_dump() == {"forget": 12, "remain": 12, "undetermined": 0}
    assert (entry.verdict, entry.spec_digest) == ("equivalent", cohort.spec.digest)
    assert entry.forgotten_earlier.later_images == 1
    with pytest.raises(ConfigError, match="has a version 0.3.0 already"):
        lineage_after(second, versions=("0.2.0", "0.3.0"), verdict=None, **facts)
