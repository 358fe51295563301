from __future__ import annotations

import json
from dataclasses import replace

import pytest
from release_example import write_keys

from monai_unlearn.release.ledger import Event, Head, Ledger, LedgerKey, check
from monai_unlearn.release.ledger.line import parse


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ledger")
    private, public = write_keys(folder)
    ledger = Ledger(folder)
    for number in range(6):
        ledger.append(Event(event="sign", who="a", name="Some", version=f"0.{number}.0"), LedgerKey.read(private))
    return ledger, LedgerKey.read_public(public)


@pytest.fixture
def checked(template, tmp_path):
    """Write other lines, and return what is found."""
    ledger, key = template

    def run(lines, *, heads=True, keys=(key,), rest=b""):
        (tmp_path / "ledger.jsonl").write_bytes(b"".join(line + b"\n" for line in lines) + rest)
        known = {"the head": Head.read(ledger.head_path)} if heads else {}
        faults, notes = check(Ledger(tmp_path), keys=keys, heads=known)
        return [fault.line for fault in faults], [int(fault.kind) for fault in faults], notes

    return run


@pytest.fixture
def lines(template):
    return list(template[0].texts()[0])


def test_a_sound_ledger(checked, lines):
    assert checked(lines) == ([], [], [])
    assert checked(lines, keys=())[2] == ["Signatures were not checked: give --public-key FILE."]
    assert checked([], heads=False) == ([], [], [])


@pytest.mark.parametrize("number", range(1, 7))
def test_an_edited_line_is_named(number, checked, lines):
    lines[number - 1] = lines[number - 1].replace(b'"who":"a"', b'"who":"b"')
    found, codes, _ = checked(lines, heads=False)
    assert set(codes) == {3}
    assert found[0].startswith(f"line {number}: was edited: its content has the hash sha256:")


@pytest.mark.parametrize("number", range(1, 7))
def test_an_edited_line_with_a_new_hash_is_named(number, checked, lines):
    line = parse(lines[number - 1])
    line = replace(line, event=replace(line.event, who="b"))
    lines[number - 1] = replace(line, hash=line.computed_hash()).text().encode()
    found, codes, _ = checked(lines, heads=False)
    assert set(codes) == {3}
    assert any(one.startswith(f"line {number}: was not signed with the key that it names") for one in found)


@pytest.mark.parametrize("number", range(1, 6))
def test_a_dropped_line_is_named(number, checked, lines):
    del lines[number - 1]
    found, _, _ = checked(lines, heads=False)
    assert found[0].startswith(f"line {number}: ")
    assert "lines were dropped, added, reordered or edited" in found[0]


def test_reordered_and_repeated_lines_are_named(checked, lines):
    swapped = [*lines[:2], lines[3], lines[2], *lines[4:]]
    found, _, _ = checked(swapped, heads=False)
    assert [one.split(":")[0] for one in found] == ["line 3", "line 4", "line 5"]
    assert checked([*lines, lines[-1]], heads=False)[0][0].startswith("line 7: ")


def test_a_missing_tail_is_named(checked, lines):
    last = json.loads(lines[-1])["hash"]
    for kept in range(6):
        assert checked(lines[:kept])[0] == [
            f"line {kept + 1}: is missing: the head says that there are 6 lines, of which the last has the hash {last}."
        ]
    # In the middle of the last line: what is left of it is no excuse.
    found, codes, notes = checked(lines[:5], rest=lines[5][:100])
    assert (len(found), codes) == (1, [3])
    assert "100 bytes of an unfinished line" in notes[0]


def test_a_rewritten_tail_is_named(checked, lines, template, tmp_path):
    private, public = write_keys(tmp_path, "other")
    forged = Ledger(tmp_path / "forged")
    for _ in range(6):
        forged.append(Event(event="sign", who="x", name="Some", version="9"), LedgerKey.read(private))
    found, codes, _ = checked(forged.texts()[0])
    assert set(codes) == {3, 4}
    assert "line 6: has the hash" in found[-1] or "line 6: has the hash" in " ".join(found)
    assert checked(forged.texts()[0], keys=[LedgerKey.read_public(public)])[1] == [3]


def test_a_damaged_line_is_named(checked, lines):
    lines[2] = b"x" + lines[2]
    assert checked(lines)[0] == ["line 3: is no line of a ledger any more: it was damaged or edited."]


def test_every_flipped_bit_is_named(checked, lines):
    content = b"\n".join(lines) + b"\n"
    for place in range(0, len(content), 23):
        changed = content[:place] + bytes([content[place] ^ 1 << place % 7]) + content[place + 1 :]
        assert checked(changed.split(b"\n")[:-1], rest=changed.split(b"\n")[-1])[0], place
