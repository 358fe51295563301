from __future__ import annotations

import datetime as dt

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.errors import IndexReadError
from monai_unlearn.index import Index
from monai_unlearn.index.tables.from_table import TableRequest, index_table, parse_renames
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.laterality import side_of

CSV = """\
SOPInstanceUID,PatientID,StudyInstanceUID,ManufacturerModelName,PatientAge,StudyDate,SliceThickness,site,visit,code
1.2.1,P1,1.5.1,Cirrus 800 FA,045Y,20180605,1.5,A,2020-01-01,007
1.2.2,P1,1.5.1, Cirrus 800 FA ,018M,2018-06-06,,B,2020-02-01,8
1.2.3,P2,1.5.2,Spectralis,***,20240231,nan,A,,9
1.2.4,,not a uid,Spectralis,,,"1,5",,2020-03-01,
"""


@pytest.fixture
def make(tmp_path):
    """Index a table of this text, or of this Arrow table."""

    def index(content: str | pa.Table, **options: object):
        if isinstance(content, str):
            path = tmp_path / "table.csv"
            path.write_text(content, encoding="utf-8")
        else:
            path = tmp_path / "table.parquet"
            pq.write_table(content, path)
        request = {"id_column": "SOPInstanceUID", "out": tmp_path / "index", **options}
        return index_table(TableRequest(table=path, **request))

    return index


def test_columns_named_after_keywords_are_read_as_such(make):
    report = make(CSV)
    frame = report.index.frame()
    assert frame["image_id"].tolist() == ["1.2.1", "1.2.2", "1.2.3", "1.2.4"]
    assert frame["patient"].fillna("-").tolist() == ["P1", "P1", "P2", "-"]
    assert frame["study"].fillna("-").tolist() == ["1.5.1", "1.5.1", "1.5.2", "-"]
    assert frame["ManufacturerModelName"].tolist() == ["Cirrus 800 FA"] * 2 + ["Spectralis"] * 2
    assert frame["PatientAge"].fillna(-1).tolist() == [45, 1.5, -1, -1]
    assert frame["StudyDate"].tolist() == [dt.date(2018, 6, 5), dt.date(2018, 6, 6), None, None]
    assert frame["SliceThickness"].fillna(-1).tolist() == [1.5, -1, -1, -1]
    assert frame["format"].unique().tolist() == ["table"]
    assert report.index.units == {"SliceThickness": "mm"}
    kinds = {name: report.index.columns[name] for name in ("site", "visit", "code", "StudyDate", "PatientAge")}
    assert kinds == {
        "site": Kind.TEXT,
        "visit": Kind.DATE,
        "code": Kind.TEXT,  # 007 is no number
        "StudyDate": Kind.DATE,
        "PatientAge": Kind.AGE,
    }


def test_invalid_value_is_a_fault_and_the_row_counts(make):
    report = make(CSV)
    assert report.index.frame()["fault"].fillna("-").tolist() == ["-", "-", "invalid_date", "missing_patient_id"]
    assert {fault.code: count for fault, count in report.faults.items()} == {
        "missing_patient_id": 1,
        "invalid_uid": 1,
        "invalid_date": 1,
        "invalid_age": 1,
        "invalid_number": 1,
    }
    assert (report.index.images, report.index.rows) == (4, 4)
    assert report.document()["faults"]["invalid_date"] == {"count": 1, "usable": True}


def test_several_numbers_are_read_as_those_of_a_file(make):
    frame = pd.DataFrame(
        {
            "SOPInstanceUID": ["1.1", "1.2", "1.3", "1.4"],
            "SliceThickness": [r"5\2.50\2.5", r"3.0\3", 1.5, r"2\thick"],
            "ImageType": [r"ORIGINAL\PRIMARY"] * 4,
        }
    )
    for content in (frame.to_csv(index=False), pa.Table.from_pandas(frame.astype(str))):
        rows = make(content).index.frame().astype(object).fillna("-")
        assert rows["SliceThickness"].tolist() == ["-", 3.0, 1.5, "-"]
        assert rows["several_values"].tolist() == ["SliceThickness=2.5/5.0", "-", "-", "-"]
        assert rows["faults"].tolist() == ["several_numbers", "-", "-", "invalid_number"]
        assert rows["invalid"].tolist() == ["-", "-", "-", "SliceThickness"]


