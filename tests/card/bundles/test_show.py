from __future__ import annotations

import pytest
from card_example import CLOSE, FULL, build
from two_bundles import write_bundle

from monai_unlearn.card import RENDERERS
from monai_unlearn.card.bundles.show import shown
from monai_unlearn.errors import ConfigError

CARD = build(original=FULL, revised=CLOSE)


@pytest.mark.parametrize(("kind", "suffix"), [("md", "md"), ("html", "html"), ("json", "json"), ("chai", "xml")])
def test_a_card_of_ours_is_rendered_as_the_run_did(tmp_path, kind, suffix):
    root = write_bundle(tmp_path / "a", card=CARD)
    assert shown(root, kind) == RENDERERS[f"model_card_diff.{suffix}"](CARD)


def test_any_other_bundle_shows_what_it_says_of_itself(tmp_path):
    assert shown(write_bundle(tmp_path / "a"), "md").startswith("# Lungs 1.0.0\n\nReads lungs.\n")


def test_a_card_of_another_form_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="is not a card that this version renders"):
        shown(write_bundle(tmp_path / "a", card={"base": 1}), "html")
