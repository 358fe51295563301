from __future__ import annotations

import pytest

from monai_unlearn.data import LoadImage2Dd
from monai_unlearn.data.named_by_id import named_by_id
from monai_unlearn.data.slices import LoadMRd
from monai_unlearn.errors import ConfigError, DataError


@pytest.mark.parametrize("transform", [LoadImage2Dd(keys="image"), LoadMRd(keys="image")])
def test_an_image_of_an_index_is_named_by_its_identifier(transform, tmp_path):
    path = tmp_path / "MARK^JANE.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(
        DataError, match=r"^image 1\.2\.3: .* Its path is in the index, in the column path\.$"
    ) as caught:
        transform({"image": str(path), "image_id": "1.2.3"})
    assert "MARK" not in str(caught.value)
    assert caught.value.__suppress_context__
    with pytest.raises(DataError, match=r"MARK\^JANE\.png"):
        transform({"image": str(path)})


def test_other_errors_pass():
    with pytest.raises(ConfigError, match="^MARK$"), named_by_id({"image_id": "1"}, "MARK"):
        raise ConfigError("MARK")
