from __future__ import annotations

from cohort_index import make_index, make_spec

from monai_unlearn.vocabulary.fields import Kind

KINDS = {"device": Kind.TEXT, "remark": Kind.TEXT}
COLUMNS = {"device": ["old", "old", "new"], "remark": ["MARK", "b", "c"]}


def test_attrition_and_spec_say_the_same_without_values(tmp_path):
    index = make_index(tmp_path / "index", COLUMNS, KINDS)
    spec = make_spec("[device == old, remark != MARK]", "population: remark in [b, c, MARK]\nscope: patient\n")
    found = spec.resolve(index).passed_on
    rules = [row["rule"] for row in found.attrition]
    hidden = "remark in [… 3 values]"
    expected = ["readable images", f"population: {hidden}", "device == old", "remark != …", "scope: patient"]
    assert rules == expected
    assert found.spec["rules"] == ["device == old", "remark != …"]
    assert found.spec["content"]["population"] == hidden
    assert (found.spec["digest"], found.spec["whole"]) == (spec.digest, False)
    assert found.english["population"] == {"text": "remark is one of 3 values not shown", "parts": []}
    told = [part["text"] for part in found.english["forget"]["parts"]]
    assert told == ["device is “old”", "remark is compared with a value that is not shown"]
    assert [row["images_out"] for row in found.attrition] == [row.images_out for row in spec.resolve(index).attrition]


def test_what_hides_nothing_is_whole(tmp_path):
    spec = make_spec("device == old", "sample: {count: 1}\nwhy: because\n")
    found = spec.resolve(make_index(tmp_path / "index", COLUMNS, KINDS)).passed_on
    assert found.spec["whole"] is True
    assert found.spec["content"] == spec.to_dict()
