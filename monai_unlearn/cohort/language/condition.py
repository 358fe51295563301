"""The forms in which a spec may write a condition, brought down to one predicate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.language.parse import parse_source
from monai_unlearn.cohort.language.predicate import And, Not, Or, Predicate

if TYPE_CHECKING:
    from monai_unlearn.cohort.language.located import Located, Path
    from monai_unlearn.cohort.language.source import Fault


class Conditions:
    """Reads the conditions of one spec, and keeps the faults that it meets, and each text that has none.

    What the schema refuses is left out here without a word: the schema says it.
    """

    def __init__(self, spec: Located) -> None:
        self._spec = spec
        self.faults: list[Fault] = []
        self.parsed: list[Predicate] = []

    def read(self, path: Path, condition: object) -> Predicate | None:
        """Return a condition's predicate, or None where it has a fault."""
        try:
            if isinstance(condition, str):
                return self._text(path, condition)
            if isinstance(condition, list):
                return _joined(And, self._each(path, condition))
            return self._group(path, condition) if isinstance(condition, dict) else None
        except ValueError as error:  # deeper than nodes may nest
            self.faults.append(self._spec.fault_in_value(path, f"{error}."))
            return None

    def _text(self, path: Path, text: str) -> Predicate | None:
        result = parse_source(self._spec.source(path, text))
        if isinstance(result, Predicate):
            self.parsed.append(result)
            return result
        self.faults.append(result)
        return None

    def _each(self, path: Path, conditions: list[Any]) -> list[Predicate | None]:
        return [self.read((*path, number), condition) for number, condition in enumerate(conditions)]

    def _group(self, path: Path, group: dict[str, Any]) -> Predicate | None:
        """Join what a mapping says: each of `all` stands as a rule of its own beside `any` and `not`."""
        rules: list[Predicate | None] = []
        if isinstance(every := group.get("all"), list):
            rules += self._each((*path, "all"), every)
        if isinstance(some := group.get("any"), list):
            rules.append(_joined(Or, self._each((*path, "any"), some)))
        if isinstance(none := group.get("not"), str | dict):
            operand = self.read((*path, "not"), none)
            rules.append(Not(operand) if operand else None)
        return _joined(And, rules)


def _joined(join: type[And | Or], operands: list[Predicate | None]) -> Predicate | None:
    whole = [operand for operand in operands if operand is not None]
    if not whole or len(whole) < len(operands):
        return None
    return whole[0] if len(whole) == 1 else join(tuple(whole))
