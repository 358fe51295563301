from __future__ import annotations

import json
from dataclasses import replace

import pytest
from cohort_index import HEAD, make_index, make_spec

from monai_unlearn import __version__
from monai_unlearn.cohort import CohortSpec
from monai_unlearn.cohort.reports.recheck import frozen_of, recheck
from monai_unlearn.cohort.resolve.frozen import Frozen, freeze
from monai_unlearn.cohort.resolve.resolve import resolve_unguarded
from monai_unlearn.cohort.spec.canonical import digest_of
from monai_unlearn.errors import CohortError, SpecError
from monai_unlearn.vocabulary.fields import Kind

KINDS = {"device": Kind.TEXT, "age": Kind.AGE}
COLUMNS = {"device": ["old", "old", "new", "new", None], "age": [30.0, 70.0, 30.0, 70.0, 50.0]}
WHOLE = "scope: patient\nunknown: remain\nexpect: {images: {min: 1}, share: {max: 0.9}}\nsample: {count: 2}\n"


def _index(folder, *, images=None, more=None, **changes):
    columns = {**COLUMNS, "image_id": [f"i0{number}" for number in range(5)], **changes}
    chosen = range(5) if images is None else images
    columns = {name: [values[number] for number in chosen] for name, values in columns.items()}
    for name, value in (more or {}).items():
        columns[name] = [*columns[name], value]
    return make_index(folder, columns, KINDS)


def _frozen(folder, forget="device == old", more="", **changes):
    """Return a frozen cohort as it comes back from its files."""
    cohort = resolve_unguarded(make_spec(forget, more), _index(folder / "frozen", **changes))
    return _again(cohort, folder / "m")


def _again(cohort, folder):
    freeze(cohort, folder)
    return replace(Frozen.read(folder), source="m")


def _check(manifest, index, **options):
    return recheck(manifest, index, **options)


def _texts(found, *, breaks):
    return [finding["text"] for finding in found["findings"] if finding["breaks"] is breaks]


@pytest.mark.parametrize("more", ["", WHOLE])
def test_on_the_same_index_it_holds(more, tmp_path):
    found = _check(_frozen(tmp_path, more=more), _index(tmp_path / "now"))
    assert found["holds"] is True
    assert found["findings"] == []
    assert found["refused"] is None
    assert found["index"]["same"] is found["spec"]["same"] is found["tool_version"]["same"] is True
    assert found["parts"]["forget"] == {"frozen": 2, "now": 2, "joined": 0, "left": 0}
    assert "image_ids" not in found


def test_a_changed_value_moves_an_image_from_part_to_part(tmp_path):
    index = _index(tmp_path / "now", device=["old", "new", "new", "new", "old"])
    found = _check(_frozen(tmp_path), index, listed=True)
    assert found["holds"] is False
    assert found["parts"]["forget"] == {"frozen": 2, "now": 2, "joined": 1, "left": 1}
    assert found["moves"]["forget"]["remain"] == found["moves"]["undetermined"]["forget"] == 1
    assert found["image_ids"] == {
        "forget": {"joined": ["i04"], "left": ["i01"]},
        "remain": {"joined": ["i01"], "left": []},
        "undetermined": {"joined": [], "left": ["i04"]},
    }
    assert _texts(found, breaks=True) == [
        "1 image joined the forget part.",
        "1 image joined the remain part.",
        "1 image left the forget part.",
        "1 image left the undetermined part.",
    ]
    assert _texts(found, breaks=False) == ["The content of the index has changed."]


def test_images_that_are_gone_new_unreadable_or_outside(tmp_path):
    more = {"device": "old", "age": 50.0, "image_id": "new", "fault": None}
    index = _index(tmp_path / "now", images=[1, 2, 3, 4], fault=[None, None, "unreadable", None, None], more=more)
    found = _check(_frozen(tmp_path), index)
    assert found["moves"]["forget"] == {"forget": 1, "remain": 0, "undetermined": 0, "outside": 0, "gone": 1}
    assert found["moves"]["remain"]["outside"] == 1
    assert found["moves"]["new"]["forget"] == 1
    assert "1 frozen image is no longer in the index." in _texts(found, breaks=True)
    assert found["holds"] is False


