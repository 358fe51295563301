from __future__ import annotations

import pytest

from monai_unlearn.cohort import parse
from monai_unlearn.cohort.language.term import Term
from monai_unlearn.cohort.language.term_english import phrase


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("`odd name`", "`odd name`"),
        ("vpf * 2.5 mm", "vpf times 2.5 mm"),
        ("(a + b) / (c - d)", "(a plus b) divided by (c minus d)"),
        ("-(a + b)", "minus (a plus b)"),
        ("any(ImageType)", "some value of ImageType"),
        ("all(ImageType)", "every value of ImageType"),
        ("max(a, b, c)", "the largest of a, b and c"),
        ("year(acquired)", "the year of acquired"),
        ("isolation_forest(a, b)", "the anomaly score of a and b together among images of the cohort"),
        ("percentile_rank(a) by (sex, device)", "the percentile rank of a among images of the same sex and device"),
    ],
)
def test_terms_in_english(text, words):
    assert phrase(parse(f"{text} == 1").term) == words


def test_a_term_without_a_handler_raises():
    class Strange(Term):
        def render(self, **_):
            return "?"

    with pytest.raises(NotImplementedError, match="Strange"):
        phrase(Strange())
