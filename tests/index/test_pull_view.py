"""What people see of a pull."""

from __future__ import annotations

from dicom_json import images_of
from fake_archive import FakeArchive
from pulls import pulled

from monai_unlearn.index import pull_view


def test_a_pull_as_lines(tmp_path, capsys):
    archive = FakeArchive(images_of(2))
    pull_view.render(pulled(tmp_path / "index", archive))
    shown = capsys.readouterr().out
    assert "archive  https://pacs/dicom-web: 2 studies read, 0 resumed, 0 reused, 0 vanished" in shown
    assert "looked   all studies were listed" in shown
    assert "traffic  2 requests, 0.0 MB" in shown
    assert "another patient" not in shown
    archive.images[0]["00100020"]["Value"] = ["OTHER"]
    pull_view.render(pulled(tmp_path / "index", archive))
    assert "1 image has another patient than at the last pull" in capsys.readouterr().out
