from __future__ import annotations

import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.scan.workspace import Workspace


def test_two_runs_cannot_build_the_same_index(tmp_path):
    with (
        Workspace(tmp_path / "index", {}),
        pytest.raises(IndexReadError, match="another run is building this index"),
        Workspace(tmp_path / "index", {}),
    ):
        pytest.fail("two runs entered it")


@pytest.mark.parametrize("error", [None, KeyError("why")])
def test_run_that_read_little_leaves_nothing(error, tmp_path):
    with pytest.raises(KeyError) if error else Workspace(tmp_path / "index", {}), Workspace(tmp_path / "other", {}):
        if error:
            raise error
    assert list(tmp_path.iterdir()) == []
    with Workspace(tmp_path / "other", {}) as again:
        assert again.stage.is_dir()
