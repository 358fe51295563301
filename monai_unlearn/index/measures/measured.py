"""Adding measures to the parts of an index that are already written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn.index.measures.join import join_measures
from monai_unlearn.index.store.pandas_types import PANDAS_TYPES
from monai_unlearn.index.store.part_writer import named_by_content

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from monai_unlearn.index.assemble import Collected
    from monai_unlearn.index.measures.labels import MaskLabels
    from monai_unlearn.index.measures.measure_match import Measured
    from monai_unlearn.index.scan.read import Track
    from monai_unlearn.index.store.part_writer import PartWriter
    from monai_unlearn.vocabulary.fields import Kind

# The columns by which files of measures are matched with images.
_MATCHED_BY = ["image_id", "path", "study", "series", "fault"]


def measured_parts(
    writer: PartWriter,
    collected: Collected,
    measures: Sequence[Path],
    labels: MaskLabels,
    *,
    leave_out: Sequence[Path],
    track: Track,
    kinds: Mapping[str, Kind],
) -> Measured:
    """Add measures to the parts; this holds the identifiers of all images in memory.

    Args:
        writer: The parts, closed.
        collected: The files, with what identifies each.
        measures: Files and folders of measures.
        labels: The names of the labels of NIfTI masks.
        leave_out: Files and folders among them without measures.
        track: Passes the files to read through, and shows the progress.
        kinds: The columns of the parts.

    Raises:
        IndexReadError: As in `join_measures`.
    """
    parts = [writer.stage / name for name in writer.parts]
    named = pa.concat_tables([pq.read_table(part, columns=_MATCHED_BY) for part in parts])
    ids = pq.read_table(collected.ids, columns=["relative", "is_row"])
    named = named.append_column("relative", ids.filter(ids["is_row"])["relative"])
    frame = named.to_pandas(types_mapper=PANDAS_TYPES.get)
    # The other columns are only needed as names, which measures must not have.
    frame = pd.concat([frame, pd.DataFrame(index=frame.index, columns=[n for n in kinds if n not in frame])], axis=1)
    measured = join_measures(frame, measures, labels, leave_out=leave_out, track=track)
    joined = frame if measured.frame is None else measured.frame
    columns = pa.Table.from_pandas(joined[list(measured.units)], preserve_index=False)
    begin = 0
    for number, part in enumerate(parts):
        rows = pq.read_table(part)
        for name in measured.units:
            rows = rows.append_column(name, columns[name].slice(begin, rows.num_rows).cast(pa.float64()))
        begin += rows.num_rows
        part.unlink()
        plain = part.with_name(f"part-{number:05d}.parquet")
        pq.write_table(rows.replace_schema_metadata(None), plain, compression="zstd")
        writer.parts[number] = named_by_content(plain, writer.stage)
    return measured
