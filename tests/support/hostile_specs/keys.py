"""Keys and plain values: code under other names, YAML 1.1's coercions, malformed numbers, and wrong types."""

from __future__ import annotations

from hostile_specs.case import Hostile, spec

_DATA = "Cohort specs are data: nothing in them is expanded, imported or run"
_UNKNOWN = "unknown key"
_HUGE = "1" * 400

# A key or a value that MONAI's config parser, or another one, would act on.
_KEYS = {
    "_target_": "os.system",
    "_requires_": "$import os",
    "_disabled_": "true",
    "_desc_": "x",
    "_mode_": "callable",
    "$import": "os",
    "$forget": "exists(device)",
    "__class__": "x",
    "__proto__": "{scope: patient}",
    "__init__": "x",
}
_FOREIGN = {
    "imports": "[$import os]",
    "include": "/etc/passwd",
    "extends": "base.yaml",
    "sql": "'DROP TABLE images'",
    "where": "1=1",
    "run": "id",
    "eval": "1+1",
    "command": "[id]",
    "query": "SELECT 1",
    "python": "print(1)",
    "index": "/etc",
    "Forget": "exists(device)",
    "forgett": "exists(device)",
    "columns": "[device]",
}
_DOLLARS = {
    "forget": "$import os",
    "name": "$HOSTNAME",
    "reason": "$reason",
    "scope": "$(id)",
    "population": "'  $os.system(\"id\")'",
    "unknown": '"\\t$x"',
    "value_sets": "{a: $x}",
    "sample": "{count: $n}",
    "expect": "{images: {max: $__import__('os').getpid()}}",
}
CODE = [
    *(
        Hostile(f"key-{key.strip('$_')}-code", f"the key {key}", spec(**{key: value}), _DATA)
        for key, value in _KEYS.items()
    ),
    *(Hostile(f"key-{key}", f"the key {key}", spec(**{key: value}), _UNKNOWN) for key, value in _FOREIGN.items()),
    *(
        Hostile(f"dollar-{key}", f"an expression at {key}", spec(**{key: value}), "refused. " + _DATA)
        for key, value in _DOLLARS.items()
    ),
    Hostile("nested-target", "a class inside a condition", spec(forget="{_target_: os.system, command: id}"), _DATA),
    Hostile("deep-target", "a class in a list in a group", spec(forget="{all: [{_target_: os.getcwd}]}"), _DATA),
    Hostile("nested-dollar", "an expression in a list", spec(forget="[device == old, $import os]"), _DATA),
    Hostile("sample-target", "a class as a sample", spec(sample="{_target_: subprocess.Popen, args: [id]}"), _DATA),
    Hostile("monai-reference", "a reference of MONAI's", spec(forget="'@network_def'"), "expected a field"),
    Hostile("monai-macro", "a macro of MONAI's", spec(forget="'%train.yaml::trainer'"), "expected a field"),
]

# What is written, and where; YAML 1.1 would read something else.
_COERCIONS = {
    "version-text": ("schema_version", "'1'"),
    "version-fraction": ("schema_version", "1.0"),
    "version-octal": ("schema_version", "01"),
    "version-new-octal": ("schema_version", "0o1"),
    "version-hex": ("schema_version", "0x1"),
    "version-binary": ("schema_version", "0b1"),
    "version-underscore": ("schema_version", "1_"),
    "version-exponent": ("schema_version", "1e0"),
    "version-sexagesimal": ("schema_version", "0:1"),
    "version-true": ("schema_version", "true"),
    "version-negative": ("schema_version", "-1"),
    "version-two": ("schema_version", "2"),
    "version-huge": ("schema_version", _HUGE),
    "version-date": ("schema_version", "2019-01-01"),
    "empty-record-yes": ("allow_empty_record", "yes"),
    "empty-record-on": ("allow_empty_record", "on"),
    "empty-record-y": ("allow_empty_record", "y"),
    "empty-record-capital": ("allow_empty_record", "True"),
    "empty-record-one": ("allow_empty_record", "1"),
    "empty-record-text": ("allow_empty_record", "'true'"),
    "empty-record-off": ("allow_empty_record", "off"),
    "name-number": ("name", "12"),
    "name-true": ("name", "true"),
    "name-date": ("name", "2019-01-01 00:00:00"),
    "reason-no": ("reason", "no"),
    "unknown-yes": ("unknown", "yes"),
    "unknown-false": ("unknown", "false"),
    "scope-true": ("scope", "true"),
}
COERCIONS = [
    Hostile(name, f"have {value[:20]} read as something else", spec(**{key: value}), f"'{key}': expected")
    for name, (key, value) in _COERCIONS.items()
]

