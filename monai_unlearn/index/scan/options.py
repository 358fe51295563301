"""How files are read, as a command line asks for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import IndexReadError, check_choice
from monai_unlearn.index.fast_readers import Reader
from monai_unlearn.index.scan.decisions import Decisions
from monai_unlearn.index.scan.extra_tags import ExtraTags
from monai_unlearn.version import __version__

if TYPE_CHECKING:
    from monai_unlearn.index.pseudonyms import Pseudonyms


@dataclass(frozen=True, kw_only=True)
class ScanOptions:
    """How files are read.

    Attributes:
        reader: The reader that is tried first.
        workers: The number of processes that read; null for one per core.
        dask: The address of a dask scheduler, or `local`, if dask is to read.
        decode_check: Whether all pixels are decoded.
        pixel_digest: Whether the digests of all pixels are taken.
        pseudonyms: What replaces identifiers, before anything is written.
        extra_tags: What is read from the files beyond what every index contains.
        decisions: Which columns that may identify people are dropped, and which kept.
    """

    reader: Reader = Reader.AUTO
    workers: int | None = None
    dask: str | None = None
    decode_check: bool = False
    pixel_digest: bool = False
    pseudonyms: Pseudonyms | None = None
    extra_tags: ExtraTags = field(default_factory=ExtraTags)
    decisions: Decisions = field(default_factory=Decisions)

    @property
    def mark(self) -> dict[str, str]:
        """What the rows of files depend on, other than the files; only rows with the same mark are reused."""
        fingerprint = "" if self.pseudonyms is None else self.pseudonyms.fingerprint
        return {
            "tool_version": __version__,
            "pseudonyms": fingerprint,
            "decode_check": str(self.decode_check),
            "pixel_digest": str(self.pixel_digest),
            "extra_tags": self.extra_tags.mark,
            "drop": ",".join(sorted(self.decisions.drop)),
        }

    @classmethod
    def of(cls, *, reader: str, workers: int | None, dask: str | None, **options: Any) -> ScanOptions:  # noqa: ANN401 - as the class takes them
        """Take the options of a command line.

        Raises:
            IndexReadError: The reader is unknown or not installed; or both workers and dask are given, although a dask
                cluster has its own workers.
        """
        check_choice(reader, [known.value for known in Reader], name="--reader", error=IndexReadError)
        if workers is not None and dask is not None:
            raise IndexReadError("--workers and --dask: a dask cluster has its own workers. Leave one of them out.")
        Reader(reader).check()
        return cls(reader=Reader(reader), workers=workers, dask=dask, **options)