def test_parquet_keeps_its_types(make):
    table = pa.table(
        {
            "uid": pa.array(["a", "b"], pa.large_string()),
            "PatientAge": pa.array([63, None], pa.int64()),
            "StudyDate": pa.array([dt.date(2020, 1, 2), None]),
            "Rows": pa.array(["512", "x"]),
            "taken": pa.array([pd.Timestamp(2020, 1, 2, 3, 4), None], pa.timestamp("ns")),
            "big": pa.array([2**60, 1], pa.int64()),
            "small": pa.array([1.5, float("nan")]),
            "flag": pa.array([True, None]),
            "site": pa.array(["x", "y"]).dictionary_encode(),
            "exact": pa.array([1, 2], pa.decimal128(5, 2)),
        }
    )
    index = make(table, id_column="uid").index
    assert {name: kind for name, kind in index.columns.items() if name in table.column_names} == {
        "PatientAge": Kind.AGE,
        "StudyDate": Kind.DATE,
        "Rows": Kind.NUMBER,
        "taken": Kind.DATETIME,
        "big": Kind.TEXT,
        "small": Kind.NUMBER,
        "flag": Kind.TEXT,
        "site": Kind.TEXT,
        "exact": Kind.NUMBER,
    }
    first, second = index.frame().to_dict("records")
    assert (first["PatientAge"], first["Rows"], first["big"], first["flag"]) == (63, 512, str(2**60), "true")
    assert first["taken"] == pd.Timestamp(2020, 1, 2, 3, 4)
    assert (second["fault"], pd.isna(second["Rows"]), pd.isna(second["small"])) == ("invalid_number", True, True)


def test_renamed_columns_are_read_by_their_new_names(make):
    text = "id,scanner,how_old,subject\na,Cirrus,045Y,S1\nb,Spectralis,070Y,S2\n"
    renames = parse_renames(["ManufacturerModelName=scanner", "PatientAge = how_old", "PatientID=subject"])
    index = make(text, id_column="id", rename=renames).index
    assert index.frame(["patient", "PatientAge"]).to_numpy().tolist() == [["S1", 45.0], ["S2", 70.0]]
    spec = CohortSpec.parse(
        "schema_version: 1\nname: test\nreason: other\nforget: device == Cirrus and age < 50\n", source="spec.yaml"
    )
    assert spec.resolve(Index.open(index.directory)).images == {"forget": 1, "remain": 1, "undetermined": 0}


def test_series_may_name_the_images(make):
    text = "SeriesInstanceUID,PatientID,path,label\n1.2,P1,/a/b,x\n1.3,P2,/a/c,y\n"
    index = make(text, id_column="SeriesInstanceUID").index
    frame = index.frame(["image_id", "series", "path", "label"])
    assert frame.to_numpy().tolist() == [["1.2", "1.2", "/a/b", "x"], ["1.3", "1.3", "/a/c", "y"]]
    assert index.label == "label"


