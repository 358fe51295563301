from __future__ import annotations

import os

from monai_unlearn.release.sums import sums_of
from monai_unlearn.release.verify.files import compare_files


def lines(root, digests, **options):
    return [fault.line for fault in compare_files(root, digests, source="S", **options)]


def test_faults_have_digests_of_both_sides(tmp_path):
    for name in "abc":
        (tmp_path / name).write_text(name)
    digests = sums_of(tmp_path)
    assert not lines(tmp_path, digests)
    (tmp_path / "a").write_text("x")
    (tmp_path / "b").unlink()
    (tmp_path / "d").write_text("x")
    x = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    assert lines(tmp_path, digests) == [
        f"a: has sha256 {x}; S says {digests['a']}.",
        f"b: is missing; S has it with sha256 {digests['b']}.",
        f"d: is not part of the release (sha256 {x}); S does not list it.",
    ]
    assert not any("d:" in line for line in lines(tmp_path, digests, beside=["d"]))


def test_links_and_pipes(tmp_path):
    (tmp_path / "a").write_text("a")
    digests = {**sums_of(tmp_path), "pipe": "0" * 64}
    (tmp_path / "link").symlink_to("a")
    os.mkfifo(tmp_path / "pipe")
    assert lines(tmp_path, digests) == [
        f"pipe: cannot be read; S says {'0' * 64}.",
        "link: is not part of the release (a link); S does not list it.",
    ]
