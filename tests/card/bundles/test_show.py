from __future__ import annotations

import pytest
from card_example import CLOSE, FULL, build
from forgotten_images import PLANTED, write_run
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


def test_pictures_only_where_asked_for_and_never_in_the_bundle(tmp_path):
    bundle, index = write_run(tmp_path)
    before = {path: path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
    page = shown(bundle, "html", images_of=index.directory)
    assert page.count('<img src="data:image/png;base64,') == 12
    assert "It stays with the evidence: do not pass it on." in page
    assert "img-src data:;" in page
    assert not [name for name in (PLANTED, "image-0", "patient-0", str(tmp_path)) if name in page]
    plain = shown(bundle, "html")
    assert not [words for words in ("<img", "img-src", "stays with the evidence") if words in plain]
    assert {path: path.read_bytes() for path in bundle.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(("kind", "card"), [("md", CARD), ("html", None)])
def test_pictures_need_the_page_of_a_revision(tmp_path, kind, card):
    with pytest.raises(ConfigError, match="pictures are shown on the page of a revision"):
        shown(write_bundle(tmp_path / "a", card=card), kind, images_of=tmp_path)
