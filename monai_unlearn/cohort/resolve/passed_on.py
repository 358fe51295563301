"""What may leave the site of a cohort's spec and attrition: no value that may identify somebody, no list of values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.resolve.attrition import RowKind
from monai_unlearn.cohort.spec.canonical import digest_of
from monai_unlearn.cohort.typing.passed_on import passed_on, passed_on_sentence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monai_unlearn.cohort.resolve.attrition import AttritionRow
    from monai_unlearn.cohort.spec.spec import CohortSpec
    from monai_unlearn.cohort.typing.columns import Bound

_LISTS = ("value_sets", "absent")


@dataclass(frozen=True)
class PassedOn:
    """A spec and its attrition, as a model card and a manifest show them.

    Attributes:
        spec: `digest` of the spec as it is; `content`, what `CohortSpec.to_dict` returns without hidden values and
            lists; `rules`, their texts; `whole`, whether nothing is hidden, so that the content is the spec.
        attrition: The rows of the attrition as plain values.
        english: What the spec's `forget` and `population` ask for in plain English, as `Sentence.to_dict` returns it;
            the population's is null where there is none.
    """

    spec: dict[str, Any]
    attrition: list[dict[str, Any]]
    english: dict[str, Any]

    @classmethod
    def of(
        cls, spec: CohortSpec, attrition: Sequence[AttritionRow], bound: Mapping[str, Bound], *, label: str | None
    ) -> PassedOn:
        """Leave out what must not be passed on.

        Args:
            spec: The spec.
            attrition: Its attrition on an index.
            bound: The columns of the spec's fields.
            label: The column of the images' classes, if there is one.
        """
        rules = [passed_on(rule, bound, label=label) for rule in spec.rules]
        population = None if spec.population is None else passed_on(spec.population, bound, label=label)
        content = {
            **spec.to_dict(),
            "forget": passed_on(spec.forget, bound, label=label),
            "population": population,
            **{key: _counted(spec.to_dict().get(key)) for key in _LISTS if spec.to_dict().get(key) is not None},
        }
        whole = digest_of(content) == spec.digest
        texts = iter([] if population is None else [f"population: {population}"]), iter(rules)
        kinds = {RowKind.POPULATION: texts[0], RowKind.RULE: texts[1]}
        rows = [
            {**row.to_dict(), "rule": next(kinds[row.kind]) if row.kind in kinds else row.rule} for row in attrition
        ]
        asked = {"forget": spec.forget, "population": spec.population}
        english = {
            name: None if one is None else passed_on_sentence(one, bound, label=label).to_dict()
            for name, one in asked.items()
        }
        return cls({"digest": spec.digest, "whole": whole, "content": content, "rules": rules}, rows, english)


def _counted(values: Any) -> Any:  # noqa: ANN401 - a list, or lists under their names
    """Return how many values there are in place of the values."""
    return {name: _counted(listed) for name, listed in values.items()} if isinstance(values, dict) else len(values)
