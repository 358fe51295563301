from __future__ import annotations

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.locks import locked

REFUSAL = ConfigError("another run is there")


def test_a_second_one_is_refused_and_the_file_goes_with_the_lock(tmp_path):
    path = tmp_path / "folder" / "lock"
    with locked(path, refusal=REFUSAL):
        assert path.is_file()
        with pytest.raises(ConfigError, match="another run is there"), locked(path, refusal=REFUSAL):
            pass
        assert path.is_file()
    assert list(path.parent.iterdir()) == []
    with locked(path, refusal=REFUSAL):
        pass


def test_an_error_gives_it_back(tmp_path):
    with pytest.raises(ValueError, match="within"), locked(tmp_path / "lock", refusal=REFUSAL):
        raise ValueError("within")
    with locked(tmp_path / "lock", refusal=REFUSAL):
        pass
