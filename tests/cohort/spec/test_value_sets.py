from __future__ import annotations

import os

import pytest
from cohort_index import HEAD, make_index

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.cohort.spec.value_sets import MAX_BYTES
from monai_unlearn.errors import SpecError
from monai_unlearn.vocabulary.fields import Kind


def _read(folder, value_sets):
    path = folder / "spec.yaml"
    path.write_text(f"{HEAD}forget: device in @names\nvalue_sets:\n  names: {value_sets}\n", encoding="utf-8")
    return CohortSpec.read(path)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("[b, a, b]", ("a", "b")),
        ("x", ("x",)),
        ("3", ("3",)),
        # As they are spelled: these may be identifiers.
        ("[1.10, 007, 2018-01-01, '08']", ("007", "08", "1.10", "2018-01-01")),
    ],
)
def test_values_keep_their_spelling(tmp_path, text, values):
    assert _read(tmp_path, text).value_sets == {"names": values}


def test_a_text_file_has_one_value_per_line(tmp_path):
    (tmp_path / "names.txt").write_bytes("\ufeff# withdrawn\n\nb\r\n  a \n".encode())
    assert _read(tmp_path, "{file: names.txt}").value_sets == {"names": ("a", "b")}


def test_only_a_hash_and_a_space_make_a_comment(tmp_path):
    (tmp_path / "names.txt").write_text("# old\n#\n## more\n#17\n#A-1 # no comment\n")
    assert _read(tmp_path, "{file: names.txt}").value_sets == {"names": ("#17", "#A-1 # no comment")}


def test_a_csv_has_a_column_of_values(tmp_path):
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "names.csv").write_bytes(b'\xef\xbb\xbfid, name \r\n1,"x, y"\r\n\r\n2,z \r\n,\r\n')
    assert _read(tmp_path, "{file: lists/names.csv, column: name}").value_sets == {"names": ("x, y", "z")}


def test_the_digest_covers_the_values_of_a_file(tmp_path):
    (tmp_path / "names.txt").write_text("a\n")
    before = _read(tmp_path, "{file: names.txt}")
    assert before.digest == _read(tmp_path, "[a]").digest
    (tmp_path / "names.txt").write_text("a\nb\n")
    assert before.digest != _read(tmp_path, "{file: names.txt}").digest