def test_digest_is_of_the_content_and_a_second_run_replaces_the_first(make):
    text = "id,n\na,1\nb,2\n"
    first = make(text, id_column="id").index.digest
    assert make(text, id_column="id").index.digest == first
    assert make(text.replace("2", "3"), id_column="id").index.digest != first


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("id,n\na,1\n", {"id_column": "idd"}, "table has no column 'idd'. Did you mean 'id'"),
        ("id,n\na,1\n,2\n,3\n", {}, "to identify each image, got 2 rows without a value: rows 2, 3 "),
        ("id,n\na,1\nb,2\na,3\n", {}, "got 3 rows of 2 different values: rows 1, 3 "),
        ("id,n\n" + "a,1\n" * 9, {}, "rows 1, 2, 3, 4, 5, … "),
        ("id,n\n", {}, "expected a table with a header and rows, got no rows"),
        ("", {}, "got an empty file"),
        ("id,id\na,1\n", {}, "the header repeats the column 'id'"),
        ("id,N,n\na,1,2\n", {}, "the columns 'N' and 'n' differ only in upper and lower case"),
        ("id,fault\na,1\n", {}, "would be a second 'fault' in the index"),
        ("id,patient,PatientID\na,1,2\n", {}, "would be a second 'patient'"),
        ("id,n\na,1,7\n", {}, "not a well-formed CSV in line 2: expected 2 values as in the header, got 3"),
        ("id,n\na,1\n", {"rename": {"m": "x"}}, "--rename x=m: the table has no column 'm'"),
        ("id,n\na,1\n", {"label": "nn"}, "--label nn: the index has no such column. Did you mean 'n'"),
        ("id,PatientAge\na,2020-01-01\n", {}, "contains dates, but PatientAge is a number"),
    ],
)
def test_table_that_cannot_be_used_is_refused(text, options, message, make, tmp_path):
    with pytest.raises(IndexReadError, match=message.replace("(", r"\(")) as error:
        make(text, **{"id_column": "id", **options})
    assert "secret" not in str(error.value)
    assert not (tmp_path / "index").exists()


def test_messages_do_not_quote_a_row(make):
    with pytest.raises(IndexReadError, match="line 2: a quote that opens there is never closed") as error:
        make('id,n\nsecret,"1\nsecret,2,3\n', id_column="id")
    assert "secret" not in str(error.value)


def test_other_files_are_refused(tmp_path):
    out = tmp_path / "index"
    with pytest.raises(IndexReadError, match="this table is missing"):
        index_table(TableRequest(table=tmp_path / "absent.csv", id_column="id", out=out))
    (tmp_path / "words.parquet").write_bytes(b"words")
    with pytest.raises(IndexReadError, match="expected a well-formed Parquet file"):
        index_table(TableRequest(table=tmp_path / "words.parquet", id_column="id", out=out))
    (tmp_path / "bytes.csv").write_bytes(b"id,n\xff\na,1\n")
    with pytest.raises(IndexReadError, match="expected a table in UTF-8"):
        index_table(TableRequest(table=tmp_path / "bytes.csv", id_column="id", out=out))
    twins = pa.table([pa.array(["a"]), pa.array(["b"])], names=["id", "ID"])
    pq.write_table(twins, tmp_path / "twins.parquet")
    with pytest.raises(IndexReadError, match="columns 'id' and 'ID' differ"):
        index_table(TableRequest(table=tmp_path / "twins.parquet", id_column="id", out=out))
    pq.write_table(pa.table({"id": ["a"], "many": [[1]]}), tmp_path / "nested.parquet")
    with pytest.raises(IndexReadError, match="column 'many' has the type BIGINT"):
        index_table(TableRequest(table=tmp_path / "nested.parquet", id_column="id", out=out))


@pytest.mark.parametrize("text", ["a", "=b", "a=", "x=b"])
def test_renames_are_pairs(text):
    with pytest.raises(IndexReadError, match="expected NEW=OLD|is already renamed"):
        parse_renames(["a=b", text])


def test_tab_separated_table_and_large_text(tmp_path):
    path = tmp_path / "t.tsv"
    rows = "".join(f"i{number}\t{'x' * 200},{number % 7}\n" for number in range(5000))
    path.write_text("id\ttext\n" + rows, encoding="utf-8")
    index = index_table(TableRequest(table=path, id_column="id", out=tmp_path / "index")).index
    assert index.frame(["text"])["text"].nunique() == 7


