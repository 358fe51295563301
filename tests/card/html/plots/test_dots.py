from __future__ import annotations

from monai_unlearn.card.html.plots.dots import Dot, Strip, dot_plot, mark
from monai_unlearn.card.html.plots.svg import place

DOTS = (
    Dot(kind="original", name="original", value=0.9, interval=(0.8, 0.95)),
    Dot(kind="revised", name="revised", value=0.4),
    Dot(kind="retrained", name="retrained 1", value=None),
)


def plot(**changes):
    return dot_plot(
        [Strip(**{"heading": "glaucoma", "note": "90 patients", "dots": DOTS, **changes})], name="p", title="T"
    )


def test_the_text_alternative_has_every_figure():
    assert "glaucoma, 90 patients: original 90 % (80 to 95), revised 40 %, retrained 1 not measured." in plot()
    assert "; allowed are 30 to 50 %." in plot(band=(0.3, 0.5))


def test_marks_and_intervals_lie_at_their_values():
    found = plot()
    assert f'cx="{place(0.4)}"' in found
    assert f'x1="{place(0.8)}" x2="{place(0.95)}"' in found
    assert found.count('class="interval') == 1


def test_the_margin_is_shaded_only_where_there_is_one():
    assert 'class="band"' not in plot()
    assert f'<rect x="{place(0.3)}"' in plot(band=(0.3, 0.5))


def test_each_kind_of_network_has_a_shape():
    assert mark("original", x="1%", y=2).startswith("<rect")
    assert 'r="5.5"' in mark("revised", x="1%", y=2)
    assert 'r="4"' in mark("retrained", x="1%", y=2)
