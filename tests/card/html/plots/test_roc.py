from __future__ import annotations

from monai_unlearn.card.html.plots.roc import EDGE, SIZE, roc_plot


def test_curves_run_from_corner_to_corner():
    found = roc_plot([0, 0.5, 1], [("revised", [0, 0.8, 1])], name="r", title="T", description="words")
    corners = f"{EDGE:.1f},{8 + SIZE:.1f} {EDGE + SIZE / 2:.1f},{8 + SIZE * 0.2:.1f} {EDGE + SIZE:.1f},8.0"
    assert f'<polyline points="{corners}" class="curve revised"/>' in found
    assert ">words</desc>" in found
