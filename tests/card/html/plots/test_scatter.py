from __future__ import annotations

from monai_unlearn.card.html.plots.scatter import COLOURS, scatter


def test_forgotten_images_are_triangles_and_others_rings():
    found = scatter([[0, 0, 1, 1], [1, 1, COLOURS, 0]], name="s", title="T", description="words")
    assert found.count("<polygon") == found.count('class="forget class-1"') == 1
    # Colours repeat.
    assert '<circle cx="192.0" cy="8.0" r="3" class="other class-0"/>' in found
