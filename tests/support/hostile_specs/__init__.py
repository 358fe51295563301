"""Specs from an untrusted source: some that must be refused, and some that only look hostile."""

from __future__ import annotations

from hostile_specs.case import OUTSIDE, SECRET, Harmless, Hostile
from hostile_specs.characters import CHARACTER_TRICKS
from hostile_specs.files import FILE_TRICKS
from hostile_specs.functions import FUNCTION_TRICKS
from hostile_specs.harmless import HARMLESS
from hostile_specs.keys import KEY_TRICKS
from hostile_specs.predicates import PREDICATE_TRICKS
from hostile_specs.yaml_tricks import YAML_TRICKS

HOSTILE: list[Hostile] = [
    *YAML_TRICKS,
    *CHARACTER_TRICKS,
    *KEY_TRICKS,
    *PREDICATE_TRICKS,
    *FUNCTION_TRICKS,
    *FILE_TRICKS,
]

__all__ = ["HARMLESS", "HOSTILE", "OUTSIDE", "SECRET", "Harmless", "Hostile"]
