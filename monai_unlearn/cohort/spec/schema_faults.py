"""What is wrong with the keys and plain values of a spec, in the words of those who write specs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.language.source import Fault, shown
from monai_unlearn.cohort.spec.document import (
    Counts,
    Expect,
    Group,
    Least,
    LeastMatched,
    Sample,
    Share,
    SpecDocument,
    ValueFile,
    ValueSource,
)
from monai_unlearn.errors import did_you_mean, nearest

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

    from monai_unlearn.cohort.language.located import Located, Path

_MODELS: dict[Path, type[BaseModel]] = {
    (): SpecDocument,
    ("sample",): Sample,
    ("expect",): Expect,
    ("expect", "images"): Counts,
    ("expect", "patients"): Counts,
    ("expect", "share"): Share,
    ("expect", "remain_per_class"): Least,
    ("expect", "matched", "*"): LeastMatched,
    ("absent",): ValueFile,
    ("value_sets", "*"): ValueSource,
    ("value_sets", "*", "absent"): ValueFile,
}
_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "model_type": "a mapping of keys",
    "dict_type": "a mapping of names",
    "list_type": "a list",
    "too_short": "at least one condition",
    "string_too_short": "text",
    "string_pattern_mismatch": "up to 64 lower-case letters, digits and '-', beginning with a letter or digit",
}
_LIMITS = {"greater_than": "above", "greater_than_equal": "at least", "less_than_equal": "at most"}
_CONDITION_FORM = "a condition such as device == Cirrus 800 FA, a list of conditions, or {all: …, any: …, not: …}"
_NOT_FORM = "one condition, or a mapping {any: […]} or {all: […]} that joins several"
_DATA_ONLY = "Cohort specs are data: nothing in them is expanded, imported or run"


def hostile_faults(spec: Located) -> dict[Path, Fault]:
    """Return, by path, what no spec may contain: references, code, and keys without a value."""
    return dict(_hostile(spec))


def _hostile(spec: Located) -> Iterator[tuple[Path, Fault]]:
    for path, value in spec.walk():
        key = path[-1] if path else ""
        if isinstance(key, str) and key[:1] in {"_", "$"}:
            yield path, spec.fault_in_key(path, f"the key '{shown(key)}' is refused. {_DATA_ONLY}.")
        elif isinstance(value, str) and value.lstrip()[:1] == "$":
            yield path, spec.fault_in_value(path, f"text that starts with '$' is refused. {_DATA_ONLY}.")
        elif value is None and path:
            yield path, spec.fault_in_key(path, f"'{shown(str(key))}' has no value. Give it one, or leave it out.")


def schema_faults(spec: Located, error: ValidationError, *, known: Container[Path]) -> Iterator[Fault]:
    """Yield every fault that the schema found, except at paths whose faults are known already.

    A required key that is misspelt is one fault, not a missing key and an unknown one.
    """
    details = {_path(detail): detail for detail in error.errors(include_url=False)}
    unknown = [path for path, detail in details.items() if detail["type"] == "extra_forbidden"]
    misspelt = {(*path[:-1], nearest(str(path[-1]), _keys(path))) for path in unknown}
    for path, detail in details.items():
        if path not in known and not (detail["type"] == "missing" and path in misspelt):
            yield _fault(spec, path, detail["type"], detail)


def _path(detail: ErrorDetails) -> Path:
    return tuple(step for step in detail["loc"] if not str(step).startswith("<"))


def _fault(spec: Located, path: Path, kind: str, detail: ErrorDetails) -> Fault:
    if kind == "missing":
        return spec.fault_in_value(path[:-1], f"the key '{path[-1]}' is missing.")
    if kind == "extra_forbidden":
        return spec.fault_in_key(path, _unknown_key(path))
    if kind == "value_error":
        return spec.fault_in_value(path, f"{detail['ctx']['error']}.")
    return spec.fault_in_value(path, f"'{_named(path)}': expected {_wanted(path, kind, detail)}, got {_got(detail)}")


def _keys(path: Path) -> list[str]:
    """Return the keys that are allowed where the last key of a path is."""
    fields = _MODELS.get(_without_names(path[:-1]), Group).model_fields
    return [field.alias or name for name, field in fields.items()]


def _without_names(path: Path) -> Path:
    """Return a path with `*` in place of the name of a value set."""
    for place, above in ((1, ("value_sets",)), (2, ("expect", "matched"))):
        if path[:place] == above and len(path) > place:
            return (*above, "*", *path[place + 1 :])
    return path


def _unknown_key(path: Path) -> str:
    keys = _keys(path)
    key = shown(str(path[-1]))
    return f"unknown key '{key}'.{did_you_mean(key, keys)} The keys here are: {', '.join(keys)}."


def _named(path: Path) -> str:
    """Return the nearest key, because items of a list have no name."""
    return next((str(step) for step in reversed(path) if isinstance(step, str)), "the spec")


def _wanted(path: Path, kind: str, detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    if path == ("schema_version",):
        return "1, the only version so far"
    if kind == "string_type" and path[:1] in {("forget",), ("population",)}:
        return _NOT_FORM if path[-1:] == ("not",) else _CONDITION_FORM
    if kind in {"enum", "literal_error"}:
        return "one of " + ", ".join(_choices(context))
    if kind in _LIMITS:
        return f"a number {_LIMITS[kind]} {next(iter(context.values())):g}"
    return _EXPECTED.get(kind, "another value")


def _choices(context: dict[str, Any]) -> list[str]:
    """Return the words that pydantic lists as `'a', 'b' or 'c'`."""
    return [text.strip("' ") for text in str(context.get("expected", "")).replace(" or ", ", ").split(",")]


def _got(detail: ErrorDetails) -> str:
    value = detail["input"]
    if isinstance(value, bool | int | float):
        return f"{str(value).lower()}."
    if isinstance(value, str):
        return f"'{shown(value)}'.{did_you_mean(value, _choices(detail.get('ctx', {})))}"
    if isinstance(value, list):
        return "an empty list." if not value else "a list."
    return "a mapping."
