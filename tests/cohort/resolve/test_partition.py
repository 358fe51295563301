"""Which part an image belongs to: scope, unknown, population and sample, and what always holds of parts."""

from __future__ import annotations

import itertools

import pytest
from cohort_index import make_index, make_spec
from hypothesis import given
from hypothesis import strategies as st

from monai_unlearn.cohort.resolve.partition import partition
from monai_unlearn.errors import CohortError
from monai_unlearn.index import usable_faults
from monai_unlearn.vocabulary.fields import Kind

KINDS = {"device": Kind.TEXT, "site": Kind.TEXT}
#            00   01    02    03    04    05    06
DEVICES = ["old", "new", None, "new", "new", "old", None]
PATIENTS = ["p1", "p1", "p1", "p2", None, None, None]


@pytest.fixture
def index(tmp_path):
    return make_index(
        tmp_path / "index",
        {
            "device": DEVICES,
            "patient": PATIENTS,
            "study": ["s1", "s2", "s1", "s3", "s4", "s4", None],
            "series": ["e1", "e2", "e3", "e4", "e5", "e6", "e7"],
            "site": ["a", "a", "a", "a", "a", "b", None],
        },
        KINDS,
    )


def _parts(index, more="", forget="device == old"):
    """Return the numbers of the images in the forget, remain and undetermined part, as three words."""
    ids = make_spec(forget, more).resolve(index).image_ids
    return " ".join("".join(name[-1] for name in ids[part]) or "-" for part in ids)


@pytest.mark.parametrize(
    ("more", "parts"),
    [
        ("", "05 134 26"),
        ("scope: image", "05 134 26"),
        # 02 is in series e3, which has no forgotten image.
        ("scope: series", "05 134 26"),
        # 02 shares s1 with 00, and 04 shares s4 with 05; 06 has no study.
        ("scope: study", "0245 13 6"),
        # 01 and 02 belong to p1; 05 is selected itself; the patients of 04 and 06 are not known.
        ("scope: patient", "0125 3 46"),
        ("unknown: forget", "0256 134 -"),
        ("unknown: remain", "05 12346 -"),
        ("unknown: forget\nscope: patient", "012456 3 -"),
        # Without a patient they never remain: they may belong to p1.
        ("unknown: remain\nscope: patient", "0125 3 46"),
        ("unknown: remain\nscope: study", "0245 13 6"),
        ("population: site == a", "0 134 26"),
        # 05 is from site b: it is not forgotten, and does not extend to s4.
        ("population: site == a\nscope: study", "02 134 6"),
        ("population: site == b", "5 - 6"),
        ("population: site == a\nunknown: forget", "026 134 -"),
    ],
)
def test_each_image_belongs_to_one_part(index, more, parts):
    if "-" in parts.split()[1]:
        with pytest.raises(CohortError, match=r"remain part .* is empty \(undetermined images: 1\)"):
            _parts(index, more)
    else:
        assert _parts(index, more) == parts


def test_an_image_that_may_be_outside_the_population_is_undetermined_even_if_the_rules_are_false(index):
    assert _parts(index, "population: site == a", "device == old or series == e7") == "0 134 26"
    assert _parts(index, "population: site == a", "series == e1") == "0 1234 6"


def test_fail_refuses_undetermined_images_and_counts_them(index):
    with pytest.raises(
        CohortError, match=r"expected no undetermined image \(unknown: fail\), found some \(images: 2, patients: 1\)"
    ):
        _parts(index, "unknown: fail")
    assert _parts(index, "unknown: fail", "series == e1") == "0 123456 -"


def test_faulty_rows_belong_to_no_part(tmp_path):
    usable = next(code for code in usable_faults() if code != "conflicting_duplicate")
    columns = {"device": ["old", "new", "old", "new"], "fault": [None, usable, "truncated", "truncated"]}
    assert _parts(make_index(tmp_path / "index", columns, KINDS)) == "0 1 -"


# Missing identifiers: 0 is selected itself; the patient of 1 is not known; 2 belongs to somebody else


_EMPTY = [None, "", " ", "\t ", "\u00a0"]


@pytest.mark.parametrize("scope", ["series", "study", "patient"])
@pytest.mark.parametrize(
    ("unknown", "parts"), [("exclude", "0 2 1"), ("remain", "0 2 1"), ("forget", "01 2 -"), ("fail", None)]
)
@pytest.mark.parametrize("empty", _EMPTY)
def test_images_without_the_identifier_never_remain(tmp_path, scope, unknown, parts, empty):
    columns = {"device": ["old", "new", "new"], scope: [empty, empty, "p"]}
    index = make_index(tmp_path / "index", columns, KINDS)
    more = f"scope: {scope}\nunknown: {unknown}"
    if parts is None:
        with pytest.raises(
            CohortError, match=r"expected no undetermined image \(unknown: fail\), found some \(images: 1,"
        ):
            _parts(index, more)
    else:
        assert _parts(index, more) == parts


