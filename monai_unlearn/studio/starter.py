"""Specs to start from: what people most often ask for, written in the language of specs."""

from __future__ import annotations

import re

import yaml

from monai_unlearn.cohort.language.condition import Comparison, Operator
from monai_unlearn.cohort.language.node import Value
from monai_unlearn.cohort.language.term import Field

DEVICE = "device"
EMPTY = """\
schema_version: 1
name: my-cohort
reason: other
# Which images to forget: a condition on what is known about them, such as
#   forget: device == Cirrus 800 FA
forget:
"""
_LONGEST = 40


def retire_device(device: str) -> str:
    """Return a spec that forgets all images of a device.

    >>> print(retire_device("Cirrus 800 FA"), end="")
    schema_version: 1
    name: retire-cirrus-800-fa
    reason: device_deprecation
    forget: device == Cirrus 800 FA

    Raises:
        ValueError: The name has control characters.
    """
    rule = str(Comparison(Field(DEVICE), Operator.EQUAL, Value(device)))
    slug = re.sub(r"[^a-z0-9]+", "-", device.lower())[:_LONGEST].strip("-")
    content = {
        "schema_version": 1,
        "name": f"retire-{slug or 'device'}",
        "reason": "device_deprecation",
        "forget": rule,
    }
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1_000)