def test_images_that_were_and_are_outside_the_population_change_nothing(tmp_path):
    manifest = _frozen(tmp_path, more="population: age > 45\n")
    now = _index(tmp_path / "now", age=[20.0, 70.0, 20.0, 70.0, 50.0])
    found = _check(manifest, now)
    assert found["holds"] is True
    assert found["index"]["same"] is False
    assert _texts(found, breaks=False) == ["The content of the index has changed."]
    left = _check(manifest, _index(tmp_path / "young", age=[20.0, 20.0, 20.0, 70.0, 50.0]))
    assert left["moves"]["forget"]["outside"] == 1


def test_a_cohort_that_the_guards_refuse_does_not_hold(tmp_path):
    manifest = _frozen(tmp_path, more="expect: {images: {min: 2}}\n")
    found = _check(manifest, _index(tmp_path / "now", images=[1, 2, 3, 4]))
    assert found["refused"].startswith("the spec in m: expected at least 2 images")
    assert "The guards refuse the cohort as it is now." in _texts(found, breaks=True)
    # What was refused when it was frozen can hold image by image, and is still refused.
    odd = _frozen(tmp_path / "2", more="expect: {images: {min: 3}}\n")
    assert _check(odd, _index(tmp_path / "same"))["holds"] is False


def test_another_version_is_reported_and_changes_nothing(tmp_path):
    frozen = _frozen(tmp_path)
    frozen.manifest["tool_version"] = "0.0.1"
    found = _check(frozen, _index(tmp_path / "now"))
    assert found["holds"] is True
    assert _texts(found, breaks=False) == [f"The cohort was frozen by version 0.0.1; this is {__version__}."]


def test_a_spec_that_does_not_match_its_digest_does_not_hold(tmp_path):
    manifest = _frozen(tmp_path)
    manifest.manifest["spec"]["digest"] = "sha256:0"
    found = _check(manifest, _index(tmp_path / "now"))
    assert (found["holds"], found["spec"]["same"]) == (False, False)
    assert _texts(found, breaks=True) == ["The spec in the manifest does not match the spec digest in it."]


def test_a_spec_that_is_written_differently_now_still_holds(tmp_path):
    manifest = _frozen(tmp_path)
    manifest.manifest["spec"]["content"]["forget"] = "(device == old)"
    manifest.manifest["spec"]["digest"] = digest_of(manifest.manifest["spec"]["content"])
    found = _check(manifest, _index(tmp_path / "now"))
    assert found["holds"] is True
    assert _texts(found, breaks=False) == ["This version writes the spec differently, so its digest has changed."]


def test_a_spec_that_cannot_be_read_or_does_not_fit_is_an_error(tmp_path):
    manifest = _frozen(tmp_path)
    index = make_index(tmp_path / "other", {"age": [1.0]}, {"age": Kind.AGE})
    with pytest.raises(SpecError, match="device"):
        _check(manifest, index)
    manifest.manifest["spec"]["content"]["forget"] = "device = old"
    with pytest.raises(SpecError, match="write =="):
        _check(manifest, index)


def test_values_and_numbers_that_no_spec_may_write_can_be_frozen(tmp_path):
    (tmp_path / "many.txt").write_text("\n".join(f"patient-{number:05}" for number in range(6_000)) + "\np00\np01\n")
    spec = CohortSpec.parse(
        f"{HEAD}forget: patient in @many\nvalue_sets: {{many: {{file: many.txt}}}}\n"
        "expect: {share: {min: 0.00001}}\nsample: {fraction: 0.9999999, stratify: [device]}\n",
        folder=tmp_path,
    )
    frozen = _again(spec.resolve(_index(tmp_path / "frozen")), tmp_path / "m")
    found = _check(frozen, _index(tmp_path / "now"), now=spec)
    assert found["findings"] == []
    assert found["parts"]["forget"]["now"] == 2


@pytest.mark.parametrize(
    "change",
    [
        {"value_sets": {"a": []}},
        {"value_sets": {"a": [1]}},
        {"value_sets": ["a"]},
        {"sample": {"fraction": 2}},
        {"sample": {"other": 2}},
        {"expect": 7},
    ],
)
def test_a_frozen_spec_of_another_form_is_an_error(change, tmp_path):
    manifest = _frozen(tmp_path)
    manifest.manifest["spec"]["content"] |= change
    with pytest.raises(SpecError, match=r"^the spec in m: expected a cohort spec as CohortSpec\.to_dict"):
        _check(manifest, _index(tmp_path / "now"))


