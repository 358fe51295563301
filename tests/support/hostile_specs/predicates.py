"""Predicates: operators that only look right, code, SQL, size and depth, and what no image can be asked."""

from __future__ import annotations

from hostile_specs.case import Hostile, forget

# name: (predicate, what the message says)
_OPERATORS = {
    "assignment": ("device = old", "write =="),
    "triple": ("device === old", "expected|=="),
    "sql-unequal": ("device <> old", "expected|!="),
    "spaceship": ("device <=> old", "expected"),
    "perl-match": ("device =~ /old/", "expected|write"),
    "double-ampersand": ("device == old && exists(age)", "and"),
    "double-bar": ("device == old || exists(age)", "or"),
    "exclamation": ("!exists(device)", "expected a field"),
    "wide-equals": ("device ＝＝ old", "expected"),
    "wide-value": ("age ≥ 60", "expected|>="),
    "at-most-sign": ("age ≤ 60", "expected|<="),
    "unequal-sign": ("device ≠ old", "expected|!="),
    "typographic-quotes": ("device == “old”", "quote"),
    "single-typographic-quotes": ("device == ‘old’", "quote"),
    "cyrillic-field": ("d\u0435vice == old", "expected|U.0435|field"),
    "wide-field": ("ｄｅｖｉｃｅ == old", "expected|field"),
    "emoji-field": ("💣 == old", "expected|field"),
    "emoji-operator": ("device 🟰 old", "expected"),
    "no-operator": ("device old", "expected"),
    "no-value": ("device ==", "expected|value"),
    "no-field": ("== old", "expected|field"),
    "two-rules": ("device == 'old' age > 60", "expected|and"),
    "trailing-and": ("device == old and", "expected"),
    "leading-or": ("or device == old", "expected"),
    "empty-parentheses": ("()", "expected"),
    "unclosed": ("(device == old", r"\)|closed|end"),
    "closed-twice": ("(device == old))", r"\)|expected"),
    "empty-list": ("device in []", "expected|value"),
    "list-hole": ("device in [old,,new]", "expected|value"),
    "nested-list": ("device in [[old]]", "expected"),
    "null": ("device == null", "missing"),
    "no-quote-end": ("device == 'old", "quote|unexpected|expected"),
    "dollar-value": ("device == $HOME", r"quote|expected|\$"),
    "brace-value": ("device == ${HOME}", r"quote|expected|\$"),
    "line-in-quotes": ("device == 'a\nb'", "quote|expected|U.000A"),
    "zero-in-quotes": ("device == 'a\0b'", "quote|expected|U.0000"),
}

_CODE = {
    "import": "__import__('os').system('id') == 0",
    "lambda": "(lambda: 1)() == 1",
    "attribute": "device.__class__ == old",
    "subclasses": "().__class__.__base__.__subclasses__() == 1",
    "eval": "eval('1') == 1",
    "system": "system('id') == 0",
    "template": "{{ 7*7 }}",
    "template-statement": "{% include '/etc/passwd' %}",
    "format": "{0.__class__}",
    "backquotes": "`id`",
    "indexing": "device[0] == o",
    "comprehension": "[x for x in device]",
    "walrus": "(device := old)",
}
_SQL = {
    "tautology": "device == 'x' OR '1'='1'",
    "comment-tail": "device == 'x' -- '",
    "union": "device == 'x' UNION SELECT patient FROM images",
    "stacked": "device == 'x'; DROP TABLE images",
    "select": "(SELECT 1) == 1",
    "subquery": "device in (SELECT device FROM images)",
    "exists-select": "exists(SELECT 1)",
    "read-csv": "read_csv('/etc/passwd') == x",
    "read-text": "read_text('/etc/passwd') == x",
    "read-parquet": "exists(read_parquet('*.parquet'))",
    "glob": "glob('/*') == x",
    "attach": "ATTACH '/tmp/owned.db'",
    "copy": "COPY images TO '/tmp/owned.csv'",
    "install": "INSTALL httpfs",
    "set": "SET enable_external_access = true",
    "pragma": "PRAGMA database_list",
    "getenv": "getenv('HOME') == x",
    "sleep": "pg_sleep(10) == 1",
    "cast": "device::int == 1",
    "concat": "device || 'x' == old",
    "case": "CASE WHEN 1 THEN 1 END == 1",
    "like": "device LIKE '%'",
    "is-null": "device IS NULL",
    "star": "* == old",
    "double-minus": "device == '' or 1 == 1 --",
}

