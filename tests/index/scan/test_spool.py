from __future__ import annotations

import pytest

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.listing import Listed
from monai_unlearn.index.scan import spool
from monai_unlearn.index.scan.spool import Spool


@pytest.mark.parametrize("count", [0, 1, 4, 5])
def test_files_are_read_back_unchanged_and_repeatedly(count, tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "FILES_A_BATCH", 2)
    files = [Listed(path=f"/ä/{number}", relative=f"{number}", size=number, mtime_ns=2**62) for number in range(count)]
    files[-1:] = [Listed(path="/x", relative="x", named=True, fault=Fault.PERMISSION_DENIED)] * bool(count)
    kept = Spool(tmp_path / "files")
    for file in files:
        kept.append(file)
    kept.close()
    assert len(kept) == count
    assert list(kept) == list(kept) == files
    assert [len(batch) for batch in kept.batches()] == [2] * (count // 2) + [1] * (count % 2)
