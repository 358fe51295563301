from __future__ import annotations

import pytest
from card_example import rich

from monai_unlearn.card.html import to_html
from monai_unlearn.card.html.sections.verdict import SIGNERS, view
from monai_unlearn.card.wording import ACTIONS

DIFF = rich()


@pytest.mark.parametrize("action", list(ACTIONS))
def test_the_strip_says_what_to_do_and_why(action):
    diff = {**DIFF, "advice": {"action": action, "sentence": "Because & so."}}
    assert view(diff)["title"] == ACTIONS[action]
    page = to_html(diff)
    assert f'<div class="strip {action}">' in page
    assert '<p class="sentence">Because &amp; so.</p>' in page


def test_what_was_forgotten_is_told_in_plain_words_with_lines_to_sign_on():
    page = to_html(DIFF)
    strip = page[page.index('<section id="verdict"') : page.index("<nav")]
    assert "those where device is “Old”" in " ".join(strip.split())
    assert "a device is no longer to be relied on" in strip
    assert strip.count("<span>signature</span><span>date</span>") == len(SIGNERS) == 3
