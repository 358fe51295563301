"""Value sets: paths out of the spec's folder, files that are not files, and lists with things that are not values."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from hostile_specs.case import OUTSIDE, Hostile, quoted, spec

_PATH = "expected a file in the spec's folder|expected a file, got something else|'file': expected text|is refused"
_FORGET = "patient in @listed"
_GIGABYTE = 1 << 30


def _listed(file: str, column: str | None = None) -> str:
    more = f", column: {quoted(column)}" if column is not None else ""
    return spec(forget=_FORGET, value_sets=f"{{listed: {{file: {quoted(file)}{more}}}}}")


_PATHS = {
    "up": "../outside/patients.txt",
    "up-and-down": "sub/../../outside/patients.txt",
    "up-far": "../" * 40 + "etc/passwd",
    "absolute": "/etc/passwd",
    "absolute-slashes": "//etc/passwd",
    "home": "~/.ssh/id_rsa",
    "home-of-root": "~root/.bashrc",
    "environment": "$HOME/.netrc",
    "environment-braces": "${HOME}/.netrc",
    "environment-percent": "%USERPROFILE%/x.txt",
    "file-url": "file:///etc/passwd",
    "file-url-short": "file:patients.txt",
    "http-url": "http://127.0.0.1:9/patients.txt",
    "https-url": "https://example.org/patients.csv",
    "s3-url": "s3://bucket/patients.csv",
    "unc": "\\\\server\\share\\patients.txt",
    "unc-slashes": "//server/share/patients.txt",
    "drive": "C:\\Windows\\win.ini",
    "drive-relative": "C:patients.txt",
    "backslash-up": "..\\outside\\patients.txt",
    "device-zero": "/dev/zero",
    "device-random": "/dev/urandom",
    "terminal": "/dev/tty",
    "standard-input": "/dev/stdin",
    "descriptor": "/dev/fd/0",
    "process-environment": "/proc/self/environ",
    "process-memory": "/proc/self/mem",
    "process-root": "/proc/self/root/etc/passwd",
    "process-folder": "/proc/self/cwd/patients.txt",
    "zero-byte": "patients.txt\0.csv",
    "newline": "patients.txt\n/etc/passwd",
    "terminal-escape": "\x1b[2Jpatients.txt",
    "bidi": "\u202etxt.stneitap",
    "glob": "*.txt",
    "glob-deep": "**/*.txt",
    "question-mark": "patient?.txt",
    "pipe": "|id",
    "shell": "patients.txt; id",
    "read-csv": "read_csv('/etc/passwd')",
    "template": "{{ path }}",
    "dot": ".",
    "dots": "..",
    "empty": "",
    "space": " ",
    "nowhere": "nowhere.txt",
    "long": "a/" * 3_000 + "x.txt",
    "long-name": "x" * 5_000,
}
PATHS = [Hostile(f"path-{name}", f"read {text[:40]!r}", _listed(text), _PATH) for name, text in _PATHS.items()]


def _symlink(target: str, name: str = "patients.txt") -> object:
    return lambda folder: (folder / name).symlink_to(target)


def _socket(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as end:
        here = Path.cwd()
        os.chdir(folder)  # a socket's path may have 107 bytes only
        try:
            end.bind("patients.txt")
        finally:
            os.chdir(here)


def _sparse(folder: Path) -> None:
    with (folder / "patients.txt").open("wb") as stream:
        stream.truncate(_GIGABYTE)


def _million(folder: Path) -> None:
    (folder / "patients.txt").write_text("".join(f"p{n:07d}\n" for n in range(1_500_000)), encoding="utf-8")


def _holding(content: bytes, name: str = "patients.txt") -> object:
    return lambda folder: (folder / name).write_bytes(content)


_BESIDE = {
    "link-out": (_symlink(f"../{OUTSIDE}/patients.txt"), "a link out of the folder"),
    "link-absolute": (_symlink("/etc/passwd"), "a link to a file of the system"),
    "link-zero": (_symlink("/dev/zero"), "a link to a device without end"),
    "link-environment": (_symlink("/proc/self/environ"), "a link to the process"),
    "link-to-itself": (_symlink("patients.txt"), "a link to itself"),
    "link-to-nothing": (_symlink("nowhere"), "a link to nothing"),
    "pipe": (lambda folder: os.mkfifo(folder / "patients.txt"), "a pipe that nobody writes to"),
    "socket": (_socket, "a socket"),
    "folder": (lambda folder: (folder / "patients.txt").mkdir(), "a folder"),
    "gigabyte": (_sparse, "a file of a gigabyte"),
    "million-values": (_million, "a million and a half values"),
    "zero-bytes": (_holding(bytes(1_000)), "zero bytes"),
    "latin-1": (_holding("Müller\n".encode("latin-1")), "another encoding"),
    "utf-16": (_holding("p1\np2\n".encode("utf-16")), "another encoding"),
    "binary": (_holding(bytes(range(256))), "any bytes"),
    "empty": (_holding(b""), "no value at all"),
    "blank-lines": (_holding(b"\n \n\t\n"), "blank lines only"),
    "terminal": (_holding(b"p1\n\x1b[2Jp2\n"), "escape sequences"),
}
BESIDE = [
    Hostile(
        f"file-{name}",
        f"a list that is {what}",
        _listed("patients.txt"),
        "in the spec's folder|expected a file|expected at most|expected UTF-8|expected plain text|found none",
        beside=make,
    )
    for name, (make, what) in _BESIDE.items()
]
LINKED_FOLDER = [
    Hostile(
        "folder-link-out",
        "a folder that leads out",
        _listed("sub/patients.txt"),
        _PATH,
        beside=_symlink(f"../{OUTSIDE}", "sub"),
    ),
    Hostile(
        "folder-link-root", "a folder that is the root", _listed("sub/etc/passwd"), _PATH, beside=_symlink("/", "sub")
    ),
]

_TABLES = {
    "no-column": ("id\np1\n", None, "name the column"),
    "other-column": ("id\np1\n", "patient", "column"),
    "column-twice": ("id,id\np1,p2\n", "id", "the column 'id' twice"),
    "ragged": ("id,x\np1,1,2,3\n", "id", "well-formed CSV"),
    "no-header": ("", "id", "no column"),
    "header-only": ("id,x\n", "id", "found none|no value"),
    "zero-byte": ("id\np\0\n", "id", "plain text"),
    "unclosed-quote": ('id\n"p1\n', "id", "well-formed CSV"),
    "sql-column": ("id\np1\n", 'id"; DROP TABLE x; --', "column"),
    "all-blank": ("id,x\n,1\n,2\n", "id", "found none|no value"),
}
TABLES = [
    Hostile(
        f"table-{name}",
        "a table that cannot be meant",
        _listed("list.csv", column),
        says,
        beside=_holding(text.encode(), "list.csv"),
    )
    for name, (text, column, says) in _TABLES.items()
]

_SETS = {
    "null": ("{listed: null}", "no value"),
    "nothing": ("{}", "no 'listed' under value_sets"),
    "list": ("[p1, p2]", "'value_sets': expected"),
    "text": ("patients.txt", "'value_sets': expected"),
    "empty": ("{listed: []}", "at least one value"),
    "null-in-list": ("{listed: [p1, null]}", "no value"),
    "list-in-list": ("{listed: [[p1]]}", "expected"),
    "mapping-in-list": ("{listed: [{file: /etc/passwd}]}", "expected"),
    "bool": ("{listed: true}", "expected"),
    "bool-in-list": ("{listed: [true]}", "expected"),
    "no-file": ("{listed: {column: id}}", "expected exactly one of 'file' and 'values'"),
    "file-number": ("{listed: {file: 1}}", "'file': expected"),
    "file-list": ("{listed: {file: [patients.txt]}}", "'file': expected"),
    "file-null": ("{listed: {file: null}}", "no value"),
    "file-dollar": ("{listed: {file: $x}}", "refused"),
    "sql": ("{listed: {file: a.txt, sql: SELECT 1}}", "unknown key 'sql'"),
    "url": ("{listed: {url: 'http://127.0.0.1'}}", "unknown key 'url'"),
    "command": ("{listed: {command: id}}", "unknown key 'command'"),
    "name-number": ("{1: [p1]}", "a key must be text"),
    "name-dash": ("{a-b: [p1]}", "the name of a value set"),
    "name-empty": ("{'': [p1]}", "the name of a value set"),
    "name-long": (f"{{{'a' * 65}: [p1]}}", "the name of a value set"),
    "name-path": ("{../x: [p1]}", "the name of a value set"),
    "name-code": ("{__class__: [p1]}", "refused"),
    "value-dollar": ("{listed: [$HOME]}", "refused"),
    "value-control": ('{listed: ["p\\0"]}', "plain text"),
}
SETS = [
    Hostile(f"set-{name}", f"a value set such as {text[:40]}", spec(forget=_FORGET, value_sets=text), says)
    for name, (text, says) in _SETS.items()
]

FILE_TRICKS = [*PATHS, *BESIDE, *LINKED_FOLDER, *TABLES, *SETS]
