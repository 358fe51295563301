"""Files of an archive by C-GET (DICOM PS3.4 section C.4.3): they come over the association that asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pynetdicom import build_role, evt
from pynetdicom.presentation import build_context
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet

from monai_unlearn.pacs.association import NotOfferedError, associated
from monai_unlearn.pacs.retry import PassingFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydicom.dataset import Dataset

    from monai_unlearn.pacs.association import Peer

# A requestor may propose 128 presentation contexts (PS3.8 section 9.3.2.2), one of them for C-GET itself.
MOST_CONTEXTS = 127
_SUCCESS = 0x0000


def got(peer: Peer, query: Dataset, storage: Sequence[Any]) -> tuple[list[bytes], bool]:
    """Ask for files, and return those that came with whether the archive says that these are all.

    Args:
        peer: The archive.
        query: Which files.
        storage: The presentation contexts that they may come in.

    Raises:
        ArchiveError: The archive refuses, or does not offer C-GET.
        PassingFault: The connection was cut.
    """
    received: list[bytes] = []

    def store(event: Any) -> int:  # noqa: ANN401 - pynetdicom's
        received.append(event.encoded_dataset())
        return _SUCCESS

    association = associated(
        peer,
        [*storage[:MOST_CONTEXTS], build_context(StudyRootQueryRetrieveInformationModelGet)],
        ext_neg=[build_role(kind, scp_role=True) for kind in sorted({one.abstract_syntax for one in storage})],
        evt_handlers=[(evt.EVT_C_STORE, store)],
    )
    try:
        answers = association.send_c_get(query, StudyRootQueryRetrieveInformationModelGet)
        codes = [getattr(status, "Status", None) for status, _ in answers]
    except ValueError:  # pynetdicom has no context that was accepted
        raise NotOfferedError(peer, str(StudyRootQueryRetrieveInformationModelGet.name)) from None
    except RuntimeError:
        raise PassingFault("was not sent: the connection was cut") from None
    finally:
        association.release()
    return received, bool(codes) and codes[-1] == _SUCCESS