def test_laterality_is_found_from_the_tags_of_a_table(tmp_path):
    rows = [
        ("R,,", "R", ""),
        (",OS,", "L", ""),
        ("Left eye,l,", "L", ""),
        ("B,,", "B", ""),
        ("U,,", "", ""),
        (",,", "", ""),
        ("R,L,", "", "contradicting_laterality"),
        (",,R\\L", "", "contradicting_laterality"),
        ("up,L,", "", "invalid_laterality"),
    ]
    path = tmp_path / "t.csv"
    lines = "".join(f"{number},{cells}\n" for number, (cells, *_) in enumerate(rows))
    path.write_text(f"id,ImageLaterality,Laterality,FrameLaterality\n{lines}", encoding="utf-8")
    index = index_table(TableRequest(table=path, id_column="id", out=tmp_path / "index")).index
    found = index.frame(["laterality", "fault"]).fillna("").to_numpy().tolist()
    assert found == [[side, fault] for _, side, fault in rows]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("id,laterality\na,OS\nb,right\nc,upper\nd,\n", ["L", "R", "", ""]),
        ("id,ImageLaterality,laterality\na,R,OD\nb,R,OS\n", ["R", ""]),
        ("id,ImageLaterality,laterality\na,R,0\nb,L,1\n", [0, 1]),
    ],
)
def test_own_column_of_sides_is_one_of_them(text, found, make):
    index = make(text, id_column="id").index
    sides = index.frame(["laterality"])["laterality"]
    assert ["" if pd.isna(side) else side for side in sides] == found


@pytest.mark.parametrize("word", ["OS", "o.d.", "Left-Eye", "BOTH", "u", "upper", "r\t", "LT"])
def test_words_mean_the_same_in_tables_and_files(word, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(f"id,Laterality\na,{word}\n", encoding="utf-8")
    index = index_table(TableRequest(table=path, id_column="id", out=tmp_path / "index")).index
    side = side_of(word)
    assert index.frame(["laterality"])["laterality"].fillna("").tolist() == [side if side in {"R", "L", "B"} else ""]


def test_whole_slides_of_a_table_say_so(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(
        "id,SOPClassUID,NumberOfFrames\na,1.2.840.10008.5.1.4.1.1.77.1.6,1200\nb,1.2.840.10008.5.1.4.1.1.2,1\n",
        encoding="utf-8",
    )
    index = index_table(TableRequest(table=path, id_column="id", out=tmp_path / "index")).index
    assert index.frame(["fault"])["fault"].fillna("").tolist() == ["whole_slide", ""]
    assert index.images == 2


def test_words_for_a_missing_value_are_null_and_counted(make):
    report = make(
        "id,StudyDate,PatientAge,Modality,thick,PatientID\n"
        "a,20150321,045Y,OCT,1.5,p1\n"
        "b,NULL,N/A,n/a,None,p2\n"
        "c,2015/03/22,046Y,null, NaN ,p3\n",
        id_column="id",
    )
    frame = report.index.frame()
    assert frame["StudyDate"].tolist() == [dt.date(2015, 3, 21), None, dt.date(2015, 3, 22)]
    assert frame["PatientAge"].fillna(-1).tolist() == [45, -1, 46]
    assert frame["Modality"].fillna("-").tolist() == ["OCT", "-", "-"]
    assert frame["thick"].fillna(-1).tolist() == [1.5, -1, -1]
    assert (report.faults, report.index.columns["thick"]) == ({}, Kind.NUMBER)
    assert report.document()["read_as_missing"] == {"StudyDate": 1, "PatientAge": 1, "Modality": 2, "thick": 2}


def test_dates_look_like_numbers_in_some_tables(make, tmp_path):
    dates = "id,StudyDate,AcquisitionDateTime,seen\na,20150321,20150321101112,20150321\nb,20150322.0,,20150322\n"
    of_text = make(dates, id_column="id").index.frame(["StudyDate", "AcquisitionDateTime", "seen"])
    days = [dt.date(2015, 3, 21), dt.date(2015, 3, 22)]
    assert of_text["StudyDate"].tolist() == of_text["seen"].tolist() == days
    assert of_text["AcquisitionDateTime"].iloc[0] == pd.Timestamp(2015, 3, 21, 10, 11, 12)
    numbers = pa.table({"id": ["a", "b"], "StudyDate": [20150321.0, 20150322.0]})
    of_numbers = make(numbers, id_column="id", out=tmp_path / "numbers").index.frame(["StudyDate"])
    assert of_numbers["StudyDate"].tolist() == days