@pytest.mark.parametrize("empty", _EMPTY)
@pytest.mark.parametrize(
    ("unknown", "parts"), [("exclude", "1 3 02"), ("remain", "1 3 02"), ("forget", "012 3 -"), ("fail", None)]
)
def test_images_without_a_patient_never_remain_after_a_sample_by_patient(tmp_path, empty, unknown, parts):
    columns = {"device": ["old", "old", "new", "new"], "patient": [empty, "p", empty, "q"]}
    index = make_index(tmp_path / "index", columns, KINDS)
    more = f"scope: patient\nunknown: {unknown}\nsample: {{fraction: 1, by: patient}}"
    if parts is None:
        with pytest.raises(CohortError, match=r"found some \(images: 2, patients: 0\)"):
            _parts(index, more)
    else:
        assert _parts(index, more) == parts


# A scope with an undetermined image: 0 of p may be old; 1 of p is new; 2 of q is old; 3 is of r


@pytest.mark.parametrize(
    ("unknown", "scope", "parts"),
    [
        ("exclude", "image", "2 13 0"),
        ("exclude", "study", "2 13 0"),
        # It is unknown whether p must be forgotten: then no image of p remains.
        ("exclude", "patient", "2 3 01"),
        ("remain", "patient", "2 013 -"),
        ("forget", "patient", "012 3 -"),
    ],
)
def test_images_of_a_patient_with_an_undetermined_image_do_not_remain(tmp_path, unknown, scope, parts):
    columns = {"device": [None, "new", "old", "new"], "patient": ["p", "p", "q", "r"]}
    index = make_index(tmp_path / "index", columns, KINDS)
    assert _parts(index, f"scope: {scope}\nunknown: {unknown}") == parts


def test_an_image_that_a_rule_excludes_leaves_its_patient_determined(tmp_path):
    columns = {
        "device": [None, "new", "old", "new"],
        "site": ["b", "a", "a", "a"],
        "patient": ["p", "p", "q", "r"],
    }
    index = make_index(tmp_path / "index", columns, KINDS)
    # 0 is from site b, whatever its device: no image of p can be caught.
    assert _parts(index, "scope: patient", "[device == old, site == a]") == "2 013 -"
    # It is unknown whether 0 is in the population, but the rules are false for it.
    columns["site"], columns["device"] = [None, "a", "a", "a"], ["new", "new", "old", "new"]
    index = make_index(tmp_path / "other", columns, KINDS)
    assert _parts(index, "scope: patient\npopulation: site == a") == "2 13 0"


def test_a_sample_takes_a_patient_of_the_scope_as_a_whole(tmp_path):
    # Of p and q one is drawn, with the images that the scope added; the other remains as a whole.
    columns = {"device": ["old", "new", None, "old", "new", None], "patient": [*"pppqqq"]}
    index = make_index(tmp_path / "index", columns, KINDS)
    parts = {_parts(index, f"scope: patient\nsample: {{count: 1, by: patient, seed: {seed}}}") for seed in range(9)}
    assert parts == {"012 345 -", "345 012 -"}


# Selective forgetting


def _many(tmp_path, patients, name="many"):
    columns = {
        "image_id": [f"{patient}-{eye}" for patient in patients for eye in "LR"],
        "patient": [patient for patient in patients for _ in "LR"],
        "device": [("old", "new")[number % 4 == 3] for number, _ in enumerate(patients) for _ in "LR"],
        "site": [site for number, _ in enumerate(patients) for site in ("aa", "ab", "bc")[number % 3]],
    }
    return make_index(tmp_path / name, columns, KINDS)


def test_a_sample_by_patient_keeps_patients_whole_and_leaves_the_others_to_remain(tmp_path):
    index = _many(tmp_path, [f"p{number:03d}" for number in range(200)])
    cohort = make_spec("device == old", "sample: {fraction: 0.5, by: patient, seed: 7}").resolve(index)
    assert 60 <= cohort.patients["forget"] <= 90
    assert cohort.images == {
        "forget": 2 * cohort.patients["forget"],
        "remain": 400 - 2 * cohort.patients["forget"],
        "undetermined": 0,
    }
    assert cohort.patients_in_both == 0
    assert (cohort.attrition[-1].images_in, cohort.attrition[-1].rule) == (
        300,
        "sample: fraction 0.5 by patient, seed 7",
    )


@pytest.mark.parametrize("size", ["fraction: 0.3", "count: 20", "fraction: 0.3, stratify: site"])
@pytest.mark.parametrize("by", ["image", "patient"])
def test_a_sample_is_stable_when_the_index_grows(tmp_path, size, by):
    patients = [f"p{number:03d}" for number in range(120)]
    spec = make_spec("device == old", f"sample: {{{size}, by: {by}, seed: 3}}")
    before = set(spec.resolve(_many(tmp_path, patients[:80], "before")).image_ids["forget"])
    after = set(spec.resolve(_many(tmp_path, patients, "after")).image_ids["forget"])
    known = {f"{patient}-{eye}" for patient in patients[:80] for eye in "LR"}
    # A share keeps every earlier choice; a number can only give way to units that come before.
    assert after & known == before if "fraction" in size else after & known <= before


