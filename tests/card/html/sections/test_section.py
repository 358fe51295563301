from __future__ import annotations

import inspect
from pathlib import Path

from monai_unlearn.card import html
from monai_unlearn.card.html.sections import SECTIONS
from monai_unlearn.card.html.sections.section import Section

TEMPLATES = Path(html.__file__).parent / "templates"


def test_each_section_has_a_module_and_a_template_of_its_name():
    assert {type(one) for one in SECTIONS} == {Section}
    for one in SECTIONS:
        assert (TEMPLATES / f"{one.name}.html.jinja").is_file()
        assert Path(inspect.getfile(one.view)).stem == one.name
