"""From a file of the inbox to the spec of a cohort: a list, a spec, or consents in FHIR."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from monai_unlearn import strict_yaml
from monai_unlearn.errors import DataError
from monai_unlearn.experiments.drawn_spec import write_spec
from monai_unlearn.watch.consents import ConsentRule, withdrawn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from monai_unlearn.cohort import CohortSpec
    from monai_unlearn.watch.mailbox import Letter

SPEC = "cohort_spec.yaml"
LIST, OWN_SPEC, CONSENTS = "withdrawals", "spec", "fhir_consent"
KINDS = {".txt": LIST, ".csv": LIST, ".tsv": LIST, ".yaml": OWN_SPEC, ".yml": OWN_SPEC, ".json": CONSENTS}
OF_SPEC = ".list"
"""What the name of a list ends in that a spec reads: never a request itself, because it may name whom to keep."""
_COLUMNS = ("PatientID", "patient_id", "patient")
# Combined with others, a spec with any of these would mean something else.
_ALONE = ("population", "sample", "absent")
_SHARED = ("reason", "scope", "unknown", "implausible", "allow_empty_record")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How files of the inbox are read.

    Attributes:
        column: The column of a CSV that has the patients; None takes the only one, or one called PatientID.
        consents: Which FHIR consents count.
    """

    column: str | None = None
    consents: ConsentRule = field(default_factory=ConsentRule)


def kind_of(name: str) -> str | None:
    """Return what a file is by its name; None where it is nothing that is acted on.

    >>> kind_of("leaving.txt"), kind_of("retire.yaml"), kind_of("consents.json"), kind_of("photo.png")
    ('withdrawals', 'spec', 'fhir_consent', None)
    """
    return KINDS.get(f".{name.rpartition('.')[2].lower()}" if "." in name else "")


def identifier_of(kind: str, content: bytes) -> str:
    """Return the identifier of a request: the same content is the same request, whatever its file is called."""
    return hashlib.sha256(kind.encode() + b"\0" + content).hexdigest()[:16]


def files_named(text: bytes) -> set[str]:
    """Return the files that a spec reads lists from, by the names in it.

    Raises:
        SpecError: It is no YAML.
    """
    document = strict_yaml.load(_text(text), source="spec")
    if not isinstance(document, dict):
        return set()
    sets = document.get("value_sets")
    found = _absent(document.get("absent"))
    for one in sets.values() if isinstance(sets, dict) else ():
        if isinstance(one, dict):
            found |= _file(one) | _absent(one.get("absent"))
    return found


def write_request(folder: Path, letter: Letter, *, name: str, reading: Reading, beside: Callable[[str], bytes]) -> None:
    """Write the spec of a request, and the lists that it reads, into a folder.

    Args:
        folder: An empty folder.
        letter: The file.
        name: The request's identifier.
        reading: How it is read.
        beside: Returns the content of a file beside it, by its name.

    Raises:
        InputError: It cannot be read as what it is.
    """
    kind = kind_of(letter.name)
    if kind == OWN_SPEC:
        files = files_named(letter.content)
        if not all(file.endswith(OF_SPEC) for file in files):
            raise DataError(
                f"expected lists of the spec whose names end in {OF_SPEC}, which are never taken for withdrawals, got "
                "another name. Rename the list, in the spec too."
            )
        for file in sorted(files):
            (folder / file).write_bytes(beside(file))
        (folder / SPEC).write_bytes(letter.content)
        return
    if kind == CONSENTS:
        file, column = f"withdrawn-{name}.csv", "PatientID"
        (folder / file).write_text(_table(withdrawn(letter.content, reading.consents), column), encoding="utf-8")
    else:
        file = f"withdrawn-{name}.{letter.name.rpartition('.')[2].lower()}"
        column = "" if file.endswith(".txt") else _column(letter.content, file, reading.column)
        (folder / file).write_bytes(letter.content)
    document = {
        "schema_version": 1,
        "name": f"withdrawals-{name}",
        "reason": "consent_withdrawal",
        "value_sets": {f"withdrawn_{name}": {"file": file, **({"column": column} if column else {})}},
        "forget": f"patient in @withdrawn_{name}",
        "scope": "patient",
    }
    (folder / SPEC).write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def combine(new: CohortSpec, earlier: Sequence[CohortSpec], folder: Path, *, name: str) -> Path:
    """Write a spec that forgets what a new one and earlier ones forget, and return its file.

    A protocol holds for the weights that it was rehearsed with. So each run revises those, and forgets everything that
    was asked for so far.

    Args:
        new: The new spec.
        earlier: Earlier ones.
        folder: Where to write it, with its lists.
        name: Its name.

    Raises:
        DataError: They cannot be joined: they differ in what they say of the whole cohort, or use one name for two
            lists.
        SpecError: The joined rule is too large.
    """
    every = [*earlier, new]
    documents = [spec.to_dict() for spec in every]
    alone = [key for key in _ALONE if any(document.get(key) for document in documents)]
    other = [key for key in _SHARED if len({document.get(key) for document in documents}) > 1]
    if alone or other:
        raise DataError(
            f"it cannot be joined with what was forgotten before by the same protocol: "
            f"{_and(alone, 'has', 'cannot be shared')}{_and(other, 'differs in', '')}. Forget it in a run of its own."
        )
    lists: dict[str, Sequence[str]] = {}
    for spec in every:
        for key, values in spec.value_sets.items():
            if lists.setdefault(key, values) != values:
                raise DataError(f"the value set '{key}' has other values in an earlier request. Give it another name.")
    rule = " or ".join(f"({spec.forget})" for spec in every)
    write_spec(new, folder, name=name, forget=rule, lists=lists)
    return folder / f"{name}.yaml"


def _and(keys: Sequence[str], before: str, after: str) -> str:
    return f"it {before} {', '.join(keys)}{f', which {after}' if after else ''}" if keys else ""


def _file(one: Mapping[str, Any]) -> set[str]:
    return {str(one["file"])} if "file" in one else set()


def _absent(one: object) -> set[str]:
    if isinstance(one, str):
        return {one}
    return _file(one) if isinstance(one, dict) else set()


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError("expected UTF-8, got other bytes.") from None


def _table(values: Sequence[str], column: str) -> str:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerows([[column], *([value] for value in values)])
    return stream.getvalue()


def _column(content: bytes, file: str, wanted: str | None) -> str:
    """Return the column of a table that has the patients."""
    mark = "\t" if file.endswith(".tsv") else ","
    header = [name.strip() for name in next(csv.reader(io.StringIO(_text(content)), delimiter=mark), [])]
    known = [wanted] if wanted else [*([header[0]] if len(header) == 1 else []), *_COLUMNS]
    found = next((name for name in known if name in header), None)
    if found is None:
        expected = f"a column '{wanted}'" if wanted else f"one column, or one called {' or '.join(_COLUMNS)}"
        raise DataError(f"expected {expected} in the table, found {len(header)} others. Name it with --column.")
    return found
