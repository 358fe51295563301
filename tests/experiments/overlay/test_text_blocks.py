from __future__ import annotations

from monai_unlearn.experiments.overlay.text_blocks import text_blocks


def test_a_block_has_its_comment_and_its_lines():
    text = "# Far away.\n\n# Of a.\n# More.\na: 1\nb:\n  # inside\n  c: 2\n\n# End.\n"
    assert text_blocks(text) == {"a": "# Of a.\n# More.\na: 1", "b": "b:\n  # inside\n  c: 2"}
