from __future__ import annotations

import pytest

from monai_unlearn.release.verify.figures import differing_figures, first_difference


@pytest.mark.parametrize(
    ("found", "expected", "said"),
    [
        ("a\nx 97.5 %", "a\nx 87.5 %", "line 2: expected '87.5', found '97.5'"),
        ("| 1 | -2.0 |", "| 1 | +2.0 |", "line 1: expected '+2.0', found '-2.0'"),
        ("do deploy", "do not deploy", "line 1: expected 'do not deploy', found 'do deploy'"),
        ("a", "a\nb", "expected 2 lines, found 1"),
    ],
)
def test_the_first_difference(found, expected, said):
    assert first_difference(found, expected) == said


OLD = "# Title 1\n| metric | before |\n| accuracy | 87.5 % (80–92) |\n| loss | 0.4 |\n"


def test_under_another_version_rows_are_compared_by_what_they_are_about():
    new = "# Another title 2\n\n| metric | before |\n| accuracy | 87.5 % (80–92) |\n| further | 1 |\n| loss | 0.5 |\n"
    assert list(differing_figures(OLD, new)) == ["loss: expected 0.5, found 0.4"]
    assert not list(differing_figures(OLD, OLD))


def test_rows_of_html_too():
    page = "<table><tr><th>loss</th><td>{}</td></tr>\n<tr><td>x</td><td class='n'>1</td></tr></table>"
    assert list(differing_figures(page.format("0.4"), page.format("0.5"))) == ["loss: expected 0.5, found 0.4"]
