"""Write `spec_language.md` from the tables in `tests/spec/`, so that the tests check what the documentation says."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "spec_language.md"
# In the order of the page.
CHAPTERS = (
    "comparisons",
    "lists",
    "sets",
    "texts",
    "numbers",
    "dates",
    "statistics",
    "presence",
    "logic",
    "aliases",
    "tags",
    "patients",
)
INTRODUCTION = """\
# The predicate language of cohort specs

`docs/write_spec_language.py` writes this page from the tables in `tests/spec/`, which the tests resolve on real
indexes. Do not edit the page; edit the tables and run the script.

A predicate evaluates to true, false or unknown for an image: unknown where a value is missing. True means **forget**,
false **remain**, unknown **undetermined**. In the tables, `-` is a missing value.

The left side of a comparison is a *term*: a field, or a number computed from fields. The right side is a value. It
needs no quotes unless it contains brackets, quotes, signs such as `=`, or the words *and*, *or*, *not*. Upper and lower
case differ, except for `~=` and `like`.

Texts are compared **folded**: runs of white space, non-breaking and other special spaces included, count as one space
and at the ends as none, and every kind of dash counts as `-`. To compare **exactly**, quote the value: `'AX  STIR'`.
The values of a value set are folded as well. Preview and explain say how each value is compared, and which other
spellings of it the index has, with their images; of fields that identify people they show none.

| you write | it is true if |
| --- | --- |
| `field == value`, `!=` | the field has this value; has another value |
| `field ~= value` | the field has this value, ignoring upper and lower case |
| `field like value` | the field has the same letters and digits, whatever the case, spaces, dashes and punctuation |
| `term < value`, `<=`, `>`, `>=` | the number, age in years, or date is smaller, at most equal, … |
| `field between 0004000 and 0005000`, `<` | the numbers within the text lie there; unknown for another pattern |
| `version(field) < 6.1` | one of the versions in the field is earlier; what follows the numbers does not count |
| `field in [a, b]`, `not in` | the field has one of these values; has none of them |
| `field in @name` | the field has one of the values under `value_sets` |
| `term between a and b` | the term lies between both, ends included |
| `field contains text` | the text occurs in the field |
| `field matches /re/`, `/re/i` | the regular expression (RE2) matches a part of the field; `i` ignores case |
| `date within 30 days of 2018-06-15` | the date is in the window; also `after`, `before`, `weeks`, a field, `@name` |
| `exists(field)`, `missing(field)` | the field has a value; has none |
| `and`, `or`, `not`, `( )` | as in Kleene's logic of three values |

Terms: `a + b`, `-`, `*`, `/`,
{functions}.
A cohort statistic may end in `by (field, …)`. `any(field)` and `all(field)` say how many values of a multi-valued DICOM
tag must meet the condition; without them, one is enough.

The alias `age` is `PatientAge`. Where that is missing, and the index has `PatientBirthDate` (by default it has not), it
is the time from birth to acquisition: in completed years, below two years in completed months.

The run time of a regular expression (RE2) is linear in the length of the text. A number with a unit is converted to the
declared unit of the field; without a declared unit it is refused.
"""
TAGS = """\
## Which tags an index has

Every index of DICOM files has the keywords of `monai_unlearn/vocabulary/fields.yaml`; `index build --tag TAG` adds
others, and its report says which of them no file has. Functional groups of enhanced objects are searched for all of
them.

| you write | it is |
| --- | --- |
| `--tag SourceApplicationEntityTitle` | a tag of the dictionary, file meta included; `(0002,0016)` works too |
| `--tag AnatomicRegionSequence.CodeMeaning` | a tag within a sequence; several items are several values |
| `--tag '(0019,"GEMS_ACQU_01",10)'` | a private tag by its creator; in a predicate in backquotes |

Frames that differ are several values: of a text each counts, a number of `fields.yaml` is unknown with the fault
`several_numbers`, and a number of `--tag` is indexed as text.

`laterality` is R, L or B, from ImageLaterality, Laterality and FrameLaterality, where `OS`, `O.D.`, `left` or `l` count
as what they mean. It is unknown where these contradict each other (`contradicting_laterality`) or one is another word
(`invalid_laterality`). Descriptions are not read. A whole-slide image has the fault `whole_slide` and counts as one
image, whatever its `NumberOfFrames`.
"""
LISTS = """\
## Lists, and which of their values occur

