from __future__ import annotations

import pytest
from script import load_script

write_page = load_script("docs/page.py").write_page


@pytest.mark.parametrize(
    ("before", "options", "code", "after"),
    [
        (None, [], 0, "new\n"),
        ("old\n", [], 0, "new\n"),
        (None, ["--check"], 1, None),
        ("old\n", ["--check"], 1, "old\n"),
        ("new\n", ["--check"], 0, "new\n"),
    ],
)
def test_a_page_is_written_or_compared(before, options, code, after, tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    if before is not None:
        page.write_text(before, encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["write_page.py", *options])
    with pytest.raises(SystemExit) as ended:
        write_page(page, lambda: "new\n")
    assert ended.value.code == code
    assert (page.read_text(encoding="utf-8") if page.is_file() else None) == after
