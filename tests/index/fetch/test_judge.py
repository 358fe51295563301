"""Whether a file is the image that was asked for."""

from __future__ import annotations

from file_archive import rows

from monai_unlearn.index.fetch.judge import OTHER_IMAGE, OTHER_PATIENT, judged
from monai_unlearn.index.fetch.wanted import Wanted, wanted_of


def test_the_image_another_one_and_half_of_it(tmp_path, index, files):
    one, other, *_ = wanted_of(rows(index))
    content = files[one.study, one.series, one.uid]
    path = tmp_path / "one.dcm"
    path.write_bytes(content)
    entry, fault = judged(path, one)
    assert (fault, entry.size, entry.patient) == (None, len(content), next(iter(one.people)))
    assert judged(path, other)[1] == OTHER_IMAGE
    assert judged(path, Wanted(one.image_id, one.study, one.series, frozenset({"SOMEBODY"})))[1] == OTHER_PATIENT
    path.write_bytes(content[:-100])
    assert judged(path, one)[1] == "truncated"
