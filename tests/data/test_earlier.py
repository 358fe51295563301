from __future__ import annotations

import pandas as pd
import pytest
from lineage_example import entry, lineage
from tiny import SPEC, tiny_index, tiny_spec, write_images

from monai_unlearn.cohort.lineage.hashes import Hashes, image_rows
from monai_unlearn.cohort.lineage.members import LineageMembers
from monai_unlearn.cohort.lineage.site_key import write_key
from monai_unlearn.data import open_data, subset_datasets
from monai_unlearn.data.earlier import digests_of, find_earlier
from monai_unlearn.data.pixel_digest import PixelCheck
from monai_unlearn.errors import ConfigError
from monai_unlearn.index import write_index
from monai_unlearn.index.pseudonyms import Pseudonyms
from monai_unlearn.vocabulary.fields import Kind

KEY = Pseudonyms(b"sixteen bytes or more")
CLASSES = ("up", "down")


@pytest.fixture
def frame(tmp_path):
    return write_images(tmp_path / "images")


def index_of(folder, frame, key=None):
    """Write an index, of pseudonyms where a key is given."""
    provenance = {"patient_from": "patient"}
    if key is not None:
        frame = frame.assign(patient=[key.of("patient", name) for name in frame["patient"]])
        provenance["pseudonyms"] = key.fingerprint
    kinds = dict.fromkeys(("ManufacturerModelName", "diagnosis", "pixel_digest"), Kind.TEXT)
    kinds = {name: kind for name, kind in kinds.items() if name in frame}
    return write_index(frame, folder, kinds=kinds, label="diagnosis", provenance=provenance)


def revised(folder, index, *, patient=True, key=KEY):
    """Write the bundle and the evidence of a revision that forgot the images of patient-002 and patient-004."""
    rows = image_rows(index)
    rows = rows[rows["image_id"].str.contains("00[24]")].reset_index(drop=True)
    hashes = Hashes(key, index)
    found = hashes.of(rows, digests_of(index, rows, PixelCheck.of(index)))
    kept = {(kind, one) for _, kind, one in found if kind != "patient" or patient}
    members = LineageMembers.of("0.2.0", kept, key=key.fingerprint, patients_by=hashes.patients_by)
    members.write(folder / "evidence" / "lineage_members.parquet")
    write_key(key, folder / "evidence" / "lineage.key")
    bundle = folder / "revised_bundle"
    bundle.mkdir()
    lineage(entry(members_digest=members.digest("0.2.0"))).write(bundle)
    return bundle


def ids(data):
    return set(data.earlier.frame["image_id"])


FORGOTTEN = {f"image-{number:03}{eye}" for number in (2, 4) for eye in "LR"}


@pytest.mark.parametrize("keys", [(None, None), (KEY, None), (None, KEY), (KEY, KEY)])
def test_plain_and_pseudonymised_indexes_of_one_site_agree(keys, frame, tmp_path):
    bundle = revised(tmp_path, index_of(tmp_path / "first", frame, keys[0]))
    later = frame.assign(image_id=[f"new-{name}" for name in frame["image_id"]]).iloc[4:8]
    later = later.assign(path=list(frame["path"].iloc[20:24]))
    index_of(tmp_path / "second", pd.concat([frame, later]), keys[1])
    data = open_data(index_dir=tmp_path / "second", class_names=CLASSES, bundle_root=bundle)
    assert ids(data) == FORGOTTEN
    # patient-002 has two later images, patient-003 is somebody else.
    assert data.earlier.later_images == 2
    assert len(data.frame) == len(frame) + len(later) - 4 - 2


def test_pseudonyms_of_another_key_are_refused_where_patients_matter(frame, tmp_path):
    other = Pseudonyms(b"another key than that")
    index_of(tmp_path / "other", frame, other)
    bundle = revised(tmp_path, index_of(tmp_path / "plain", frame))
    with pytest.raises(ConfigError, match="its patients go by pseudonyms of another key"):
        open_data(index_dir=tmp_path / "other", class_names=CLASSES, bundle_root=bundle)


def test_where_no_patient_was_forgotten_images_are_recognised_under_any_pseudonyms(frame, tmp_path):
    index_of(tmp_path / "other", frame, Pseudonyms(b"another key than that"))
    bundle = revised(tmp_path, index_of(tmp_path / "plain", frame), patient=False)
    assert ids(open_data(index_dir=tmp_path / "other", class_names=CLASSES, bundle_root=bundle)) == FORGOTTEN


def test_digests_come_from_the_index_where_it_has_them(frame, tmp_path):
    index = index_of(tmp_path / "index", frame.assign(pixel_digest=[f"sha256:{name}" for name in frame["image_id"]]))
    pixels = PixelCheck.of(index)
    found = digests_of(index, image_rows(index), pixels)
    assert found["image-000L"] == "sha256:image-000L"
    assert pixels.seen == {}


def test_a_new_cohort_may_name_them_again(frame, tmp_path):
    index = tiny_index(tmp_path, frame=frame)
    bundle = revised(tmp_path, index, patient=False)
    spec = tiny_spec(tmp_path, SPEC.replace("ManufacturerModelName == Old", "patient == patient-002"))
    data = open_data(index_dir=index.directory, class_names=CLASSES, bundle_root=bundle, cohort_spec=spec)
    assert data.earlier.named_again == {"image-002L", "image-002R"}
    assert ids(data) == {"image-004L", "image-004R"}
    assert sum(data.counts()["forget"].values()) == 2
    assert sum(data.counts()["remain"].values()) == 48 - 2 - 2
    assert data.earlier.warnings() == [
        "Images that earlier revisions forgot are in no part of this cohort: 2 of retire-old (version 0.2.0)."
    ]


def test_they_are_subsets_of_their_own(frame, tmp_path):
    index = tiny_index(tmp_path, frame=frame)
    data = open_data(index_dir=index.directory, class_names=CLASSES, bundle_root=revised(tmp_path, index))
    assert data.earlier.parts == ("earlier:0.2.0",)
    items = [item for split in ("train", "test") for item in data.earlier_items("earlier:0.2.0", split)]
    assert {item["image_id"] for item in items} == FORGOTTEN
    found = subset_datasets(data=data, transform=dict, parts=["remain"], splits=["train", "validation", "test"])
    assert {subset[0] for subset in found} == {"remain", "earlier:0.2.0"}
    assert sum(len(images) for subset, images in found.items() if subset[0] != "remain") == 4


def test_without_a_bundle_there_is_nothing(frame, tmp_path):
    index = tiny_index(tmp_path, frame=frame)
    assert find_earlier(index, PixelCheck.of(index), bundle_root=None).counts == {"images": 0, "later_images": 0}
