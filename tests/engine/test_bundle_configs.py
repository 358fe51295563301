from __future__ import annotations

from monai_unlearn.engine.bundle_configs import bundle_configs


def test_every_config_that_can_be_read_in_the_order_of_names(tmp_path):
    (tmp_path / "b.yaml").write_text("two: $1 +", encoding="utf-8")
    (tmp_path / "a.json").write_text('{"one": 1}', encoding="utf-8")
    (tmp_path / "c.json").write_text("not JSON", encoding="utf-8")
    (tmp_path / "d.yaml").write_text("[1, 2]", encoding="utf-8")
    (tmp_path / "logging.conf").write_text("three = 3", encoding="utf-8")
    assert list(bundle_configs(tmp_path)) == [{"one": 1}, {"two": "$1 +"}]
    assert list(bundle_configs(tmp_path / "none")) == []
