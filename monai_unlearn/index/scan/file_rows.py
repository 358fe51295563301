"""From files to the rows that a run stores: read, and with all that the options add to them and leave out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.index.fast_readers import read_files
from monai_unlearn.index.readers.identity import without_birth_dates
from monai_unlearn.index.scan.pixel_digests import with_pixel_digests

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from monai_unlearn.index.fast_readers import Reader
    from monai_unlearn.index.listing import Listed
    from monai_unlearn.index.scan.options import ScanOptions


def rows_of(files: Sequence[Listed], *, reader: Reader, options: ScanOptions) -> pa.Table:
    """Read files, with digests of their pixels if the user asks for them.

    The rows are `finished`, except where all pixels are to be decoded before.

    Args:
        files: The files.
        reader: The reader that is tried first.
        options: What the user asks for.
    """
    rows = read_files(files, reader=reader)
    rows = with_pixel_digests(rows) if options.pixel_digest else rows
    return rows if options.decode_check else finished(rows, options)


def finished(rows: pa.Table, options: ScanOptions) -> pa.Table:
    """Return rows of files with extra tags and pseudonyms, and without what is dropped, as the options say.

    Their birth dates are replaced in any case, so that they may be written.

    Args:
        rows: One row per file, as the readers return them.
        options: What the user asks for.
    """
    decisions, pseudonyms = options.decisions, options.pseudonyms
    tagged = options.extra_tags.rows(rows, pseudonyms, dropped=decisions.drop)
    kept = decisions.without_dropped(tagged)
    return without_birth_dates(kept) if pseudonyms is None else pseudonyms.rows(kept)
