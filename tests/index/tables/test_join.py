from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pyarrow as pa
import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.store.pandas_types import PANDAS_TYPES
from monai_unlearn.index.tables.join import Joiner
from monai_unlearn.index.tables.key import Key, pair_keys
from monai_unlearn.vocabulary.fields import Kind

KINDS = {"image_id": Kind.TEXT, "path": Kind.TEXT, "patient": Kind.TEXT, "fault": Kind.TEXT, "Rows": Kind.NUMBER}
FRAME = pd.DataFrame(
    {
        "image_id": ["1.2.3.1", "1.2.3.2", "1.2.3.3"],
        "path": ["/d/a/1.jpg", "/d/a/2.jpg", "/d/b/3.jpg"],
        "relative": ["a/1.jpg", "a/2.jpg", "b/3.jpg"],
        "patient": ["p", "p", None],
        "fault": [None, "missing_patient_id", "truncated"],
        "Rows": [1.0, 2.0, 3.0],
    },
).astype(dict.fromkeys(("image_id", "path", "relative", "patient", "fault"), "string"))


def join_tables(frame, keys, kinds):
    """Join row by row, as if each were a batch of its own; what comes out looks like all of it."""
    joiner = Joiner(keys, kinds)
    rows = pa.Table.from_pandas(frame, preserve_index=False)
    batches = [joiner.add(rows.slice(at, 1), next(iter(joiner.kinds), None)) for at in range(len(frame))]
    joined = pa.concat_tables([batch for batch, _ in batches]).to_pandas(types_mapper=PANDAS_TYPES.get)
    texts = [text.to_pylist()[0] for _, text in batches]
    return SimpleNamespace(
        frame=joined, kinds=joiner.kinds, origins=joiner.origins, matches=joiner.matches(), texts=texts
    )


@pytest.fixture
def join(tmp_path):
    def run(text: str, key: str, frame: pd.DataFrame = FRAME):
        path = tmp_path / "t.csv"
        path.write_text(text, encoding="utf-8")
        return join_tables(frame, [Key.parse(path, key)], KINDS)

    return run


@pytest.mark.parametrize(
    ("key", "cells", "field"),
    [
        ("k", ["1.jpg", "2.jpg", "3.jpg"], "file_name"),
        ("k", ["1.2.3.1", "1.2.3.2", "1.2.3.3"], "image_id"),
        ("k=SOPInstanceUID", ["1.2.3.1", "1.2.3.2", "1.2.3.3"], "image_id"),
        ("k=file_stem", ["1", "2", "3"], "file_stem"),
        ("k=path", ["a/1.jpg", "a/2.jpg", "b/3.jpg"], "path"),
        ("k=path", ["/d/a/1.jpg", "/d/a/2.jpg", "/d/b/3.jpg"], "path"),
    ],
)
def test_key_is_matched_with_its_field(key, cells, field, join):
    joined = join("k,n\n" + "".join(f"{cell},{number}\n" for number, cell in enumerate(cells)), key)
    assert joined.frame["n"].tolist() == [0, 1, 2]
    assert joined.kinds["n"] is Kind.NUMBER
    assert joined.origins["n"] == "table:t.csv"
    (match,) = joined.matches
    assert (match.field, match.rows, match.matched_rows, match.images_with_row) == (field, 3, 3, 2)


def test_row_of_a_patient_belongs_to_each_of_their_images(join):
    joined = join("k,site\np,north\nq,south\n", "k=PatientID")
    assert joined.frame["site"].tolist() == ["north", "north", pd.NA]
    assert joined.frame["k"].tolist() == ["p", "p", pd.NA]


def test_unmatched_rows_and_images_are_reported_by_number_not_value(join):
    rows = "".join(f"secret{number}.jpg,0\n" for number in range(7))
    (match,) = join("k,n\n1.jpg,1\n,2\n" + rows, "k").matches
    assert (match.unmatched_rows, match.unmatched_row_numbers) == (8, (2, 3, 4, 5, 6))
    assert (match.images_with_row, match.images_without_row) == (1, 1)
    assert "secret" not in str(match.document())