# The key, and its value.
_NUMBERS = {
    "fraction-infinite": ("sample", "{fraction: 1.0e999}"),
    "fraction-exponent": ("sample", "{fraction: 1e999}"),
    "fraction-inf": ("sample", "{fraction: .inf}"),
    "fraction-nan": ("sample", "{fraction: .nan}"),
    "fraction-nan-word": ("sample", "{fraction: NaN}"),
    "fraction-zero": ("sample", "{fraction: 0}"),
    "fraction-negative": ("sample", "{fraction: -0.5}"),
    "fraction-above-one": ("sample", "{fraction: 1.5}"),
    "fraction-percent": ("sample", "{fraction: 50%}"),
    "fraction-quotient": ("sample", "{fraction: 1/2}"),
    "fraction-comma": ("sample", "{fraction: '0,5'}"),
    "count-zero": ("sample", "{count: 0}"),
    "count-negative": ("sample", "{count: -1}"),
    "count-fraction": ("sample", "{count: 1.5}"),
    "count-exponent": ("sample", "{count: 1e3}"),
    "count-hex": ("sample", "{count: 0x10}"),
    "count-octal": ("sample", "{count: 010}"),
    "count-underscore": ("sample", "{count: 1_000}"),
    "count-sexagesimal": ("sample", "{count: '12:30:45'}"),
    "count-400-digits": ("sample", f"{{count: {_HUGE}}}"),
    "count-10000-digits": ("sample", f"{{count: {'9' * 10_000}}}"),
    "count-true": ("sample", "{count: true}"),
    "seed-fraction": ("sample", "{count: 1, seed: 1.5}"),
    "seed-400-digits": ("sample", f"{{count: 1, seed: {_HUGE}}}"),
    "seed-text": ("sample", "{count: 1, seed: os.urandom}"),
    "share-above-one": ("expect", "{share: {max: 40}}"),
    "share-infinite": ("expect", "{share: {max: 1.0e400}}"),
    "images-negative": ("expect", "{images: {min: -5}}"),
    "images-infinite": ("expect", "{images: {max: .inf}}"),
    "images-fraction": ("expect", "{images: {min: 0.5}}"),
}
NUMBERS = [
    Hostile(name, f"something that is not a number, at {key}", spec(**{key: value}), "expected")
    for name, (key, value) in _NUMBERS.items()
]

_TYPES = {
    "forget-null": ("forget", "", "no value"),
    "forget-tilde": ("forget", "~", "no value"),
    "forget-empty": ("forget", "''", "expected"),
    "forget-number": ("forget", "5", "expected a condition"),
    "forget-true": ("forget", "true", "expected a condition"),
    "forget-empty-list": ("forget", "[]", "an empty list"),
    "forget-empty-mapping": ("forget", "{}", "expected 'all', 'any' or 'not'"),
    "forget-nested-empty": ("forget", "[[]]", "an empty list"),
    "forget-nulls": ("forget", "[null]", "no value"),
    "forget-number-list": ("forget", "[1, 2]", "expected a condition"),
    "all-empty": ("forget", "{all: []}", "an empty list"),
    "any-empty": ("forget", "{any: []}", "an empty list"),
    "any-text": ("forget", "{any: device == old}", "expected a list"),
    "not-list": ("forget", "{not: [device == old, exists(age)]}", "expected one condition"),
    "not-null": ("forget", "{not: null}", "no value"),
    "xor": ("forget", "{xor: [device == old]}", _UNKNOWN),
    "rule-as-mapping": ("forget", "{device: old}", _UNKNOWN),
    "population-null": ("population", "null", "no value"),
    "population-empty": ("population", "[]", "an empty list"),
    "name-path": ("name", "../../etc/passwd", "'name': expected"),
    "name-slash": ("name", "a/b", "'name': expected"),
    "name-newline": ("name", '"a\\nb"', "'name': expected"),
    "name-end-newline": ("name", '"a\\n"', "'name': expected"),
    "name-long": ("name", "a" * 65, "'name': expected"),
    "name-100-kb": ("name", "a" * 100_000, "'name': expected"),
    "name-capitals": ("name", "HOSTILE", "'name': expected"),
    "name-wide": ("name", "ｈｏｓｔｉｌｅ", "'name': expected"),
    "name-emoji": ("name", "💣", "'name': expected"),
    "name-template": ("name", "'{{ 7*7 }}'", "'name': expected"),
    "name-environment": ("name", "a-${HOME}", "'name': expected"),
    "name-format": ("name", "'{0.__class__}'", "'name': expected"),
    "name-list": ("name", "[hostile]", "'name': expected"),
    "reason-new": ("reason", "because", "'reason': expected one of"),
    "reason-list": ("reason", "[other]", "'reason': expected one of"),
    "reason-capitals": ("reason", "OTHER", "'reason': expected one of"),
    "scope-hospital": ("scope", "hospital", "'scope': expected one of"),
    "scope-list": ("scope", "[image, patient]", "'scope': expected one of"),
    "unknown-null": ("unknown", "null", "no value"),
    "unknown-all": ("unknown", "forget-all", "'unknown': expected one of"),
    "sample-number": ("sample", "0.5", "'sample': expected"),
    "sample-list": ("sample", "[]", "'sample': expected"),
    "sample-both": ("sample", "{fraction: 0.5, count: 3}", "exactly one of"),
    "sample-neither": ("sample", "{seed: 1}", "exactly one of"),
    "sample-unit": ("sample", "{count: 1, by: pixel}", "'by': expected one of"),
    "expect-list": ("expect", "[1]", "'expect': expected"),
    "expect-number": ("expect", "{images: 12}", "'images': expected"),
    "expect-nothing": ("expect", "{images: {}}", "expected 'min', 'max' or both"),
    "expect-reversed": ("expect", "{images: {min: 5, max: 1}}", "not to be above"),
    "expect-unknown": ("expect", "{pixels: {min: 1}}", _UNKNOWN),
}
TYPES = [
    Hostile(name, f"{key}: {value[:40]}", spec(**{key: value}), says) for name, (key, value, says) in _TYPES.items()
]

MISSING = [
    Hostile(f"no-{key.replace('_', '-')}", f"leave {key} out", spec(**{key: None}), f"the key '{key}' is missing")
    for key in ("schema_version", "name", "reason", "forget")
]

KEY_TRICKS = [*CODE, *COERCIONS, *NUMBERS, *TYPES, *MISSING]
