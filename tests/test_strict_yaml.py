"""YAML that means something else than it says, and what becomes of it."""

from __future__ import annotations

import time

import pytest

from monai_unlearn.errors import SpecError
from monai_unlearn.strict_yaml import MAX_BYTES, MAX_DEPTH, load, locate, locate_scalars, read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("True", "True"),
        ("true", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("0o17", "0o17"),
        ("017", "017"),
        ("0x1F", "0x1F"),
        ("0b1", "0b1"),
        ("12:30:45", "12:30:45"),
        ("2019-01-01", "2019-01-01"),
        ("1_000", "1_000"),
        ("1e5", "1e5"),
        (".5", ".5"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("12", 12),
        ("-3", -3),
        ("0.5", 0.5),
        ("1.5e3", 1500.0),
        ("'12'", "12"),
        ("=", "="),
        ("1" * 18, int("1" * 18)),
        # An identifier, not a number; and int() refuses thousands of digits with a traceback.
        ("1" * 19, "1" * 19),
        ("1" * 5000, "1" * 5000),
        ("a == b # c", "a == b"),
        ("$import os", "$import os"),
        ("\ufeffa", "a"),
    ],
)
def test_a_scalar_is_what_it_looks_like(text, value):
    found = load(text, source="s")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2", r"^s:2:1: .*the key 'a' stands twice"),
        ("{a: 1, 'a': 2}", r"^s:1:8: .*the key 'a' stands twice"),
        ("a: {b: 1, b: 2}", r"^s:1:11: .*the key 'b' stands twice"),
        ("a: &x 1", r"^s:1:4: .*anchors and aliases"),
        ("a: &x [1]", r"^s:1:4: .*anchors and aliases"),
        ("a: *x", r"^s:1:4: .*anchors and aliases"),
        ("<<: {a: 1}", r"^s:1:1: .*merge keys"),
        ("a: !!python/object/apply:os.system [ls]", r"^s:1:4: .*tags"),
        ("a: !!str 1", r"^s:1:4: .*tags"),
        ("a: ! 1", r"^s:1:4: .*tags"),
        ("!!map {a: 1}", r"^s:1:1: .*tags"),
        ("true: 1", r"^s:1:1: .*a key must be text"),
        ("1: 1", r"^s:1:1: .*a key must be text"),
        ("null: 1", r"^s:1:1: .*a key must be text"),
        ("? [a]\n: 1", r"^s:1:3: .*a key must be text"),
        ("? {a: 1}\n: 1", r"^s:1:3: .*a key must be text"),
        ("a: 1\n---\nb: 2", r"^s:2:1: .*expected a single document"),
        ("a: [1", r"^s:1:6: "),
        ("a: 'x", r"^s:1:6: .*unexpected end"),
        ("\ta: 1", r"^s:1:1: .*cannot start any token"),
        ("a: \x00", r"^s: not valid YAML: unacceptable character"),
        ('a: "\\ud800"', r"^s:1:4: .*half a character"),
        ('"\\ud800": a', r"^s:1:1: .*half a character"),
        ('a: "\\U00110000"', r"^s: not valid YAML: an escape names a character that does not exist"),
    ],
)
def test_what_could_mean_something_else_is_refused(text, message):
    with pytest.raises(SpecError, match=message):
        load(text, source="s")


@pytest.mark.parametrize(
    "text", ["[" * 10_000, "{a: " * 10_000, "- " * 10_000 + "a", "? " * 10_000, "[" * 33 + "]" * 33]
)
def test_depth_is_bounded_before_anything_recurses(text):
    started = time.monotonic()
    with pytest.raises(SpecError, match=r"^s:1: expected at most 32 nested levels"):
        load(text, source="s")
    assert time.monotonic() - started < 1
    assert load("[" * MAX_DEPTH + "]" * MAX_DEPTH, source="s")


def test_size_is_bounded(tmp_path):
    path = tmp_path / "large.yaml"
    path.write_bytes(b"#" * 10_000_000)
    for attempt in (lambda: read(path), lambda: load("#" * (MAX_BYTES + 1), source="s")):
        with pytest.raises(SpecError, match="expected at most 256 KiB of YAML, got more"):
            attempt()
    assert load("#" * MAX_BYTES, source="s") is None


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path):
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    for name, message in [
        ("none.yaml", r"none\.yaml: cannot be read \(No such file"),
        ("", r"cannot be read \(Is a directory\)"),
        ("latin.yaml", r"latin\.yaml: expected UTF-8 text, got other bytes"),
    ]:
        with pytest.raises(SpecError, match=message):
            read(tmp_path / name)


def test_every_key_and_item_has_a_line():
    text = "a: 1\nb:\n  - c\n  - d: 2\n    e: |\n      x\n"
    lines = locate(text)
    assert {path: line for path, line in lines.items() if path} == {
        ("a",): 1,
        ("b",): 2,
        ("b", 0): 3,
        ("b", 1): 4,
        ("b", 1, "d"): 4,
        ("b", 1, "e"): 5,
    }
    assert locate("") == {}


def test_every_single_value_has_a_place():
    text = "a: 'x y'\nb: [c]\n"
    places = locate_scalars(text)
    assert {path: text[place.start : place.end] for path, place in places.items()} == {("a",): "'x y'", ("b", 0): "c"}
    assert places["a",].style == "'"
