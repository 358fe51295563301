from __future__ import annotations

import pytest

from monai_unlearn.cohort.language.located import Located
from monai_unlearn.cohort.language.source import Document, Fault, Source, Span, combined, shown


def _places(document, text):
    """Return every character but spaces, with the character at its place in the document."""
    source = Located.read(document, "d").source(("forget",), text)
    return [
        (character, document[offset])
        for character, offset in zip(text, source.offsets, strict=False)
        if character.strip()
    ]


@pytest.mark.parametrize(
    "document",
    [
        "forget: a == b c\n",
        "forget: a ==\n  b\n  c\n",
        "forget: 'a == b c'\n",
        'forget: "a == b c"\n',
        "forget: |\n  a ==\n  b c\n",
        "forget: >-   # folded: a b\n  a ==\n\n  b\n  c\n",
        "{name: x, forget: a == b c}\n",
    ],
)
def test_every_character_is_placed_in_every_style_of_yaml(document):
    text = Located.read(document, "d").content["forget"]
    assert all(character == raw for character, raw in _places(document, text))


def test_a_doubled_quote_is_one_character():
    document = "forget: 'a == ''x'' b'\n"
    source = Located.read(document, "d").source(("forget",), "a == 'x' b")
    assert document[source.offsets[9]] == "b"


def test_a_text_with_escapes_is_placed_at_its_beginning():
    source = Located.read('forget: "\\x61 == 1"\n', "d").source(("forget",), "a == 1")
    assert set(source.offsets) == {9}


def test_a_span_over_lines_is_marked_at_its_first_character():
    source = Source.of("a ==\n b")
    assert Span(source, 2, 7).fault("m").snippet.splitlines()[-1] == "      |   ^"


def test_faults_are_listed_by_line_one_per_place():
    faults = [Fault(3, 1, "c"), Fault(1, 2, "a"), Fault(1, 2, "less"), Fault(2, 0, "b")]
    assert str(combined(faults, "s.yaml")) == "s.yaml: 3 faults:\ns.yaml:1:2: a\ns.yaml:2: b\ns.yaml:3:1: c"
    assert str(combined(faults[:1], "s.yaml")) == "s.yaml:3:1: c"


def test_places_count_from_one():
    assert Document("d", "ab\ncd").place(4) == (2, 2)


def test_text_of_an_author_is_repeated_short_and_printable():
    assert shown("a\x1b[0m") == "a<U+001B>[0m"
    assert len(shown("x" * 100)) == 40