def test_another_seed_draws_another_sample(tmp_path):
    index = _many(tmp_path, [f"p{number:03d}" for number in range(40)])
    draws = {
        tuple(make_spec("device == old", f"sample: {{count: 10, seed: {seed}}}").resolve(index).image_ids["forget"])
        for seed in range(4)
    }
    assert len(draws) == 4
    assert {len(draw) for draw in draws} == {10}


@pytest.mark.parametrize(
    ("by", "stratify", "shares"),
    [
        # Selected are 120 images of site a, 80 of b and 40 of c.
        ("image", "site", {"a": 15, "b": 10, "c": 5}),
        ("image", "[site, device]", {"a": 15, "b": 10, "c": 5}),
        # 40 patients are of a alone, 40 of a and b, 40 of b and c; each brings two images.
        ("patient", "site", {"a": 30, "b": 20, "c": 10}),
    ],
)
def test_a_stratified_number_is_shared_between_the_strata(tmp_path, by, stratify, shares):
    index = _many(tmp_path, [f"p{number:03d}" for number in range(160)])
    spec = make_spec("device == old", f"sample: {{count: 30, by: {by}, stratify: {stratify}}}")
    cohort = spec.resolve(index)
    assert cohort.forget["site"].value_counts().to_dict() == shares


def test_images_that_a_sample_cannot_draw_are_undetermined(index):
    # 05 is to forget, and has no patient to draw.
    assert _parts(index, "sample: {fraction: 1, by: patient}") == "0 134 256"
    assert _parts(index, "sample: {fraction: 1, by: patient}\nunknown: remain") == "0 12346 5"
    assert _parts(index, "sample: {fraction: 1, by: patient}\nunknown: forget") == "0256 134 -"
    assert _parts(index, "sample: {fraction: 1, by: image}") == "05 134 26"


# What always holds

_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["old", "new", None]),
        st.sampled_from(["p1", "p2", "p3", None]),
        st.sampled_from(["a", "b", None]),
        st.sampled_from([None, None, None, "truncated"]),
    ),
    min_size=1,
    max_size=12,
)
_MORE = st.tuples(
    st.sampled_from(["", "population: site == a\n"]),
    st.sampled_from(["image", "series", "study", "patient"]),
    st.sampled_from(["exclude", "forget", "remain"]),
    st.sampled_from(
        [
            "",
            "sample: {fraction: 0.5, by: patient}\n",
            "sample: {count: 2}\n",
            "sample: {count: 2, by: patient, stratify: site}\n",
        ]
    ),
)


@given(_ROWS, _MORE)
def test_parts_are_disjoint_and_whole_and_the_attrition_flows(rows, more):
    population, scope, unknown, sample = more
    spec = make_spec("[device == old, site != b]", f"{population}scope: {scope}\nunknown: {unknown}\n{sample}")
    answers = _answers(spec, rows)
    parts, attrition = partition(spec, answers)
    about = answers.readable & ~answers.population.false
    assert ((parts.forget.astype(int) + parts.remain + parts.undetermined) == about).all()
    flow = attrition.rows
    assert flow[0].images_in == len(rows)
    assert flow[-1].images_out == parts.forget.sum()
    for before, after in itertools.pairwise(flow):
        assert (after.images_in, after.studies_in, after.patients_in) == (
            before.images_out,
            before.studies_out,
            before.patients_out,
        )
    if scope == "patient" and "count: 2}" not in sample:
        patients = answers.units["patient"].codes
        forget, remain, undetermined = (set(patients[mask & (patients >= 0)]) for _, mask in parts.items())
        assert not forget & remain
        assert (patients[parts.remain] >= 0).all()
        if not population and unknown == "exclude" and not sample:
            assert not undetermined & (forget | remain)


def _answers(spec, rows):
    """Answer the rules of that spec without a database, so that many examples are quick."""
    import numpy as np
    import pyarrow as pa

    from monai_unlearn.cohort.query.answers import Answers, CategoricalColumn, Verdict

    def coded(values):
        names = sorted({value for value in values if value is not None})
        codes = np.array([-1 if value is None else names.index(value) for value in values])
        return CategoricalColumn(codes, pa.array(names, pa.string()))

    def verdict(values, holds):
        true = np.array([value is not None and holds(value) for value in values])
        return Verdict(true, np.array([value is not None for value in values]) & ~true)

    device, patient, site, fault = zip(*rows, strict=True)
    units = {name: coded(patient) for name in ("patient", "study", "series")}
    everyone = Verdict(np.ones(len(rows), bool), np.zeros(len(rows), bool))
    return Answers(
        image=coded([f"i{number:02d}" for number in range(len(rows))]),
        units=units,
        label=None,
        readable=np.array([code is None for code in fault]),
        faults=coded(list(fault)),
        population=everyone if spec.population is None else verdict(site, lambda value: value == "a"),
        rules=(verdict(device, lambda value: value == "old"), verdict(site, lambda value: value != "b")),
        strata=(coded(site),) if spec.sample is not None and spec.sample.stratify else (),
    )
