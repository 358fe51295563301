"""YAML that could mean something else than it seems to, and how it is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from monai_unlearn.errors import SpecError
from monai_unlearn.strict_yaml import MAX_BYTES, MAX_DEPTH, MAX_NODES, load, parse, read


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
        ('"\\ud83d\\ude00 a"', "😀 a"),
    ],
)
def test_a_scalar_is_what_it_looks_like(text, value):
    found = load(text, source="s")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2", r"^s:2:1: .*the key 'a' occurs twice"),
        ("{a: 1, 'a': 2}", r"^s:1:8: .*the key 'a' occurs twice"),
        ("a: {b: 1, b: 2}", r"^s:1:11: .*the key 'b' occurs twice"),
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
        ("%YAML 1.1\n---\na: 1", r"^s:1:1: .*directives"),
        ("%TAG ! tag:example.org,2000:\n---\na: 1", r"^s:1:1: .*directives"),
        ("# first\n%include /etc/passwd\n---\na: 1", r"^s:2:1: .*directives"),
        ('a: 1\n"\\e[2J": 2\n"\\e[2J": 3', r"^s:3:1: .*the key '\\x1b\[2J' occurs twice"),
        (f"? {'k' * 1000}\n: 1\n? {'k' * 1000}\n: 2", r"^s:3:3: .*the key 'k{41} occurs twice"),
        ('a: "\\ud800"', r"^s:1:4: .*half a character"),
        ('a: "\\ude00\\ud83d"', r"^s:1:4: .*half a character"),
        ('"\\ud800": a', r"^s:1:1: .*half a character"),
        ('a: "\\U00110000"', r"^s:1: .*an escape names a character that does not exist"),
        ('a: "\\UFFFFFFFF"', r"^s:1: .*an escape names a character that does not exist"),
        ('a: 1\nb: "\\U00110000"', r"^s:2: .*an escape names a character that does not exist"),
    ],
)
def test_what_could_mean_something_else_is_refused(text, message):
    with pytest.raises(SpecError, match=message):
        load(text, source="s")


# Each is invisible, shows as a space, ends a line elsewhere, or changes the direction of writing.
@pytest.mark.parametrize(
    "character",
    [
        *("\x00", "\x08", "\x1b", "\x7f", "\x85", "\x9b", "\u2028", "\u2029", "\ud800", "\uffff", "\r"),
        *("\xad", "\u061c", "\u180e", "\u200b", "\u200e", "\u200f", "\u202a", "\u202e", "\u2060", "\u2066", "\u2069"),
        *("\u3164", "\ufeff", "\U000e0041"),
    ],
    ids=lambda character: f"U+{ord(character):04X}",
)
@pytest.mark.parametrize("text", ["a: 1\nb: x{}y", "a: 1\n'{}': y", "a: 1\n# x{}"], ids=["value", "key", "comment"])
def test_misleading_characters_are_refused_everywhere(character, text):
    with pytest.raises(
        SpecError, match=rf"^s:2:\d+: not valid YAML here: the character U\+{ord(character):04X}"
    ) as error:
        load(text.format(character), source="s")
    assert str(error.value).isprintable()


def test_a_misleading_character_may_be_written_as_an_escape():
    assert load(r'"a\u202eb\u200b\x1b"', source="s") == "a\u202eb\u200b\x1b"


# Wide spaces, joiners that scripts need, line ends of other systems, byte order marks at the beginning of a file.
@pytest.mark.parametrize("text", ["a\u200cb", "a\u200db", "a\xa0b", "é", "ש", "😀", "a\r\n"])
def test_other_characters_are_text(text):
    assert load("\ufeff" + text, source="s") == text.rstrip()


@pytest.mark.parametrize(
    "text", ["[" * 10_000, "{a: " * 10_000, "- " * 10_000 + "a", "? " * 10_000, "[" * 33 + "]" * 33]
)
def test_depth_is_bounded_before_anything_recurses(text):
    with pytest.raises(SpecError, match=r"^s:1:\d+: .*expected at most 32 nested levels"):
        load(text, source="s")
    assert load("[" * MAX_DEPTH + "]" * MAX_DEPTH, source="s")


@pytest.mark.parametrize("text", ["- a\n" * MAX_NODES, "\n".join(f"k{n}: v" for n in range(MAX_NODES // 2))])
def test_the_number_of_keys_and_values_is_bounded(text):
    with pytest.raises(
        SpecError, match=r"^s:\d+:\d+: .*expected at most 5000 keys and values, got more; put a long list"
    ):
        load(text, source="s")
    assert load(text.rpartition("\n" if text[-1] != "\n" else "- a")[0], source="s")


def test_size_is_bounded(tmp_path):
    path = tmp_path / "large.yaml"
    path.write_bytes(b"#" * 10_000_000)
    for attempt in (lambda: read(path), lambda: load("#" * (MAX_BYTES + 1), source="s")):
        with pytest.raises(SpecError, match="expected at most 256 KiB of YAML, got more"):
            attempt()
    assert load("#" * MAX_BYTES, source="s") is None
    with pytest.raises(SpecError, match="expected at most 256 KiB of YAML, got more"):
        load("#" + "é" * (MAX_BYTES // 2), source="s")


def test_a_file_that_cannot_be_read_is_reported(tmp_path):
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nb: \xe9")
    (tmp_path / "utf16.yaml").write_text("a: 1", encoding="utf-16")
    for name, message in [
        ("none.yaml", r"none\.yaml: cannot be read \(No such file"),
        ("", r"cannot be read \(not a regular file\)"),
        ("latin.yaml", r"latin\.yaml:2: expected UTF-8 text, got other bytes"),
        ("utf16.yaml", r"utf16\.yaml:1: expected UTF-8 text, got other bytes"),
        ("a\x00b", r"the path contains a null character"),
    ]:
        with pytest.raises(SpecError, match=message):
            read(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_pipes_and_devices_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    for path in (tmp_path / "pipe.yaml", Path(os.devnull), Path("/dev/zero")):
        with pytest.raises(SpecError, match=r"cannot be read \(not a regular file\)"):
            read(path)


def test_every_key_and_item_has_a_line():
    text = "a: 1\nb:\n  - c\n  - d: 2\n    e: |\n      x\n"
    lines = parse(text, source="s").lines
    assert {path: line for path, line in lines.items() if path} == {
        ("a",): 1,
        ("b",): 2,
        ("b", 0): 3,
        ("b", 1): 4,
        ("b", 1, "d"): 4,
        ("b", 1, "e"): 5,
    }
    assert parse("", source="s").lines == {}


def test_every_scalar_has_a_place():
    text = "a: 'x y'\nb: [c]\n"
    places = parse(text, source="s").scalars
    assert {path: text[place.start : place.end] for path, place in places.items()} == {("a",): "'x y'", ("b", 0): "c"}
    assert places["a",].style == "'"