def test_key_becomes_a_column_only_if_it_is_new(join):
    assert "k" in join("k,n\n1.jpg,1\n", "k").kinds
    assert "k" not in join("k,n\n1.2.3.1,1\n", "k").kinds
    assert "path" not in join("path,n\na/1.jpg,1\n", "path=path").kinds
    assert join("Path,n\n1.jpg,1\n", "Path").frame["path"].tolist() == FRAME["path"].tolist()


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("key,n\n1.jpg,1\n", "kye", "t.csv: the table has no column 'kye'. Did you mean 'key'"),
        ("k,n\n1.jpg,1\n", "k=patiant", "no text field of that name. Did you mean 'patient'"),
        ("k,n\n1,1\n", "k=Rows", "no text field of that name. Only text can be matched"),
        ("k,n\n9.jpg,1\n", "k", "none of the 1 keys of column 'k' is the file_name of an image"),
        ("k,n\n1.jpg,1\n2.jpg,2\n1.jpg,3\n", "k", "got 2 rows that share one: rows 1, 3 "),
        ("k,n\n" + "1.jpg,1\n" * 6, "k", "rows 1, 2, 3, 4, 5, …"),
        ("k,rows\n1.jpg,1\n", "k", "already has a column named 'Rows'. Rename the column 'rows' in the table"),
        ("k,PatientID\n1.jpg,1\n", "k", "already has a column named 'PatientID'"),
        ("k,relative\n1.jpg,1\n", "k", "already has a column named 'relative'"),
        ("k,n,N\n1.jpg,1,2\n", "k", "already has a column named 'n'. Rename the column 'N' in the table"),
    ],
)
def test_table_that_does_not_fit_is_an_error(text, key, message, join):
    with pytest.raises(IndexReadError, match=message):
        join(text, key)


def test_names_that_two_images_share_are_refused_only_if_they_are_matched(join):
    shared = FRAME.assign(path=pd.array(["/d/a/1.jpg", "/d/b/1.jpg", "/d/c/1.jpg"], dtype="string"))
    with pytest.raises(IndexReadError, match=r"2 images share their file_name .* first is /d/a/1.jpg.*COLUMN=path"):
        join("k,n\n1.jpg,1\n", "k", shared)
    sound = FRAME.assign(path=pd.array(["/d/a/1.jpg", "/d/b/2.jpg", "/d/c/1.jpg"], dtype="string"))
    assert join("k,n\n1.jpg,1\n", "k", sound).matches[0].matched_rows == 1


def test_stem_of_a_gzipped_nifti_file_has_no_suffix(join):
    frame = FRAME.assign(path=pd.array(["/d/a/1.nii.gz", "/d/a/2.NII.GZ", "/d/b/3.gz"], dtype="string"))
    assert join("k,n\n1,1\n2,2\n3,3\n", "k=file_stem", frame).frame["n"].tolist() == [1, 2, 3]


def test_two_tables_are_joined_and_must_not_share_columns(tmp_path):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("k,n\n1.jpg,1\n", encoding="utf-8")
    second.write_text("patient,site\np,north\n", encoding="utf-8")
    keys = pair_keys([first, second], ["k", "patient=patient"])
    joined = join_tables(FRAME, keys, KINDS)
    assert list(joined.kinds) == ["k", "n", "site"]
    assert join_tables(FRAME, keys[:1], KINDS).texts == ["1.jpg", None, None]
    second.write_text("patient,n\np,1\n", encoding="utf-8")
    with pytest.raises(IndexReadError, match=r"b.csv: the index already has a column named 'n'"):
        join_tables(FRAME, keys, KINDS)


def test_words_for_a_missing_value_are_counted_in_the_columns_that_are_joined(join):
    found = join("file,label,n\n1.jpg,None,1\n2.jpg,x,N/A\n3.jpg,NULL,\n", "file")
    assert found.matches[0].document()["read_as_missing"] == {"label": 2, "n": 1}
    assert found.frame["label"].fillna("").tolist() == ["", "x", ""]
