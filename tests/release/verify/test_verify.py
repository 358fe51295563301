from __future__ import annotations

import json
import shutil

import pytest
from lineage_example import entry, lineage
from release_example import rendered, write_keys, write_release
from torch import nn

from monai_unlearn.errors import ConfigError, InputError
from monai_unlearn.release import save_weights, write_sums
from monai_unlearn.release.sign import sign
from monai_unlearn.release.signature import write_signature
from monai_unlearn.release.verify import verify


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("template")
    write_release(folder / "bundle")
    write_keys(folder)
    write_keys(folder, "other")
    sign(folder / "bundle", folder / "key.pem")
    return folder


@pytest.fixture
def release(template, tmp_path):
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    return tmp_path


def check(folder, key="key"):
    return verify(folder / "bundle", public_key=folder / f"{key}.pub")


def lines(report):
    return [fault.line for fault in report.faults]


def seal(folder, key="key"):
    """Sign whatever is there, as somebody could who holds a key but not this package."""
    write_sums(folder / "bundle")
    write_signature(folder / "bundle", folder / f"{key}.pem", target=folder / "bundle.sig")


def test_an_untouched_release_is_sound(release):
    report = check(release)
    assert (report.exit_code, report.faults, report.warnings) == (0, [], [])
    assert (report.name, report.version, report.verdict) == ("Some", "1.1.0", "erased")


def test_weights_that_the_lineage_says_nothing_of_are_named(release):
    (release / "bundle" / "models" / "model.ts").write_bytes(b"exported")
    (release / "bundle" / "extra.onnx").write_bytes(b"of others")
    seal(release)
    report = check(release)
    assert (report.exit_code, report.faults) == (0, [])
    (warning,) = report.warnings
    assert warning.startswith("extra.onnx, models/model.ts: the lineage and the card are about models/model.pt alone")


def test_every_file_matters(release):
    names = [path for path in sorted((release / "bundle").rglob("*")) if path.is_file()]
    for path in names:
        content, name = path.read_bytes(), path.relative_to(release / "bundle").as_posix()
        path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
        report = check(release)
        assert report.exit_code == 3
        assert any(line.startswith(f"{name}: has sha256 ") for line in lines(report)), name
        path.unlink()
        report = check(release)
        assert report.exit_code == 3
        assert any(line.startswith(f"{name}: is missing; the signature has it with sha256") for line in lines(report))
        path.write_bytes(content)
    assert check(release).exit_code == 0


@pytest.mark.parametrize("name", ["new", ".git/hooks/post-checkout", "scripts/__pycache__/a.pyc", ".hidden", "a\nb"])
def test_files_that_were_added_are_named(name, release):
    (release / "bundle" / name).parent.mkdir(parents=True, exist_ok=True)
    (release / "bundle" / name).write_text("x")
    report = check(release)
    (line,) = lines(report)
    assert report.exit_code == 3
    shown = name.replace("\n", "\\n")
    assert line.startswith(f"{shown}: is not part of the release (sha256 2d711642b726b04401627ca9fbac32f5c8530fb19")


def test_links_are_named(release, tmp_path):
    path = release / "bundle" / "LICENSE"
    shutil.copy(path, tmp_path / "elsewhere")
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    assert lines(check(release))[0].startswith("LICENSE: is a link; the signature has a file")


def test_an_unsigned_release_is_told(release):
    (release / "bundle.sig").unlink()
    report = check(release)
    assert (report.exit_code, lines(report)) == (5, ["bundle.sig: there is no signature."])
    (release / "bundle" / "LICENSE").write_text("other")
    assert check(release).exit_code == 3


def test_a_bundle_of_others_is_unsigned_with_a_warning(release):
    for name in ("bundle.sig", "bundle/SHA256SUMS", "bundle/lineage.json", "bundle/models/training.json"):
        (release / name).unlink()
    shutil.rmtree(release / "bundle" / "docs")
    report = check(release)
    assert (report.exit_code, len(report.faults)) == (5, 1)
    assert report.warnings == [
        "There is no SHA256SUMS and no signature that holds: nothing says which files the bundle had."
    ]


