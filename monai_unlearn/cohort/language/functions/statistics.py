"""Cohort statistics: how far an image's number lies from those of its cohort.

Sums are taken in the order of the values, so that the same cohort always gives the same bits.
"""

from __future__ import annotations

from monai_unlearn.cohort.language.functions.function import Statistic

STATISTICS = (
    # scipy.stats.zscore: the spread is the population's, not the sample's.
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
    # J. Tukey, Exploratory Data Analysis (1977): beyond 1.5 is outside of the inner fences.
    Statistic(
        name="iqr_distance",
        words="the distance of {0} from the middle half",
        meaning="how many interquartile ranges the value lies outside of the quartiles, 0 between them",
        aggregates=("QUANTILE_CONT(x, 0.25)", "QUANTILE_CONT(x, 0.75)"),
        value="GREATEST({a0} - {x}, {x} - {a1}, 0) / NULLIF({a1} - {a0}, 0)",
    ),
    # scipy.stats.percentileofscore(kind="weak"); its table is made by the query, not by one aggregate.
    Statistic(
        name="percentile_rank",
        words="the percentile rank of {0}",
        meaning="the percentage of the cohort whose value is not above this one",
    ),
    # F. Liu, K. Ting, Z. Zhou, Isolation Forest (2008), equation 2, as scikit-learn computes it.
    Statistic(
        name="isolation_forest",
        words="the anomaly score of {all} together",
        meaning="how easily random cuts part the image from the others, from 0 to 1; ordinary images have about 0.5",
        most=None,
    ),
)
