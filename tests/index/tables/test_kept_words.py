from __future__ import annotations

import json

import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.errors import IndexReadError
from monai_unlearn.index import Index
from monai_unlearn.index.tables.kept_words import KeptWords, missing_lines

ROWS = {
    "id": ["a.png", "b.png", "c.png", "d.png", "e.png"],
    "grade": ["None", "mild", "NA", " none ", None],
    "site": ["NA", "N/A", "EU", "US", ""],
    "thick": ["1", "None", "2", "3", ""],
}


def test_words_are_kept_in_one_column_or_in_all():
    kept = KeptWords.parse(["grade=None", "grade = NA", "null"])
    assert (kept.of("grade"), kept.of("site")) == ({"none", "na", "null"}, {"null"})
    assert KeptWords.parse(["device=NA"]).renamed({"scanner": "device"}).of("scanner") == {"na"}


@pytest.mark.parametrize("text", ["mild", "grade=mild", "grade=", "="])
def test_only_words_that_would_be_missing_can_be_kept(text):
    with pytest.raises(IndexReadError, match="expected a word that tables read as missing, such as None, NA or NULL"):
        KeptWords.parse([text])


def test_a_column_that_no_table_has_is_named():
    with pytest.raises(IndexReadError, match=r"no table has the column 'grad'\. Did you mean 'grade'"):
        KeptWords.parse(["grad=None"]).check(["grade", "site"])


def test_the_words_of_each_column_are_told():
    (line,) = missing_lines({"grade": {"None": 2, "NA": 1}})
    assert line.startswith(
        "grade: “None” in 2 rows, “NA” in 1 row read as missing; a word that is a value is kept with"
    )
    assert line.endswith(" --keep-word grade=None")


@pytest.fixture(params=["csv", "parquet"])
def table(request, tmp_path):
    path = tmp_path / f"t.{request.param}"
    frame = pd.DataFrame(ROWS)
    frame.to_csv(path, index=False) if request.param == "csv" else frame.to_parquet(path)
    return path


def _from_table(table, *options):
    return ("index", "from-table", table, "--id", "id", *options)


def _build(table, *options):
    images = table.parent / "images"
    images.mkdir()
    for name in ROWS["id"]:
        Image.new("L", (4, 4), ord(name[0])).save(images / name)
    return ("index", "build", images, "--table", table, "--key", "id", *options)


@pytest.mark.parametrize("command", [_from_table, _build])
def test_a_kept_word_is_a_value_in_its_column_alone(table, command):
    words = command(
        table, "--keep-word", "grade=None", "--keep-word", "grade=na", "--out", table.parent / "i", "--json"
    )
    done = CliRunner().invoke(app, list(map(str, words)))
    assert done.exit_code == 0, done.output
    frame = Index.open(table.parent / "i").frame().sort_values("id" if command is _build else "image_id")
    assert frame["grade"].fillna("-").tolist() == ["None", "mild", "NA", "none", "-"]
    assert frame["site"].fillna("-").tolist() == ["-", "-", "EU", "US", "-"]
    report = json.loads(done.stdout)
    report = report["tables"][0] if command is _build else report
    assert report["read_as_missing"] == {"site": 2, "thick": 1}
    assert report["words_read_as_missing"] == {"site": {"N/A": 1, "NA": 1}, "thick": {"None": 1}}


def test_a_column_is_named_as_in_the_index_or_in_the_table(table):
    for number, name in enumerate(("grade", "severity")):
        options = ("--rename", "severity=grade", "--keep-word", f"{name}=None", "--out", table.parent / f"i{number}")
        done = CliRunner().invoke(app, list(map(str, _from_table(table, *options))))
        assert done.exit_code == 0, done.output
        assert "severity: “NA” in 1 row read as missing" in done.stdout
    refused = CliRunner().invoke(app, list(map(str, _from_table(table, "--keep-word", "x=None", "--out", "y"))))
    assert (refused.exit_code, "no table has the column 'x'" in refused.stderr) == (2, True)
