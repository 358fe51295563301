"""What the specs in `cohort_specs/idc/` select, in pandas: see `pandas_answers.py`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pandas_answers
from pandas_answers import (
    age_of,
    contains,
    days_apart,
    ignoring_case,
    is_exactly,
    is_one_of,
    known,
    like,
    mad_z,
    mapped,
    matches,
    numbered,
    percentile_rank,
    plausible_age,
    plausible_day,
    tidy,
    zscore,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pandas_answers import Frame, Mask

FOLDER = Path(__file__).resolve().parent.parent / "cohort_specs" / "idc"
# Names of SOP classes of what is no image (DICOM PS3.4, table B.5-1), by their words.
NO_IMAGE = re.compile(
    r"SR Storage|Segmentation|Structure Set|Annotations|Encapsulated|Presentation State|Raw Data|Parametric Map|"
    r"RT Dose|RT Plan|Registration|Key Object|Real World Value"
)
# Of these, what has pixels: `--include-derived` keeps it.
WITH_PIXELS = re.compile(r"Segmentation|Parametric Map|RT Dose")
UNITS = {"patient": "PatientID", "study": "StudyInstanceUID", "series": "SeriesInstanceUID"}


def table_of(path: Path, today: pd.Timestamp, *, derived: bool = False) -> Frame:
    """Read the images of the table: texts without padding, empty as missing, days and ages beside them.

    Args:
        path: The table.
        today: The day of the build; later dates are implausible.
        derived: Whether derived objects with pixels count.
    """
    table = pd.read_parquet(path)
    names = table["sop_class_name"].astype(object)
    left_out = names.map(lambda name: bool(NO_IMAGE.search(name)) and not (derived and bool(WITH_PIXELS.search(name))))
    table = table[~left_out.astype(bool)].reset_index(drop=True)
    for name in table.columns:
        if table[name].dtype == object:
            table[name] = mapped(table[name].astype("string"), tidy).astype("string")
    years = mapped(table["PatientAge"], age_of).astype("Float64")
    days = {name: pd.to_datetime(table[name], errors="coerce") for name in ("StudyDate", "SeriesDate")}
    return table.assign(
        recorded_age=years,
        age=plausible_age(table["PatientAge"], years),
        study_day=plausible_day(days["StudyDate"], today),
        series_day=plausible_day(days["SeriesDate"], today),
    )


def half_of_2000(t: Frame) -> Mask:
    return known(t["study_day"].between("2000-01-01", "2000-06-30"), t["study_day"])


def around_an_upgrade(t: Frame) -> Mask:
    near = days_apart(t["study_day"], pd.Timestamp("2010-06-15")) <= 90
    return is_one_of(t["Manufacturer"], "SIEMENS") & known(near, t["study_day"])


def dated_elsewhere(t: Frame) -> Mask:
    return known(days_apart(t["series_day"], t["study_day"]) > 7, t["series_day"], t["study_day"])


def breast_mr(t: Frame) -> Mask:
    described = contains(t["StudyDescription"], "BREAST") | contains(t["StudyDescription"], "mamma")
    outside = ~is_one_of(t["collection_id"], "ispy1", "ispy2")
    return is_one_of(t["Modality"], "MR") & (is_one_of(t["BodyPartExamined"], "BREAST") | described) & outside


def oddly_large(t: Frame) -> Mask:
    far = mad_z(t["series_size_MB"], t["Modality"]).abs()
    return known(far > 50, far)


def youngest(t: Frame) -> Mask:
    score = zscore(t["age"], t["collection_id"])
    return known(score < -3, score)


def longest(t: Frame) -> Mask:
    share = percentile_rank(t.loc[t["Modality"] == "CT", "instanceCount"]).reindex(t.index)
    return known(share > 99.5, share)


def two_winters(t: Frame) -> Mask:
    day = t["study_day"]
    return known(day.dt.year.isin([2001, 2002]) & (day.dt.month <= 2), day)


def megabytes_a_slice(t: Frame) -> Mask:
    each = t["series_size_MB"] / t["instanceCount"].where(t["instanceCount"] != 0)
    return known(each > 20, each)


def siemens_scanners(t: Frame) -> Mask:
    research = ignoring_case(t["Manufacturer"], "Siemens Corporate Research")
    return matches(t["Manufacturer"], "^siemens", re.IGNORECASE) & ~research


def subjects(t: Frame) -> Mask:
    return is_one_of(t["collection_id"], "lidc_idri") & numbered(t["PatientID"], r"LIDC-IDRI-(\d+)", 100, 199)


def implausible_ages(t: Frame) -> Mask:
    return (t["recorded_age"].notna() & t["age"].isna()).astype("boolean")


def tomosynthesis(t: Frame) -> Mask:
    return contains(t["sop_class_name"], "Tomosynthesis") & is_exactly(t["Manufacturer"], "HOLOGIC, Inc.")


def radiograph(t: Frame) -> Mask:
    return is_one_of(t["Modality"], "CR", "DX")


ANSWERS: dict[str, Callable[[Frame], Mask]] = {
    "retire-volume-zoom": lambda t: is_one_of(t["ManufacturerModelName"], "Volume Zoom"),
    "retire-biograph-64": lambda t: like(t["ManufacturerModelName"], "Biograph64"),
    "stir-however-spaced": lambda t: is_one_of(t["SeriesDescription"], "AX STIR"),
    "stir-with-two-spaces": lambda t: is_exactly(t["SeriesDescription"], "AX  STIR"),
    "topograms": lambda t: is_exactly(t["SeriesDescription"], "Topogram  0.6  T20s", "Topogram  1.0  T20s"),
    "children": lambda t: t["age"] < 18,
    "ages-as-recorded": lambda t: t["recorded_age"] < 18,
    "mammograms-from-75": lambda t: is_one_of(t["Modality"], "MG") & (t["age"] >= 75),
    "first-half-of-2000": half_of_2000,
    "around-an-upgrade": around_an_upgrade,
    "series-dated-elsewhere": dated_elsewhere,
    "withdraw-lidc": lambda t: is_one_of(t["PatientID"], "LIDC-IDRI-0003", "LIDC-IDRI-0011", "LIDC-IDRI-0012"),
    "subjects-100-to-199": subjects,
    "ge-under-every-name": lambda t: ignoring_case(t["Manufacturer"], "GE Medical Systems", "GE Healthcare"),
    "siemens-scanners": siemens_scanners,
    "pet-with-its-studies": lambda t: is_one_of(t["Modality"], "PT"),
    "radiographs-of-no-body-part": lambda t: t["BodyPartExamined"].isna().astype("boolean") & radiograph(t),
    "breast-mr-outside-trials": breast_mr,
    "oddly-large-series": oddly_large,
    "youngest-of-a-collection": youngest,
    "longest-series": longest,
    "slides-sampled": lambda t: is_one_of(t["Modality"], "SM"),
    "men-in-mammography": lambda t: is_one_of(t["Modality"], "MG") & is_one_of(t["PatientSex"], "M"),
    "implausible-ages": implausible_ages,
    "tomosynthesis-of-one-maker": tomosynthesis,
    "megabytes-a-slice": megabytes_a_slice,
    "two-winters": two_winters,
    "ct-series-100-to-199": lambda t: is_one_of(t["Modality"], "CT") & numbered(t["SeriesNumber"], r"(\d+)", 100, 199),
    "over-89-or-unknown": lambda t: t["age"] > 89,
    "patients-of-one-scanner": lambda t: is_one_of(t["ManufacturerModelName"], "Signa HDxt"),
    "first-totalsegmentator": lambda t: matches(t["SeriesDescription"], r"^TotalSegmentator\(v1[.]5[.]6\)"),
}
POPULATIONS: dict[str, Callable[[Frame], Mask]] = {
    "topograms": lambda t: is_one_of(t["collection_id"], "ct_colonography"),
    "first-half-of-2000": lambda t: is_one_of(t["collection_id"], "nlst"),
    "pet-with-its-studies": lambda t: is_one_of(t["collection_id"], "acrin_nsclc_fdg_pet", "fdg_pet_ct_lesions"),
    "longest-series": lambda t: is_one_of(t["Modality"], "CT"),
    "over-89-or-unknown": radiograph,
    "first-totalsegmentator": lambda t: is_one_of(t["Modality"], "SEG"),
}
# Asked of an index that keeps derived objects with pixels.
OF_DERIVED = frozenset(("first-totalsegmentator",))


def parts(name: str, table: Frame) -> dict[str, set[str]]:
    """Return the series of each part; with a sample, `forget` holds all that it is drawn from.

    Args:
        name: The spec.
        table: The images, as `table_of` reads them.
    """
    inside = POPULATIONS[name](table) if name in POPULATIONS else None
    spec = FOLDER / f"{name}.yaml"
    return pandas_answers.parts(
        spec, table, ANSWERS[name](table), image="SeriesInstanceUID", units=UNITS, inside=inside
    )
