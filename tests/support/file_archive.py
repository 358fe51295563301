"""An archive of files in memory, and the index that is pulled from it."""

from __future__ import annotations

from contextlib import nullcontext
from io import BytesIO

import pydicom
from dicom_json import image

from monai_unlearn.index.fetch.archive import ImageSource
from monai_unlearn.index.fetch.wanted import people_of
from monai_unlearn.pacs.web import RefusedError
from monai_unlearn.phantom import write_fundus_studies


def phantom_files(folder, *, patients):
    """The content of phantom files, by study, series and image."""
    write_fundus_studies(folder / "out", patients=patients, size=64)
    found = {}
    for path in sorted((folder / "out").rglob("*.dcm")):
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        found[dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID] = path.read_bytes()
    return found


def serving(files, monkeypatch):
    """Return an archive of files that everybody reaches who asks one for images."""
    archive = Files(files)
    monkeypatch.setattr(ImageSource, "opened", lambda _: nullcontext(archive))
    return archive


class Files:
    """An archive of files that counts what it is asked for."""

    def __init__(self, files):
        self.files, self.asked = dict(files), []

    def instance(self, *uids):
        self.asked.append(uids)
        if uids not in self.files:
            raise RefusedError("gone", 404)
        if isinstance(self.files[uids], Exception):
            raise self.files[uids]
        return self.files[uids]


def images_of(files):
    """The metadata of the files."""
    found = []
    for (study, series, uid), content in files.items():
        patient = str(pydicom.dcmread(BytesIO(content), stop_before_pixels=True).PatientID)
        found.append(image(study, 1, SeriesInstanceUID=series, SOPInstanceUID=uid, PatientID=patient))
    return found


def rows(index):
    people = people_of(index)
    found = index.frame(["image_id", "study", "series"]).itertuples(index=False, name=None)
    return [(*row, people[row[0]]) for row in found]
