from __future__ import annotations

import pytest

from monai_unlearn.errors import ConfigError, ExitCode
from monai_unlearn.release.travels import check_travels, say_that_it_travels
from monai_unlearn.vocabulary.run_folder import TRAVELS


@pytest.fixture
def base(tmp_path):
    root = tmp_path / "bundle"
    (root / "configs").mkdir(parents=True)
    return root


@pytest.mark.parametrize("place", ["out", "deep/er/out", "../bundle/out", "models/out"])
def test_results_within_the_bundle_are_refused(place, base):
    with pytest.raises(ConfigError, match="lies within the bundle .* Give a folder outside the bundle") as caught:
        check_travels(base, base / place)
    assert caught.value.exit_code == ExitCode.BAD_INPUT == 2


def test_results_through_a_link_into_the_bundle_are_refused(base, tmp_path):
    (tmp_path / "link").symlink_to(base)
    with pytest.raises(ConfigError, match="lies within the bundle"):
        check_travels(base, tmp_path / "link" / "out")


@pytest.mark.parametrize(
    "files",
    [
        ["out/evidence/cohort_members.parquet"],
        ["cohort_members.parquet"],
        ["a/b/predictions.parquet"],
        ["docs/lineage_members.parquet"],
        ["docs/lineage.key"],
        ["index/index.json", "index/parts/part-0.parquet"],
    ],
)
def test_what_names_people_within_the_bundle_is_refused(files, base, tmp_path):
    for name in files:
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_text("")
    with pytest.raises(ConfigError, match=r"names images or patients, but lies within the bundle .* Move it out"):
        check_travels(base, tmp_path / "out")


def test_what_is_not_copied_may_lie_in_the_bundle(base, tmp_path):
    for name in ("eval/predictions.parquet", ".hidden/cohort_members.parquet", "docs/index.json"):
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_text("")
    check_travels(base, tmp_path / "out")
    check_travels(base, tmp_path / "bundle-2")


def test_the_readme_says_so_once(tmp_path):
    say_that_it_travels(tmp_path)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert text.endswith(f"\n{TRAVELS}\n")
    say_that_it_travels(tmp_path)
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == text
    (tmp_path / "README.md").write_text("# Mine\n", encoding="utf-8")
    say_that_it_travels(tmp_path)
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == f"# Mine\n\n{TRAVELS}\n"
