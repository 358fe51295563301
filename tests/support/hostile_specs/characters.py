"""Files that are not UTF-8 text, and characters that make a text look different from what it says."""

from __future__ import annotations

import gzip

from hostile_specs.case import Hostile, spec

_UTF8 = "expected UTF-8 text"
_REFUSED = r"the character U\+{} "

ENCODINGS = [
    Hostile("utf-16", "another encoding, with its mark", spec().encode("utf-16"), _UTF8),
    Hostile("utf-16-le", "another encoding, without a mark", spec().encode("utf-16-le"), _REFUSED.format("0000")),
    Hostile("utf-16-be", "another encoding, the other way round", spec().encode("utf-16-be"), _REFUSED.format("0000")),
    Hostile("utf-32", "four bytes a character", spec().encode("utf-32"), _UTF8),
    Hostile("latin-1", "an umlaut of 1987", spec(forget="device == Gerät").encode("latin-1"), _UTF8),
    Hostile("cp1252-quotes", "a word processor's quotes", spec().encode() + b"# \x93old\x94\n", _UTF8),
    Hostile("overlong-utf-8", "a slash in two bytes", spec().encode() + b"# \xc0\xaf\n", _UTF8),
    Hostile("surrogate-bytes", "half a character as bytes", spec().encode() + b"# \xed\xa0\x80\n", _UTF8),
    Hostile("cut-utf-8", "a character that is cut off", spec().encode() + b"# \xe2\x82", _UTF8),
    Hostile("beyond-unicode", "bytes beyond Unicode", spec().encode() + b"# \xf5\x80\x80\x80\n", _UTF8),
    Hostile("gzip", "a compressed spec", gzip.compress(spec().encode(), mtime=0), _UTF8),
    Hostile("pickle", "a pickle that runs a command", b"\x80\x04cposix\nsystem\n(S'id'\ntR.", _UTF8),
]

_RAW = {
    "0000": "a zero byte, where C ends a text",
    "001B": "an escape sequence for the terminal",
    "0008": "backspaces that hide what comes before",
    "007F": "a delete character",
    "0085": "a line end that only YAML knows",
    "2028": "a line separator that editors do not show",
    "009B": "an escape sequence of one character",
    "202E": "change the direction of writing",
    "2066": "isolate a direction of writing",
    "200B": "a space without width",
    "200F": "a mark without width",
    "00AD": "an invisible hyphen",
    "2060": "an invisible joiner",
    "FEFF": "a byte-order mark in the middle",
    "E0041": "a tag character, which no font shows",
    "3164": "a letter that is blank",
}


def _holding(code: str) -> str:
    character = chr(int(code, 16))
    return spec(forget=f"device == old # and{character} exists(device)")


CHARACTERS = [
    *(
        Hostile(f"comment-{code}", f"{what}, in a comment", _holding(code), _REFUSED.format(code))
        for code, what in _RAW.items()
    ),
    Hostile("carriage-return", "show a line over another", spec() + "# scope: image\rscope: patient\n", "U.000D"),
    Hostile("bidi-key", "a key that reads backwards", spec() + "\u202etegrof\u202c: x\n", "U.202E"),
    Hostile("bidi-predicate", "a rule that reads backwards", spec(forget="device == \u202edlo\u202c"), "U.202E"),
    Hostile("invisible-key", "a second 'forget' that is none", spec() + "for\u200bget: x\n", "U.200B"),
    Hostile("invisible-name", "a name that looks like another", spec(name="host\u00adile"), "U.00AD"),
    Hostile("joiner-key", "a joiner in a key", spec() + "sc\u200dope: patient\n", "unknown key 'sc<U.200D"),
    Hostile("cyrillic-key", "a Cyrillic letter in a key", spec() + "sc\u043epe: patient\n", "unknown key"),
    Hostile("wide-key", "wide letters", spec() + "ｓｃｏｐｅ: patient\n", "unknown key"),
    Hostile("space-key", "a space that does not break", spec() + "scope\u00a0: patient\n", "unknown key"),
    Hostile(
        "surrogate-escape", "half a character by an escape", spec(forget='"device == \\ud800"'), "half a character"
    ),
    Hostile("surrogate-key", "half a character in a key", spec() + '"\\udc00": x\n', "half a character"),
    Hostile("escape-beyond", "an escape beyond Unicode", spec(name='"\\UFFFFFFFF"'), "does not exist"),
    Hostile("null-escape", "a zero by an escape", spec(forget='"device == old\\0"'), "U.0000"),
    Hostile("terminal-escape", "clear the terminal by an escape", spec(name='"\\e[2J"'), "name"),
    Hostile("terminal-key", "clear the terminal by a key", spec() + '"\\e[2J": 1\n', "unknown key"),
    Hostile("terminal-predicate", "clear the terminal by a rule", spec(forget='"device == \\e[2J"'), "U.001B"),
    Hostile("bidi-escape", "a turned value by an escape", spec(forget='"device == \\u202eold"'), "U.202E"),
    Hostile("invisible-field", "a field with a blank in it", spec(forget='"dev\\u200bice == old"'), "U.200B"),
]

CHARACTER_TRICKS = [*ENCODINGS, *CHARACTERS]
