"""Predicates that use the whole language: expressions, functions, units, dates, references, statistics."""

from __future__ import annotations

from hostile_specs.case import Hostile, forget

_PATTERNS = {
    "group": "device matches /(/",
    "class": "device matches /[/",
    "repeat-nothing": "device matches /*a/",
    "repeat-reversed": "device matches /a{2,1}/",
    "look-behind": "device matches /(?<=a)b/",
    "look-ahead": "device matches /a(?!b)/",
    "back-reference": r"device matches /(a)\1/",
    "named-reference": "device matches /(?P<n>a)(?P=n)/",
    "atomic": "device matches /(?>a+)b/",
    "possessive": "device matches /a++b/",
    "recursion": "device matches /(?R)/",
    "code": "device matches /(?{system('id')})/",
    "comment": "device matches /(?#x)a/",
    "repeat-too-often": "device matches /a{1001}/",
    "repeat-of-repeats": "device matches /((a{1000}){1000}){1000}/",
    "many-alternatives": "device matches /" + "|".join(["(a|b|c){1,1000}"] * 300) + "/",
    "unknown-flag": "device matches /old/e",
    "unknown-flags": "device matches /old/imsx",
    "unclosed": "device matches /old",
    "no-slashes": "device matches old.*",
    "empty": "device matches //",
    "unknown-class": r"device matches /\p{Klingon}/",
    "escape-at-end": "device matches /a\\/",
}
PATTERNS = [
    Hostile(
        f"pattern-{name}",
        f"the pattern {text[15:55]}",
        forget(text),
        "not a valid regular expression|expected a regular expression",
    )
    for name, text in _PATTERNS.items()
]

_SETS = {
    "unknown-set": ("patient in @withdrawn", "no 'withdrawn' under value_sets"),
    "set-without-name": ("patient in @", "expected"),
    "set-by-path": ("patient in @../outside/patients.txt", "expected"),
    "set-by-absolute-path": ("patient in @/etc/passwd", "expected"),
    "set-by-address": ("patient in @http://127.0.0.1/list", "expected"),
    "set-in-list": ("patient in [@withdrawn]", "expected"),
    "set-by-template": ("patient in @{{ x }}", "expected"),
    "set-by-number": ("patient in @1", "expected"),
}
SETS = [
    Hostile(f"reference-{name}", f"a reference to what is not there: {text}", forget(text), says)
    for name, (text, says) in _SETS.items()
]

_FUNCTIONS = {
    "unknown": "stddev(age) > 3",
    "misspelt": "meen(age, field_strength) > 3",
    "no-arguments": "mean() > 3",
    "empty-arguments": "mean(,) > 3",
    "unclosed": "mean(age > 3",
    "too-many": "abs(age, field_strength) > 3",
    "of-text": "mean(device, station) > 3",
    "abs-of-text": "abs(device) > 3",
    "abs-of-date": "abs(acquired) > 3",
    "year-of-text": "year(device) == 2015",
    "year-of-number": "year(field_strength) == 2015",
    "year-of-quoted": "year('2015-01-01') == 2015",
    "exists-nothing": "exists()",
    "exists-two": "exists(device, age)",
    "exists-text": "exists('device')",
    "missing-of-sum": "missing(age + 1)",
    "score-of-text": "zscore(device) > 3",
    "score-of-date": "mad_z(acquired) > 3",
    "score-of-score": "zscore(mad_z(age)) > 3",
    "score-of-nothing": "percentile_rank() > 3",
    "score-by-nothing": "zscore(age) by () > 3",
    "score-by-text": "zscore(age) by ('sex') > 3",
    "score-by-score": "zscore(age) by (zscore(age)) > 3",
    "by-without-score": "age by (sex) > 3",
    "by-of-mean": "mean(age, field_strength) by (sex) > 3",
    "forest-of-nothing": "isolation_forest() > 0.5",
    "forest-of-text": "isolation_forest(device) > 0.5",
    "forest-of-set": "isolation_forest(@x) > 0.5",
    "any-of-any": "any(any(device)) == old",
    "any-without-field": "any() == old",
    "any-of-two": "any(device, station) == old",
    "text-plus-text": "device + station == old",
    "text-minus": "-device == old",
    "date-plus-number": "acquired + 30 > 2018-01-01",
    "times-nothing": "age * > 3",
    "double-operator": "age * / 2 > 3",
    "power": "age ** 9999 > 3",
    "shift": "age << 64 > 3",
    "modulo": "age % 2 == 1",
    "python-power": "pow(age, 999999999) > 3",
}
FUNCTIONS = [
    Hostile(
        f"function-{name}",
        f"compute {text}",
        forget(text),
        "expected|no function|takes|arithmetic|computed|only a cohort statistic|write|date|number",
    )
    for name, text in _FUNCTIONS.items()
]

_VALUES = {
    "number-infinite": "age > 1e999",
    "number-inf": "age > inf",
    "number-nan": "age > nan",
    "number-hex": "age > 0x3C",
    "number-underscore": "age > 1_000",
    "number-comma": "age > '1,5'",
    "number-text": "field_strength > strong",
    "number-400-digits": "field_strength > " + "9" * 400,
    "number-5000-digits": "field_strength > " + "9" * 5_000,
    "number-in-list": "age in [60, sixty]",
    "date-none": "acquired > 2019-13-45",
    "date-february": "acquired > 2019-02-30",
    "date-german": "acquired > 31.12.2019",
    "date-word": "acquired > yesterday",
    "date-year-zero": "acquired > 0000-01-01",
    "date-ten-thousand": "acquired > 10000-01-01",
    "date-expression": "acquired > now()",
    "between-one": "age between 60",
    "between-and": "age between 60 and",
    "between-text": "age between young and old",
    "between-reversed": "age between 80 and 60",
    "dates-reversed": "acquired between 2016-12-31 and 2015-01-01",
    "order-of-text": "sex > F",
    "unit-unknown": "field_strength > 3 parsnips",
    "unit-wrong": "field_strength > 3 mm",
    "unit-of-date": "acquired > 2018 mm",
    "unit-expression": "field_strength > 3 T**9999",
    "unit-call": "field_strength > 3 __import__('os')",
    "unit-offset": "age > 60 degC",
    "within-nothing": "acquired within 30 days of",
    "within-no-number": "acquired within days of 2018-01-01",
    "within-negative": "acquired within -5 days of 2018-01-01",
    "within-infinite": "acquired within 1e999 days of 2018-01-01",
    "within-huge": f"acquired within {'9' * 400} days of 2018-01-01",
    "within-fortnights": "acquired within 3 fortnights of 2018-01-01",
    "within-text": "device within 30 days of 2018-01-01",
    "within-number": "age within 30 days of 2018-01-01",
    "folded-number": "age ~= 60",
    "contains-number": "age contains 6",
    "contains-nothing": "device contains",
    "contains-empty": "device contains ''",
    "matches-number": "age matches /6/",
    "number-equals-number": "1 == 1",
    "number-equals-text": "1 == old",
    "text-equals-text": "'old' == 'old'",
}
VALUES = [
    Hostile(
        f"value-{name}",
        f"compare {text[:40]}",
        forget(text),
        "expected|cannot be converted|needs",
    )
    for name, text in _VALUES.items()
]

# A word on the right may be a field: only an index can say that it is not.
TOMORROW = Hostile(
    "value-within-tomorrow",
    "a date that moves",
    forget("acquired within 30 days of tomorrow"),
    "tomorrow",
    index=True,
)

FUNCTION_TRICKS = [*PATTERNS, *SETS, *FUNCTIONS, *VALUES, TOMORROW]
