"""Marks reports in an archive: a key object selection (PS3.16 TID 2010) of each study, which says why."""

from __future__ import annotations

import uuid
from itertools import groupby
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import DataError, InputError, check_choice
from monai_unlearn.pacs.items import INSTANCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydicom.dataset import Dataset

    from monai_unlearn.release.results.find import Result

TITLES = {"issue": ("113010", "Quality Issue"), "reject": ("113001", "Rejected for Quality Reasons")}
"""What a mark says. Archives that follow IHE Imaging Object Change Management hide what was rejected."""
MANUFACTURER = "monai_unlearn"
_SERIES_NUMBER = 9002
_NAMESPACE = uuid.UUID("5b0c2f3e-6f0a-5f3a-9a4e-1f3a7c0f2b11")
# What marks need of reports; binary content, which JSON may only refer to, is none of it.
_BULK = "BulkDataURI"


def marks(results: Sequence[Result], *, version: str, title: str = "issue", why: str | None = None) -> list[Dataset]:
    """Return a mark for each study with reports of a version and of nothing else.

    A mark is of a whole report. So those that have results of other algorithms too are left for a person.

    Marked again, the marks have the same identifiers, so that an archive keeps one of each.

    Args:
        results: The reports, sorted by study.
        version: Their version.
        title: One of `TITLES`.
        why: What the mark says; by default, that the version was withdrawn.

    Raises:
        ConfigError: There is no such title.
        DataError: A report lacks what a mark must repeat.
    """
    check_choice(title, TITLES, name="--mark")
    require_highdicom("Marks")
    said = why or f"Results of version {version}, which was withdrawn."
    alone = [one for one in results if not one.others]
    return [_mark(list(group), title, said) for _, group in groupby(alone, key=lambda one: one.study)]


def require_highdicom(what: str) -> None:
    """Check that highdicom is installed.

    Args:
        what: What takes it.

    Raises:
        InputError: It is not installed.
    """
    try:
        import highdicom  # noqa: F401 - imported only to see whether it is installed
    except ImportError:
        raise InputError(
            f"{what} take highdicom, which is not installed. Install it with: pip install 'monai-unlearn[pacs]'"
        ) from None


def _mark(results: list[Result], title: str, said: str) -> Dataset:
    import highdicom as hd

    reports = [_dataset(one) for one in results]
    code, meaning = TITLES[title]
    identity = "\0".join([title, said, *(one.instance for one in results)])
    selection = hd.ko.KeyObjectSelection(
        document_title=hd.sr.CodedConcept(code, "DCM", meaning),
        referenced_objects=reports,
        observer_device_context=hd.sr.ObserverContext(
            observer_type=hd.sr.CodedConcept("121007", "DCM", "Device"),
            observer_identifying_attributes=hd.sr.DeviceObserverIdentifyingAttributes(
                uid=hd.UID.from_uuid(str(uuid.uuid5(_NAMESPACE, MANUFACTURER))), name=MANUFACTURER
            ),
        ),
        description=said,
    )
    try:
        return hd.ko.KeyObjectSelectionDocument(
            evidence=reports,
            content=selection,
            series_instance_uid=hd.UID.from_uuid(str(uuid.uuid5(_NAMESPACE, f"series\0{identity}"))),
            series_number=_SERIES_NUMBER,
            sop_instance_uid=hd.UID.from_uuid(str(uuid.uuid5(_NAMESPACE, f"instance\0{identity}"))),
            instance_number=1,
            manufacturer=MANUFACTURER,
        )
    except AttributeError as error:
        raise DataError(
            f"a report lacks {error.name or 'a tag'}, which a mark must repeat. Mark it in the archive itself."
        ) from error


def _dataset(result: Result) -> Dataset:
    import pydicom

    plain = {tag: element for tag, element in _elements(result.report) if _BULK not in element}
    dataset = pydicom.Dataset.from_json(plain)
    if INSTANCE not in plain:
        raise DataError("a report lacks SOPInstanceUID, which a mark must repeat.")
    return dataset


def _elements(report: Any) -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: ANN401 - DICOM JSON
    for tag, element in report.items():
        if isinstance(element, dict):
            yield tag, element
