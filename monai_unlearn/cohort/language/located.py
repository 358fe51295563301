"""A YAML document with the place of every key and value, so that faults can point at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn import strict_yaml
from monai_unlearn.cohort.language.source import Document, Fault, Source, point

if TYPE_CHECKING:
    from collections.abc import Iterator

Path = strict_yaml.KeyPath


@dataclass(frozen=True)
class Located:
    """A spec's content, with the text that it was read from, and the place of each value in it."""

    document: Document
    _parsed: strict_yaml.Parsed

    @classmethod
    def read(cls, text: str, name: str) -> Located:
        """Parse a document.

        Raises:
            SpecError: The text is not plain YAML (`strict_yaml`).
        """
        return cls(Document(name, text), strict_yaml.parse(text, source=name))

    @property
    def content(self) -> Any:  # noqa: ANN401 - a YAML document is any tree of plain values
        """The plain values."""
        return self._parsed.content

    def walk(self) -> Iterator[tuple[Path, Any]]:
        """Yield every key and item with its path, first the whole content with an empty path."""
        pending: list[tuple[Path, Any]] = [((), self.content)]
        while pending:
            path, value = pending.pop()
            yield path, value
            if isinstance(value, dict):
                pending.extend(((*path, key), child) for key, child in value.items())
            elif isinstance(value, list):
                pending.extend(((*path, number), child) for number, child in enumerate(value))

    def source(self, path: Path, text: str) -> Source:
        """Return the source of a predicate that is the value at a path."""
        return Source.within(text, self.document, self._parsed.scalars[path])

    def text_of(self, path: Path) -> str:
        """Return a scalar as its author spelled it: as a patient's identifier, `1.10` is not a number."""
        scalar = self._parsed.scalars[path]
        if scalar.style is None:
            return self.document.text[scalar.start : scalar.end]
        value = self.content
        for step in path:
            value = value[step]
        return str(value)

    def fault_in_key(self, path: Path, message: str) -> Fault:
        """Return a fault that points at a key."""
        line = self._line(path)
        key = str(path[-1]) if path else ""
        column = self.document.line(line).find(key) + 1 if key else 0
        return self._point(line, column, len(key), message)

    def fault_in_value(self, path: Path, message: str) -> Fault:
        """Return a fault that points at a value, or at the line where a list or mapping begins."""
        scalar = self._parsed.scalars.get(path)
        if scalar is None:
            return self._point(self._line(path), 0, 0, message)
        line, column = self.document.place(scalar.start)
        width = len(self.document.text[scalar.start : scalar.end].split("\n")[0])
        return self._point(line, column, width, message)

    def _line(self, path: Path) -> int:
        while path and path not in self._parsed.lines:
            path = path[:-1]
        return self._parsed.lines.get(path, 1)

    def _point(self, line: int, column: int, width: int, message: str) -> Fault:
        if not (column and width):
            return Fault(line, column, message)
        # The text after the marked part may be a list of patients, so it is cut off.
        text = self.document.line(line)[: column - 1 + width]
        return Fault(line, column, message, point(text, line, column, width))