A value of a list that does not occur in the index selects nothing. So `preview`, `explain`, the manifest and the model
card say of every value set, every `in […]` and every identifier after `==` how many of its values occur among the
images of the index, and how many of the others nearly do: counts, never a value. A value counts once, under the first
of these kinds that makes it match together with those before it.

| near miss | listed | in the index |
| --- | --- | --- |
| `case` | mrn-0077 | MRN-0077 |
| `spaces`: spaces and hyphens of any kind | A17 | A 17 |
| `leading_zeros` | 12346 | 0012346 |
| `decimal`, as Excel writes it | 12346.0 | 0012346 |
| `affix`: a prefix or suffix | 0077 | MRN-0077 |

```yaml
reason: consent_withdrawal
value_sets:
  withdrawn: {file: withdrawn.txt, absent: never-imaged-here.txt}
forget: patient in @withdrawn
expect: {matched: {withdrawn: {min: 40}}}
```

- `expect: {matched: all}`: every value of every list must occur; otherwise the command ends with exit code 2. With
  `reason: consent_withdrawal` this is the default. `{matched: {NAME: {min: N}}}` asks for N values of one value set.
  A value set that is compared with several fields must be found in one of them.
- `absent` names values that are known to have no images here: a file like that of a value set, or the values. At the
  top of the spec it holds for every list, in a value set (`{file: …, absent: …}` or `{values: […], absent: …}`) for
  that one. A value under `absent` that does occur is refused.
- On a pseudonymised index, plain identifiers are refused, and so are `contains`, `matches` and `between` on them.
  `--keyfile FILE` hashes the identifiers with the key that the index was built with; bundles take `--keyfile FILE` too.
- With `reason: consent_withdrawal`, images that are undetermined or of doubtful identity (no patient, a placeholder,
  copies that contradict each other) stop an unlearning run if the model was trained on them. `unknown: forget` forgets
  what is undetermined; `unknown: exclude` with `why: TEXT` leaves it out. The model card counts these images.
"""


def main() -> int:
    """Write the page; with `--check`, only report by the exit code whether it is up to date."""
    text = document()
    if "--check" in sys.argv:
        return int(not TARGET.is_file() or TARGET.read_text(encoding="utf-8") != text)
    TARGET.write_text(text, encoding="utf-8")
    return 0


def document() -> str:
    """Return the page."""
    from monai_unlearn.cohort.language.functions import FUNCTIONS, Statistic

    names = ", ".join(f"`{name}(…)`" for name in FUNCTIONS)
    meanings = [
        f"- `{function.name}`: {function.meaning}."
        for function in FUNCTIONS.values()
        if isinstance(function, Statistic)
    ]
    parts = [INTRODUCTION.format(functions=names), "What the cohort statistics mean:\n\n" + "\n".join(meanings) + "\n"]
    parts += [_chapter(ROOT / "tests" / "spec" / f"test_{name}.py") for name in CHAPTERS]
    return "\n".join([*parts, TAGS, LISTS])


def _chapter(path: Path) -> str:
    module = ast.parse(path.read_text(encoding="utf-8"))
    title = (ast.get_docstring(module) or path.stem).splitlines()[0].rstrip(".")
    tables = {
        target.id: node.value.value
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value.value, str)
    }
    sections = [section for name, text in tables.items() for section in _section(_sentence(module, name), text)]
    return "\n".join([f"## {title}\n", *sections])


def _sentence(module: ast.Module, table: str) -> str:
    """Return the name of the test that uses a table, as a sentence."""
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and any(table in ast.unparse(item) for item in node.decorator_list):
            words = node.name.removeprefix("test_").replace("_", " ").replace(" nan ", " NaN ")
            return f"{words[0].upper()}{words[1:]}."
    return ""


def _section(sentence: str, text: str) -> list[str]:
    blocks = [block.strip().splitlines() for block in text.strip().split("\n\n")]
    return [f"{sentence}\n", *(_table(predicate, rows) for predicate, *rows in blocks)]


def _table(predicate: str, rows: list[str]) -> str:
    cells = [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in rows]
    head, *body = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([f"```\n{predicate}\n```\n", head, "|" + " --- |" * len(cells[0]), *body, ""])


if __name__ == "__main__":
    sys.exit(main())
