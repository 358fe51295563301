from __future__ import annotations

import json

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.earlier_table import earlier_table, put_aside

FILES = ("compare.csv", "compare.html", "compare.json", "compare.md", "gaps-camera-10.svg")


def table(out, runs):
    row = {"cohort": "camera", "budget": 0.1, "method": "reset", "status": "finished"}
    document = {"compared": {"runs": runs, "cohorts": {"camera": "camera-1"}}, "rows": [row]}
    out.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (out / name).write_text(json.dumps(document) if name == "compare.json" else runs, encoding="utf-8")
    return document


def test_one_goes_on_with_the_table_of_the_same_settings(tmp_path):
    assert earlier_table(tmp_path, identity="aa") == (None, False)
    one = table(tmp_path, "aa")
    assert earlier_table(tmp_path, identity="aa") == (one, False)
    assert earlier_table(tmp_path, identity="bb") == (None, True)


def test_a_table_of_other_settings_is_put_aside_whole_and_found_again(tmp_path):
    (tmp_path / "cohorts").mkdir()
    one = table(tmp_path, "aa")
    put_aside(tmp_path)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["cohorts", "earlier"]
    assert tuple(sorted(path.name for path in (tmp_path / "earlier" / "aa").iterdir())) == FILES
    table(tmp_path, "bb")
    assert earlier_table(tmp_path, identity="aa") == (one, True)
    put_aside(tmp_path)
    later = table(tmp_path, "aa")
    later["rows"].append({**later["rows"][0], "method": "psg"})
    (tmp_path / "compare.json").write_text(json.dumps(later), encoding="utf-8")
    put_aside(tmp_path)  # with what the earlier one had, and more
    assert earlier_table(tmp_path, identity="aa")[0] == later
    put_aside(tmp_path)  # nothing is there
    assert sorted(path.name for path in (tmp_path / "earlier").iterdir()) == ["aa", "bb"]


@pytest.mark.parametrize(
    "text",
    [
        '{"rows": [',
        "[]",
        "{}",
        '{"compared": {"runs": "../..", "cohorts": {}}, "rows": []}',
        '{"compared": {"runs": 1, "cohorts": {}}, "rows": []}',
        '{"compared": {"runs": "aa", "cohorts": []}, "rows": []}',
        '{"compared": {"runs": "aa", "cohorts": {}}, "rows": [{}]}',
        '{"compared": {"runs": "aa", "cohorts": {}}, "rows": [1]}',
    ],
)
def test_what_no_comparison_wrote_is_refused_and_stays(tmp_path, text):
    (tmp_path / "compare.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"compare.json: expected what an earlier comparison wrote.* Move it away"):
        earlier_table(tmp_path, identity="aa")
    with pytest.raises(ConfigError, match="expected what an earlier comparison wrote"):
        put_aside(tmp_path)
    assert (tmp_path / "compare.json").read_text(encoding="utf-8") == text
