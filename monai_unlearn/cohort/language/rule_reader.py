"""Reads the ways in which a spec may write a rule (text, list, `all`, `any`, `not`) as one predicate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.language.logic import And, Not, Or
from monai_unlearn.cohort.language.parse import parse_source
from monai_unlearn.cohort.language.predicate import Predicate

if TYPE_CHECKING:
    from monai_unlearn.cohort.language.located import Located, Path
    from monai_unlearn.cohort.language.source import Fault


class RuleReader:
    """Reads the rules of one spec, and collects their faults and every text that parses.

    What the schema refuses is skipped here without a fault: the schema reports it.
    """

    def __init__(self, spec: Located) -> None:
        self._spec = spec
        self.faults: list[Fault] = []
        self.parsed: list[Predicate] = []

    def read(self, path: Path, rule: object) -> Predicate | None:
        """Return the predicate of a rule, or None where it has a fault."""
        try:
            if isinstance(rule, str):
                return self._text(path, rule)
            if isinstance(rule, list):
                return _joined(And, self._each(path, rule))
            return self._mapping(path, rule) if isinstance(rule, dict) else None
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

    def _each(self, path: Path, rules: list[Any]) -> list[Predicate | None]:
        return [self.read((*path, number), rule) for number, rule in enumerate(rules)]

    def _mapping(self, path: Path, mapping: dict[str, Any]) -> Predicate | None:
        """Join `all`, `any` and `not` with `and`; each item of `all` stays a rule of its own."""
        rules: list[Predicate | None] = []
        if isinstance(every := mapping.get("all"), list):
            rules += self._each((*path, "all"), every)
        if isinstance(some := mapping.get("any"), list):
            rules.append(_joined(Or, self._each((*path, "any"), some)))
        if isinstance(none := mapping.get("not"), str | dict):
            operand = self.read((*path, "not"), none)
            rules.append(Not(operand) if operand else None)
        return _joined(And, rules)


def _joined(join: type[And | Or], operands: list[Predicate | None]) -> Predicate | None:
    whole = [operand for operand in operands if operand is not None]
    if not whole or len(whole) < len(operands):
        return None
    return whole[0] if len(whole) == 1 else join(tuple(whole))