def test_another_key_is_told(release):
    report = check(release, "other")
    assert (report.exit_code, lines(report)) == (4, ["bundle.sig: was made with another key than other.pub."])
    (release / "bundle" / "LICENSE").write_text("other")
    assert check(release, "other").exit_code == 3


def test_without_a_key_nothing_is_accepted(release):
    report = verify(release / "bundle")
    assert report.exit_code == 4
    assert lines(report) == ["bundle.sig: was not checked: give the key that it must be made with, --public-key FILE."]


def test_a_damaged_signature_is_told(release):
    text = (release / "bundle.sig").read_text()
    (release / "bundle.sig").write_text(text.replace('"sig":"ME', '"sig":"MF').replace('"sig": "ME', '"sig": "MF'))
    report = check(release)
    assert report.exit_code == 3
    assert lines(report) == ["bundle.sig: is damaged: the signature does not fit what it signs."]


def test_what_is_no_bundle_cannot_be_checked(tmp_path, release):
    with pytest.raises(ConfigError, match="is not a MONAI bundle"):
        verify(tmp_path / "nothing")
    with pytest.raises(InputError, match="the public key cannot be read"):
        verify(release / "bundle", public_key=release / "missing.pub")


def test_swapped_cards_are_named_even_where_they_were_signed(release):
    write_release(release / "third", seed=3)
    for name in rendered(json.loads((release / "bundle" / "docs" / "model_card_diff.json").read_text())):
        shutil.copy(release / "third" / "docs" / name, release / "bundle" / "docs" / name)
    seal(release)
    (line,) = lines(check(release))
    assert line.startswith("docs/model_card_diff.json: revised.weights_digest is sha256:")
    assert "; models/model.pt says sha256:" in line


def test_swapped_weights_are_named_even_where_they_were_signed(release):
    save_weights(nn.Linear(2, 2), release / "bundle" / "models" / "model.pt")
    seal(release)
    found = " ".join(lines(check(release)))
    assert "lineage.json: ends with weights sha256:" in found
    assert "docs/model_card_diff.json: revised.weights_digest is sha256:" in found


def test_a_changed_figure_is_named_even_where_it_was_signed(release):
    path = release / "bundle" / "docs" / "model_card_diff.md"
    text = path.read_text(encoding="utf-8")
    assert "50.0 %" in text
    path.write_text(text.replace("50.0 %", "55.0 %", 1), encoding="utf-8")
    seal(release)
    (line,) = lines(check(release))
    assert "docs/model_card_diff.md: is not what its JSON gives: line " in line
    assert "50.0" in line
    assert "55.0" in line


def test_a_rewritten_verdict_is_named_even_where_it_was_signed(release):
    path = release / "bundle" / "docs" / "model_card_diff.json"
    diff = {**json.loads(path.read_text()), "verdict": "equivalent"}
    for name, text in rendered(diff).items():
        (path.parent / name).write_text(text, encoding="utf-8")
    seal(release)
    assert lines(check(release)) == [
        "docs/model_card_diff.json: verdict is equivalent; lineage.json says erased.",
    ]


def test_a_lineage_of_another_bundle_is_named(release):
    lineage(entry("1.1.0")).write(release / "bundle")
    seal(release)
    assert any(line.startswith("lineage.json: is another one") for line in lines(check(release)))


def test_a_card_that_is_gone_is_missed(release):
    for path in (release / "bundle" / "docs").glob("model_card_diff*"):
        path.unlink()
    seal(release)
    assert lines(check(release)) == ["docs/model_card_diff.json: is missing, although the bundle was revised."]


def test_damage_to_the_files_that_are_read_is_a_fault(release):
    for name in ("configs/metadata.json", "docs/model_card_diff.json", "lineage.json", "models/model.pt", "SHA256SUMS"):
        content = (release / "bundle" / name).read_bytes()
        for damage in (b"", b"\xff", b"[" * 100_000, b"[]", b"3"):
            (release / "bundle" / name).write_bytes(damage)
            assert check(release).exit_code == 3
        (release / "bundle" / name).write_bytes(content)
    assert check(release).exit_code == 0
