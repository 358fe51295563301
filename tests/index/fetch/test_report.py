"""What a fetch says of itself."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from monai_unlearn.index.fetch.report import FetchReport


def test_what_is_whole():
    done = FetchReport(Path("images"), 3, fetched=1, present=1, on_demand=1)
    assert (done.is_whole, done.document()["whole"], done.document()["on_demand"]) == (True, True, 1)
    assert not FetchReport(Path("images"), 3, fetched=2, missing=1).is_whole
    short = FetchReport(Path("images"), 3, fetched=2, faulty=Counter({"truncated": 1}))
    assert json.loads(json.dumps(short.document()))["faulty"] == {"truncated": 1}
