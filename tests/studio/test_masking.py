from __future__ import annotations

from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from cohort_index import make_index
from studio_client import SECRETS, studio_index

from monai_unlearn.studio.masking import Masking


@pytest.fixture(scope="module")
def masking(tmp_path_factory):
    return Masking(studio_index(tmp_path_factory.mktemp("masking") / "index"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Error: image SECRET-IMAGE-2: cannot be decoded.", "Error: image number 3: cannot be decoded."),
        ("these changed: SECRET-IMAGE-0, SECRET-IMAGE-10.", "these changed: number 1, number 11."),
        ("patient 'SECRET-PATIENT-1' has none", "patient '(not shown)' has none"),
        ("image of no index: no", "image (not shown): no"),
        ("in /data/doe jane.dcm", "in (not shown) jane.dcm"),
        (r"in C:\data\doe.dcm", "in (not shown)"),
        ("in SECRET-PATH-3.png", "in (not shown)"),
        ("series 1.2.840.10008.1.2 again", "series (not shown) again"),
        ("epoch 3 of 10, 3/10, 12.5%, 2.5it/s", "epoch 3 of 10, 3/10, 12.5%, 2.5it/s"),
    ],
)
def test_identifiers_are_replaced_and_measures_stay(masking, text, shown):
    assert masking.masked(text) == shown


def test_no_identifier_of_the_index_comes_through(masking):
    text = "\n".join(f"{word}-{number}{'.png' * ('PATH' in word)} x" for word in SECRETS for number in range(4))
    shown = masking.masked(text)
    assert not any(word in shown for word in SECRETS)


def test_a_long_line_takes_no_time(masking):
    for text in ("image " * 10_000, "a.a/" * 15_000, "1." * 30_000, "'" * 60_000, "x" * 60_000):
        masking.masked(text)


def test_words_are_looked_up_once(masking, monkeypatch):
    masking.masked("image SECRET-IMAGE-7: no")
    monkeypatch.setattr(masking, "_found", None)
    assert masking.masked("image SECRET-IMAGE-7: no") == "image number 8: no"


def test_images_are_numbered_through_all_parts_of_an_index(tmp_path):
    index = studio_index(tmp_path / "index")
    rows = pq.read_table(index.parts[0])
    parts = [tmp_path / "first.parquet", tmp_path / "second.parquet"]
    pq.write_table(rows.slice(0, 5), parts[0])
    pq.write_table(rows.slice(5), parts[1])
    parted = Masking(SimpleNamespace(columns=index.columns, parts=parts))
    assert parted.masked("image SECRET-IMAGE-6: no") == "image number 7: no"


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """The masking of an index whose identifiers are as short as words and measures."""
    columns = {
        "image_id": ["3", "17", "b", "IM"],
        "patient": ["7", "DOE", "P1", "the"],
        "study": ["e5", "x", "12.5", "s"],
        "path": ["a.png", "b.png", "c.png", "d"],
    }
    return Masking(make_index(tmp_path_factory.mktemp("short") / "index", columns, {}))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("image 17: cannot be decoded", "image number 2: cannot be decoded"),
        ("these changed: 3, 17.", "these changed: number 1, number 2."),
        ("images 3 and 17", "images number 1 and number 2"),
        ("a file changed: 'b'. Stop", "a file changed: 'number 3'. Stop"),
        ("IM is damaged", "number 4 is damaged"),
        ("of DOE, P1 and x", "of (not shown), (not shown) and (not shown)"),
        ("patient 7 has none", "patient (not shown) has none"),
        ("study=e5 again", "study=(not shown) again"),
        ("study 12.5, a.png", "study (not shown), (not shown)"),
        # A number that counts, and a word of the tool, are none.
        ("step 3/17, loss 12.5, 3 images of 7 patients", "step 3/17, loss 12.5, 3 images of 7 patients"),
        ("the rest", "the rest"),
        ("subtle IMAGE Doe", "subtle IMAGE Doe"),
    ],
)
def test_short_identifiers_are_replaced_as_whole_words(short, text, shown):
    assert short.masked(text) == shown
