from __future__ import annotations

from monai_unlearn.card.html.plots.funnel import SHOWN, funnel

STEPS = [("readable images", 1485, 1300), ("station == <C>", 341, 340)]


def test_bars_are_shares_of_the_longest_and_named():
    found = funnel(STEPS, name="f", title="T")
    assert 'width="100.0%" height="18" class="step"' in found
    assert 'width="23.0%" height="18" class="caught"' in found
    assert "readable images: 1,485 images of 1,300 patients. station == &lt;C&gt;: 341 images of 340 patients." in found


def test_a_long_rule_is_cut_in_the_plot_and_whole_in_its_text():
    found = funnel([("a" * 100, 1, 1)], name="f", title="T")
    assert f">{'a' * (SHOWN - 1)}…</text>" in found
    assert "a" * 100 in found


def test_nothing_left_is_a_sliver():
    assert 'width="0.5%"' in funnel([("none", 0, 0)], name="f", title="T")
