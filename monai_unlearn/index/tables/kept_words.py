"""Words that tables read as missing, such as `None` or `NA`, and that are values of some column all the same.

`None` may be a grade, and `NA` a site. pandas has the same choice (`keep_default_na` and `na_values` of `read_csv`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monai_unlearn.errors import IndexReadError, did_you_mean
from monai_unlearn.index.tables.spellings import is_missing
from monai_unlearn.vocabulary.counted import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence


@dataclass(frozen=True)
class KeptWords:
    """The words that a user keeps as values.

    Attributes:
        of_columns: Such words by column, in lower case: like those of missing values, they count in any case.
        everywhere: Those of every column.
    """

    of_columns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    everywhere: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, given: Sequence[str]) -> KeptWords:
        """Parse each `WORD` or `COLUMN=WORD` of a command line.

        Raises:
            IndexReadError: One is no word that tables read as missing.

        >>> KeptWords.parse(["NA", "grade=None"]).of("grade") == {"na", "none"}
        True
        """
        everywhere: set[str] = set()
        of_columns: dict[str, frozenset[str]] = {}
        for text in given:
            column, _, word = (part.strip() for part in text.rpartition("="))
            if not word or not is_missing(word):
                raise IndexReadError(
                    f"--keep-word {text}: expected a word that tables read as missing, such as None, NA or NULL, alone "
                    "or as COLUMN=WORD. Every other word is a value in any case."
                )
            if column:
                of_columns[column] = of_columns.get(column, frozenset()) | {word.lower()}
            else:
                everywhere.add(word.lower())
        return cls(of_columns, frozenset(everywhere))

    def of(self, column: str) -> frozenset[str]:
        """Return the words that are values of a column, in lower case."""
        return self.everywhere | self.of_columns.get(column, frozenset())

    def renamed(self, names: Mapping[str, str]) -> KeptWords:
        """Return the same, where users may also name columns as the index does.

        Args:
            names: The new name of each renamed column, by its name in the table.
        """
        old = {new: name for name, new in names.items()}
        of_columns: dict[str, frozenset[str]] = {}
        for column, words in self.of_columns.items():
            name = old.get(column, column)
            of_columns[name] = of_columns.get(name, frozenset()) | words
        return KeptWords(of_columns, self.everywhere)

    def check(self, columns: Collection[str]) -> None:
        """Check that the tables have the columns that are named.

        Raises:
            IndexReadError: One is in no table.
        """
        for column in self.of_columns:
            if column not in columns:
                hint = did_you_mean(column, columns)
                raise IndexReadError(f"--keep-word {column}=…: no table has the column '{column}'.{hint}")


def missing_lines(words: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Yield which words were read as missing, a sentence for each column: one of them may have been meant as a value.

    Args:
        words: In how many rows each column has each word.

    >>> print(*missing_lines({"grade": {"None": 210, "NA": 1}}))
    grade: “None” in 210 rows, “NA” in 1 row read as missing; a word that is a value is kept with --keep-word grade=None
    """
    for column, counts in words.items():
        listed = ", ".join(f"“{word}” in {counted(count, 'row')}" for word, count in counts.items())
        option = f"--keep-word {column}={next(iter(counts))}"
        yield f"{column}: {listed} read as missing; a word that is a value is kept with {option}"
