from __future__ import annotations

import pytest

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.errors import DataError, SpecError
from monai_unlearn.watch.mailbox import Letter
from monai_unlearn.watch.requests import (
    SPEC,
    Reading,
    combine,
    files_named,
    identifier_of,
    write_request,
)


def written(folder, name, content, *, beside=None, **reading):
    letter = Letter(name=name, content=content.encode(), owner=0, others_write=False)
    files = beside or {}
    write_request(folder, letter, name="ab12", reading=Reading(**reading), beside=lambda file: files[file])
    return CohortSpec.read(folder / SPEC)


@pytest.mark.parametrize(
    ("name", "content", "reading"),
    [
        ("a.txt", "0012\n# a remark\nP 2\n", {}),
        ("a.csv", "when,PatientID\n2026,0012\n2026,P 2\n", {}),
        ("a.csv", "mrn\n0012\nP 2\n", {}),
        ("a.tsv", "x\tmrn\n1\t0012\n2\tP 2\n", {"column": "mrn"}),
    ],
)
def test_a_list_becomes_a_spec(tmp_path, name, content, reading):
    spec = written(tmp_path, name, content, **reading)
    assert spec.value_sets == {"withdrawn_ab12": ("0012", "P 2")}
    assert (spec.reason.value, spec.scope.value, str(spec.forget)) == (
        "consent_withdrawal",
        "patient",
        "patient in @withdrawn_ab12",
    )


def test_a_table_without_the_column(tmp_path):
    with pytest.raises(DataError, match="expected one column, or one called PatientID or .*--column"):
        written(tmp_path, "a.csv", "a,b\n1,2\n")
    with pytest.raises(DataError, match="expected a column 'mrn' in the table, found 2 others"):
        written(tmp_path, "a.csv", "a,b\n1,2\n", column="mrn")
    with pytest.raises(DataError, match="expected UTF-8"):
        letter = Letter(name="a.csv", content=b"\xff\xfe", owner=0, others_write=False)
        write_request(tmp_path, letter, name="ab12", reading=Reading(), beside=lambda _: b"")


def spec_text(rule="patient in @gone", more="", values="[a, b]"):
    sets = f"value_sets: {{gone: {values}}}\n" if values else ""
    return f"schema_version: 1\nname: out\nreason: consent_withdrawal\nscope: patient\nforget: {rule}\n{sets}{more}"


def test_a_spec_is_kept_as_it_is_with_its_lists(tmp_path):
    text = spec_text(values="{file: gone.list}")
    assert written(tmp_path, "s.yaml", text, beside={"gone.list": b"0012\n"}).value_sets == {"gone": ("0012",)}
    assert (tmp_path / SPEC).read_text(encoding="utf-8") == text


@pytest.mark.parametrize("file", ["gone.txt", "gone.csv", "gone.list.tsv", "gone"])
def test_a_spec_reads_no_list_that_is_a_request_too(tmp_path, file):
    with pytest.raises(DataError, match=r"whose names end in \.list, which are never taken for withdrawals"):
        written(tmp_path, "s.yaml", spec_text(values=f"{{file: {file}, column: mrn}}"), beside={file: b"mrn\n0012\n"})


def test_files_that_a_spec_names():
    text = spec_text(values="{file: gone.txt, absent: none.txt}", more="absent: {file: known.csv, column: a}\n")
    assert files_named(text.encode()) == {"gone.txt", "none.txt", "known.csv"}
    assert files_named(b"name: x") == files_named(b"[1]") == files_named(spec_text().encode()) == set()
    with pytest.raises(SpecError, match="spec"):
        files_named(b"a: [")


def test_the_same_content_is_the_same_request():
    assert identifier_of("spec", b"a") == identifier_of("spec", b"a") != identifier_of("withdrawals", b"a")


def test_specs_are_joined(tmp_path):
    first = CohortSpec.parse(spec_text(values="[a]").replace("gone", "first"))
    second = CohortSpec.parse(spec_text(rule="{any: [patient in @gone, device == Old]}"))
    joined = CohortSpec.read(combine(second, [first], tmp_path, name="joined"))
    assert str(joined.forget) == "patient in @first or patient in @gone or ManufacturerModelName == Old" or (
        str(joined.forget).count(" or ") == 2
    )
    assert joined.value_sets == {"first": ("a",), "gone": ("a", "b")}
    assert (joined.scope.value, joined.reason.value) == ("patient", "consent_withdrawal")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (spec_text(more="population: device == New\n"), "it has population, which cannot be shared"),
        (spec_text(more="sample: {fraction: 0.5}\n"), "it has sample, which cannot be shared"),
        (spec_text().replace("scope: patient", "scope: image"), "it differs in scope"),
        (spec_text(values="[c]"), "the value set 'gone' has other values in an earlier request"),
    ],
)
def test_specs_that_cannot_be_joined(tmp_path, text, why):
    with pytest.raises(DataError, match=why):
        combine(CohortSpec.parse(text), [CohortSpec.parse(spec_text())], tmp_path, name="joined")