def test_value_sets_are_used_in_queries(tmp_path):
    index = make_index(tmp_path / "index", {"device": ["a", "c", None]}, {"device": Kind.TEXT})
    cohort = _read(tmp_path, "[a, b]").resolve(index)
    assert cohort.image_ids == {"forget": ["i00"], "remain": ["i01"], "undetermined": ["i02"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{file: ../names.txt}", "a path that leads elsewhere"),
        ("{file: /etc/passwd}", "a path that leads elsewhere"),
        ("{file: 'C:\\names.txt'}", "a path that leads elsewhere"),
        ("{file: link.txt}", "a link that leads elsewhere"),
        ("{file: none.txt}", "found no none.txt"),
        ("{file: folder}", "got something else at folder"),
        ("{file: fifo}", "got something else at fifo"),
        ("{file: empty.txt}", "expected at least one value in empty.txt, found none"),
        (
            "{file: gaps.csv, column: name}",
            r"of 'name' in each row of gaps.csv, found none in 6 rows: 1, 3, 4, 5, 6, …",
        ),
        ("{file: semicolons.csv, column: name}", "has no column 'name'. Its columns are not separated by commas"),
        ("{file: latin.txt}", "expected UTF-8 in latin.txt"),
        ("{file: big.txt}", "expected at most 16 MiB in big.txt"),
        ("{file: names.csv, column: nam}", r"names.csv has no column 'nam'\. Did you mean 'name'\?"),
        ("{file: names.csv, column: patients}", r"no column 'patients'\. Its first line must name the columns\."),
        ("{file: broken.csv, column: name}", "broken.csv is not a well-formed CSV"),
        ("{file: names.csv}", r"names.csv is a table: name the column"),
        ("[a, '']", "an empty value or control characters for value 2"),
    ],
)
def test_a_value_set_that_cannot_be_read_is_one_fault(tmp_path, text, message):
    folder = tmp_path / "specs"
    (folder / "folder").mkdir(parents=True)
    (tmp_path / "names.txt").write_text("secret\n")
    (folder / "link.txt").symlink_to(tmp_path / "names.txt")
    os.mkfifo(folder / "fifo")
    (folder / "empty.txt").write_text("# none\n")
    (folder / "latin.txt").write_bytes(b"caf\xe9\n")
    (folder / "big.txt").write_bytes(b"x\n" * (MAX_BYTES // 2 + 1))
    (folder / "names.csv").write_text("name\na\n")
    (folder / "gaps.csv").write_text("id,name\n1,\n2,a\n3,\n4,\n5,\n6, \n,\n8,\n")
    (folder / "semicolons.csv").write_text("id;name\n1;a\n")
    (folder / "broken.csv").write_text('name\n"a\n')
    with pytest.raises(SpecError, match=message) as caught:
        _read(folder, text)
    assert "spec.yaml:6:3" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_spec_that_was_not_read_from_a_file_has_no_files_beside_it():
    with pytest.raises(SpecError, match="write the values into the spec"):
        CohortSpec.parse(f"{HEAD}forget: device in @x\nvalue_sets: {{x: {{file: names.txt}}}}\n")


def _absent(folder, more):
    path = folder / "spec.yaml"
    path.write_text(f"{HEAD}forget: device in @names\n{more}", encoding="utf-8")
    return CohortSpec.read(path).absent


@pytest.mark.parametrize(
    ("more", "absent"),
    [
        ("value_sets: {names: [a]}\nabsent: none.txt\n", {"*": ("007", "x")}),
        ("value_sets: {names: [a]}\nabsent: [08, b]\n", {"*": ("08", "b")}),
        ("value_sets: {names: [a]}\nabsent: {file: none.csv, column: id}\n", {"*": ("9",)}),
        ("value_sets: {names: {file: none.txt, absent: [007]}}\n", {"names": ("007",)}),
        (
            "value_sets: {names: {values: [1, 2], absent: none.txt}}\nabsent: empty.txt",
            {"names": ("007", "x"), "*": ()},
        ),
        ("value_sets: {names: {values: [1.10]}}\n", {}),
    ],
)
def test_values_that_are_known_to_be_absent_are_read_like_values(tmp_path, more, absent):
    (tmp_path / "none.txt").write_text("# asked the archive in May\nx\n007\n")
    (tmp_path / "none.csv").write_text("id,when\n9,May\n")
    (tmp_path / "empty.txt").write_text("# nobody yet\n")
    assert _absent(tmp_path, more) == absent


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("value_sets: {names: [a]}\nabsent: gone.txt\n", "spec.yaml:6.*found no gone.txt"),
        ("value_sets: {names: {values: [a], absent: ../x}}\n", "spec.yaml:5.*a path that leads elsewhere"),
        ("value_sets: {names: {values: [a], file: b}}\n", "expected exactly one of 'file' and 'values'"),
        ("value_sets: {names: {absent: b}}\n", "expected exactly one of 'file' and 'values'"),
        ("value_sets: {names: {values: [a], column: b}}\n", "expected 'file' beside 'column'"),
        ("value_sets: {names: {values: []}}\n", "expected at least one value"),
        (
            "value_sets: {names: [a]}\nabsent: {fil: x}\n",
            "unknown key 'fil'. Did you mean 'file'. The keys here are: file",
        ),
        (
            "value_sets: {names: {values: [a], absent: {fle: x}}}\n",
            "unknown key 'fle'. Did you mean 'file'. The keys here are: file, column",
        ),
    ],
)
def test_a_list_of_absent_values_that_cannot_be_read_is_a_fault(tmp_path, more, message):
    with pytest.raises(SpecError, match=f"(?s){message}"):
        _absent(tmp_path, more)
