from __future__ import annotations

import importlib
import sys

import pytest

from monai_unlearn.engine.own_modules import own_modules


def bundle(folder, says):
    """A bundle with code in a package, a package without `__init__.py`, and a file."""
    for name in ("scripts/__init__.py", "scripts/networks.py", "more_of_it/part.py", "alone.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"SAYS = {says!r}\n", encoding="utf-8")
    return folder


NAMES = ["scripts", "scripts.networks", "more_of_it.part", "alone"]


def imported():
    return [importlib.import_module(name).SAYS for name in NAMES]


@pytest.fixture(autouse=True)
def modules(monkeypatch):
    """What a test imports is gone after it, whatever it found."""
    before = dict(sys.modules)
    for name in [name for name in sys.modules if name.partition(".")[0] in {"scripts", "more_of_it", "alone"}]:
        monkeypatch.delitem(sys.modules, name)
    yield
    for name in sys.modules.keys() - before.keys():
        del sys.modules[name]


def test_two_bundles_with_a_package_of_one_name_share_no_code(tmp_path):
    path, before = list(sys.path), set(sys.modules)
    for says in ("first", "second"):
        with own_modules(bundle(tmp_path / says, says)):
            assert imported() == [says] * len(NAMES)
    assert sys.path == path
    assert not {name for name in sys.modules if name.partition(".")[0] in {"scripts", "more_of_it", "alone"}}
    assert before <= set(sys.modules)


def test_the_modules_of_the_program_come_back(tmp_path, monkeypatch):
    program = bundle(tmp_path / "program", "program")
    monkeypatch.syspath_prepend(str(program))
    assert imported() == ["program"] * len(NAMES)
    own = {name: sys.modules[name] for name in NAMES}
    with pytest.raises(ZeroDivisionError), own_modules(bundle(tmp_path / "bundle", "bundle")):
        assert imported() == ["bundle"] * len(NAMES)
        raise ZeroDivisionError
    assert {name: sys.modules[name] for name in NAMES} == own


def test_what_the_program_imported_from_the_bundle_stays(tmp_path, monkeypatch):
    root = bundle(tmp_path / "bundle", "bundle")
    monkeypatch.syspath_prepend(str(root))
    imported()
    own = {name: sys.modules[name] for name in NAMES}
    with own_modules(root):
        assert imported() == ["bundle"] * len(NAMES)
    assert {name: sys.modules[name] for name in NAMES} == own
