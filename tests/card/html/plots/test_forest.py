from __future__ import annotations

from monai_unlearn.card.html.plots.forest import LEFT, WIDTH, Line, forest_plot
from monai_unlearn.card.html.plots.svg import place

LINE = Line(name="sex F", note="30 patients", original=0.9, revised=0.75, interval=(0.6, 0.85), retrained=(0.7, 0.8))


def at(value):
    return place(value, left=LEFT, width=WIDTH)


def test_the_text_alternative_has_every_figure():
    found = forest_plot([LINE], name="f", title="T")
    assert "sex F, 30 patients: original 90 %, revised 75 % (60 to 85), retrained 70 to 80 %." in found


def test_a_short_axis_moves_the_marks():
    assert f'cx="{at(0.75)}"' in forest_plot([LINE], name="f", title="T")
    short = forest_plot([LINE], name="f", title="T", lowest=0.5)
    assert f'cx="{at(0.5)}"' in short
    assert ">50 %</text>" in short
    assert f'x1="{at(0.2)}" x2="{at(0.7)}"' in short


def test_what_is_not_known_is_not_drawn():
    bare = Line(name="sex M", note="9 patients", original=None, revised=None, interval=None, retrained=None)
    found = forest_plot([bare], name="f", title="T")
    assert 'class="mark' not in found
    assert "sex M, 9 patients: original not measured, revised not measured." in found
