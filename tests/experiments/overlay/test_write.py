from __future__ import annotations

import jinja2
import pytest

from monai_unlearn.experiments.overlay.write import rendered


def test_a_value_that_is_missing_is_an_error():
    with pytest.raises(jinja2.UndefinedError):
        rendered("unlearn.yaml.jinja", {})
