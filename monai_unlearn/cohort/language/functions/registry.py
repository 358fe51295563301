"""The functions of the predicate language by name: what the parser, the type checker and the SQL look up."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monai_unlearn.cohort.language.functions.function import Function

FUNCTIONS: dict[str, Function] = {}


def register(function: Function) -> None:
    """Add a function to the language.

    Raises:
        ValueError: A function of this name is already registered.
    """
    if function.name in FUNCTIONS:
        raise ValueError(f"the function '{function.name}' is already registered")
    FUNCTIONS[function.name] = function