PEOPLE = "value_sets: {gone: [p00, p01]}\n"


def test_a_frozen_list_is_not_needed_while_nothing_has_changed(tmp_path):
    frozen = _frozen(tmp_path, "patient in @gone", PEOPLE)
    assert "p00" not in json.dumps(frozen.manifest)
    found = _check(frozen, _index(tmp_path / "now"))
    assert (found["holds"], found["findings"], found["parts"]["forget"]["now"]) == (True, [], 2)


def test_a_frozen_list_must_be_given_once_the_index_has_changed(tmp_path):
    frozen, index = _frozen(tmp_path, "patient in @gone", PEOPLE), _index(tmp_path / "now", images=[1, 2, 3, 4])
    with pytest.raises(
        CohortError, match=r"so that it cannot be resolved again\. Give the spec: .* cohort check m SPEC"
    ):
        _check(frozen, index)
    found = _check(frozen, index, now=make_spec("patient in @gone", PEOPLE))
    assert (found["holds"], found["spec"]["same"], found["moves"]["forget"]["gone"]) == (False, True, 1)


def test_another_spec_that_selects_the_same_images_holds_and_is_reported(tmp_path):
    found = _check(_frozen(tmp_path), _index(tmp_path / "now"), now=make_spec("device in [old]"))
    assert found["holds"] is True
    assert _texts(found, breaks=False) == ["The cohort was frozen with another spec."]


def test_two_frozen_cohorts_are_checked_without_an_index(tmp_path):
    first = _frozen(tmp_path)
    assert _check(first, None, now=_frozen(tmp_path / "same"))["holds"] is True
    second = _frozen(tmp_path / "2", device=["old", "new", "new", "new", None])
    found = _check(first, None, now=second)
    assert (found["holds"], found["refused"], found["moves"]["forget"]["remain"]) == (False, None, 1)
    fewer = _frozen(tmp_path / "3", images=[1, 2, 3, 4])
    assert _check(first, None, now=fewer)["moves"]["forget"]["outside"] == 1
    assert (
        _check(first, _index(tmp_path / "3" / "frozen", images=[1, 2, 3, 4]), now=fewer)["moves"]["forget"]["gone"] == 1
    )
    with pytest.raises(CohortError, match="checking needs the index, or a second frozen cohort"):
        _check(first, None)


def test_a_spec_is_checked_as_it_would_be_frozen_now(tmp_path):
    index, spec = _index(tmp_path / "now"), make_spec("device == old")
    assert _check(frozen_of(spec, index, has_other=True), index, now=_frozen(tmp_path))["holds"] is True
    with pytest.raises(CohortError, match="expected the folder of a frozen cohort, got a spec alone"):
        frozen_of(spec, index, has_other=False)
    with pytest.raises(CohortError, match="a spec needs an index"):
        frozen_of(spec, None, has_other=True)


DIGESTS = {"device": Kind.TEXT, "pixel_digest": Kind.TEXT}


@pytest.mark.parametrize("loaded", [None, {"i00": "a", "i01": "b"}], ids=["frozen from the index", "loaded by a run"])
def test_other_pixels_break_it(loaded, tmp_path):
    columns = {"device": ["old", "new", "new"], "pixel_digest": ["a", "b", "c"]}
    cohort = resolve_unguarded(make_spec("device == old"), make_index(tmp_path / "frozen", columns, DIGESTS))
    freeze(cohort, tmp_path / "m", pixels=loaded)
    frozen = Frozen.read(tmp_path / "m")
    same = _check(frozen, make_index(tmp_path / "same", columns, DIGESTS))
    assert (same["holds"], same["pixels"]["changed"], same["pixels"]["same"]) == (True, 0, True)
    columns["pixel_digest"] = ["b", "a", "c"]
    swapped = _check(frozen, make_index(tmp_path / "swapped", columns, DIGESTS))
    assert swapped["holds"] is False
    number = "Some of 3 images have" if loaded is None else "2 images have"
    (text,) = _texts(swapped, breaks=True)
    assert text.startswith(f"{number} other pixels than when the cohort was frozen")
    assert ("index verify DIR --pixels names them" in text) is (loaded is None)
    without = _check(frozen, make_index(tmp_path / "without", {"device": columns["device"]}, {"device": Kind.TEXT}))
    assert (without["holds"], without["pixels"]) == (True, None)
