"""Cohort statistics: how far an image's number lies from those of its cohort.

Each is one entry below; a new one needs nothing else but its test. Sums are taken in the order of the values, so
that the same cohort always gives the same bits.
"""

from __future__ import annotations

from monai_unlearn.cohort.language.functions.isolation_forest import isolation_forest_scores
from monai_unlearn.cohort.language.functions.statistic import Statistic

STATISTICS = (
    # scipy.stats.zscore: the standard deviation of the population, not of a sample.
    Statistic(
        name="zscore",
        words="the z-score of {0}",
        meaning="how many standard deviations the value lies above the mean",
        aggregates=("AVG(x ORDER BY x)", "STDDEV_POP(x ORDER BY x)"),
        value="({x} - {a0}) / NULLIF({a1}, 0)",
    ),
    # B. Iglewicz and D. Hoaglin, How to Detect and Handle Outliers (1993): the modified z-score.
    Statistic(
        name="mad_z",
        words="the robust z-score of {0}",
        meaning="how many standard deviations (from the median absolute deviation) the value lies above the median",
        aggregates=("MEDIAN(x)", "MAD(x)"),
        value="0.6745 * ({x} - {a0}) / NULLIF({a1}, 0)",
    ),
    # J. Tukey, Exploratory Data Analysis (1977): more than 1.5 is beyond the inner fences.
    Statistic(
        name="iqr_distance",
        words="the distance of {0} from the middle half",
        meaning="how many interquartile ranges the value lies outside the quartiles, 0 between them",
        aggregates=("QUANTILE_CONT(x, 0.25)", "QUANTILE_CONT(x, 0.75)"),
        value="GREATEST({a0} - {x}, {x} - {a1}, 0) / NULLIF({a1} - {a0}, 0)",
    ),
    # scipy.stats.percentileofscore(kind="weak").
    Statistic(
        name="percentile_rank",
        words="the percentile rank of {0}",
        meaning="the percentage of the cohort whose value is at most this one",
        per_value=True,
        aggregates=("100.0 * SUM(COUNT(*)) OVER (cohort ORDER BY x) / SUM(COUNT(*)) OVER cohort",),
        value="CAST({a0} AS DOUBLE)",
    ),
    Statistic(
        name="isolation_forest",
        words="the anomaly score of {all} together",
        meaning="how easily random cuts separate the image from the others, from 0 to 1; typical images have about 0.5",
        most=None,
        scores=isolation_forest_scores,
    ),
)