# The field is in quotes, so that it is a name: only an index can say that it has no such column.
_FIELDS = {
    "drop": '`device"; DROP TABLE images; --`',
    "attach": "`x'; ATTACH '/tmp/owned.db' AS y; --`",
    "read": "`read_csv('/etc/passwd')`",
    "select": "`(SELECT path FROM images)`",
    "rowid": "`rowid`",
    "star": "`*`",
    "quote": '`"`',
    "parameter": "`?`",
    "path": "`../../etc/passwd`",
    "template": "`{{ device }}`",
    "attribute": "`device.__class__`",
    "long": "`" + "x" * 9_000 + "`",
    "right-to-left": "`שם`",
}

_EMPTY_RECORD = {
    "missing": "missing(device)",
    "not-exists": "not exists(device)",
    "either": "missing(device) or exists(device)",
    "or-missing": "device == old or missing(age)",
    "double-negation": "not (not (missing(device)))",
}

_SIZES = {
    "10000-terms": lambda: " or ".join(["device == old"] * 10_000),
    "10000-values": lambda: "device in [" + ", ".join(f"d{n}" for n in range(10_000)) + "]",
    "100-kb-value": lambda: "device == " + "x" * 100_000,
    "100-kb-field": lambda: "x" * 100_000 + " == old",
    "100-kb-spaces": lambda: "device" + " " * 100_000 + "== old",
    "10000-parentheses": lambda: "(" * 10_000 + "device == old" + ")" * 10_000,
    "10000-not": lambda: "not " * 10_000 + "exists(device)",
    "10000-functions": lambda: "abs(" * 10_000 + "age" + ")" * 10_000 + " > 1",
    "10000-minus": lambda: "-" * 10_000 + "age > 1",
}
_DEPTHS = {
    "4000-open": "(" * 4_000,
    "2000-not": "not " * 2_000 + "exists(device)",
    "60-alternating": "device == old and (device == new or (" * 60 + "device == old" + "))" * 60,
    "2000-functions": "abs(" * 2_000 + "age" + ")" * 2_000 + " > 1",
    "4000-minus": "-" * 4_000 + "age > 1",
    "1500-plus": "age + " * 1_500 + "age > 1",
}

OPERATORS = [
    Hostile(f"operator-{name}", f"write {text[:40]!r}", forget(text), says) for name, (text, says) in _OPERATORS.items()
]
CODE = [
    Hostile(f"code-{name}", f"run {text[:40]}", forget(text), "expected|no function") for name, text in _CODE.items()
]
SQL = [
    Hostile(
        f"sql-{name}",
        f"have the database run {text[:40]}",
        forget(text),
        "expected|no function",
    )
    for name, text in _SQL.items()
]
FIELDS = [
    Hostile(f"field-{name}", f"a field called {text[:40]}", forget(f"{text} == old"), "unknown field", index=True)
    for name, text in _FIELDS.items()
]
EMPTY_RECORDS = [
    Hostile(f"empty-record-{name}", f"forget what nobody knows: {text}", forget(text), "whose every tag is missing")
    for name, text in _EMPTY_RECORD.items()
]
SIZES = [
    Hostile(
        f"predicate-{name}",
        "a predicate too long to read",
        lambda make=make: forget(make()),
        "at most 10000 characters",
    )
    for name, make in _SIZES.items()
]
DEPTHS = [
    Hostile(f"predicate-{name}", "a predicate too deep to walk", forget(text), "at most|expected a field")
    for name, text in _DEPTHS.items()
]

PREDICATE_TRICKS = [*OPERATORS, *CODE, *SQL, *FIELDS, *EMPTY_RECORDS, *SIZES, *DEPTHS]
