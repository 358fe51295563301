"""Count the texts that a field has in an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.term import Field
from monai_unlearn.cohort.query.connection import open_index
from monai_unlearn.cohort.query.sql import Sql, SqlContext
from monai_unlearn.cohort.query.statement import SEEN
from monai_unlearn.index import usable_sql

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from monai_unlearn.cohort.query.sql import Parameter
    from monai_unlearn.cohort.typing.columns import Bound
    from monai_unlearn.index import Index

MOST = 5_000  # texts of one field


def count_spellings(
    index: Index, fields: Mapping[str, Collection[str] | None], bound: Mapping[str, Bound]
) -> dict[str, dict[str, int]]:
    """Return how many usable images have each text of some fields, the most frequent first.

    Args:
        index: The index.
        fields: The fields, each with the letters (`folding.letters`) of the texts to count; None for all texts.
        bound: The columns of each field, which hold text.

    Returns:
        The texts of each field, at most `MOST`. Several texts that DICOM joins count one by one.

    Raises:
        IndexReadError: A part cannot be read.
    """
    with open_index(index) as opened:
        context = SqlContext(bound, opened.in_sql)
        return {
            name: {row["text"]: row["images"] for row in opened.fetch(_counted(name, wanted, context)).to_pylist()}
            for name, wanted in fields.items()
        }


def _counted(name: str, wanted: Collection[str] | None, context: SqlContext) -> Sql:
    readable = Sql(*usable_sql())
    # Counted whole before they are taken apart: there are fewer different values than images.
    whole = f"SELECT {context.expression(Field(name))} AS text, COUNT(*) AS images FROM seen WHERE {readable.text}"  # noqa: S608 - quoted names
    each = "UNNEST(LIST_DISTINCT(STRING_SPLIT(text, '\\')))" if context.bound[name].many else "text"
    texts = f"SELECT {each} AS text, images FROM ({whole} GROUP BY 1)"  # noqa: S608 - as above
    counted = f"SELECT text, CAST(SUM(images) AS BIGINT) AS images FROM ({texts}) WHERE text <> '' GROUP BY text"  # noqa: S608 - as above
    chosen = "" if wanted is None else "WHERE letters(text) IN (SELECT UNNEST(?))"
    text = f"WITH {SEEN} SELECT * FROM ({counted}) {chosen} ORDER BY images DESC, text LIMIT {MOST}"  # noqa: S608 - as above
    parameters: list[Parameter] = [*readable.parameters]
    if wanted is not None:
        parameters.append([*sorted(wanted)])
    return Sql(text, tuple(parameters))
