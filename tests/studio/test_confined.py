from __future__ import annotations

import pytest

from monai_unlearn.errors import InputError
from monai_unlearn.studio.confined import inside

ELSEWHERE = (
    "..", ".", "", "/etc/passwd", "../secret.yaml", "a/b.yaml", "a\\b.yaml", "a\x00.yaml", ".hidden", "a..yaml",
    "C:x", "%2e%2e", "a.yaml/", "~", "a\n.yaml", "ä.yaml", "-rf", "a" * 300,
)  # fmt: skip


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="expected a name of letters"):
        inside(tmp_path, name)


def test_a_link_that_leads_elsewhere_is_refused(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "secret.yaml").write_text("x")
    (folder / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    with pytest.raises(InputError, match="a link that leads elsewhere"):
        inside(folder, "link.yaml")


@pytest.mark.parametrize("name", ["a", "retire-old.yaml", "Some_1-2"])
def test_a_plain_name_is_a_path_in_the_folder(tmp_path, name):
    assert inside(tmp_path, name) == tmp_path / name
