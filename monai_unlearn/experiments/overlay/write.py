"""Renders `unlearn.yaml` and `train_reference.yaml` from their templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def rendered(template: str, values: Mapping[str, Any]) -> str:
    """Return the text of a config.

    Args:
        template: The name of the template in `experiments/`.
        values: Its variables; see the template.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("monai_unlearn.experiments", "."),
        autoescape=False,  # noqa: S701 - YAML, and every value is written as YAML
        trim_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(template).render(values)
