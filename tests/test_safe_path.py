from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from multiprocessing import spawn, util
from pathlib import Path

import pytest
from PIL import Image
from pydicom.data import get_testdata_file

from monai_unlearn import safe_path
from monai_unlearn.safe_path import module_command, safe_environment, safe_start, without_current_folder

ROOT = Path(__file__).parent.parent
# Modules of the standard library that processes import when they start, and `dl`, which gdcm looks for.
PLANTED = ("dis", "dl", "types", "random", "tokenize", "socket", "selectors", "array", "inspect", "queue", "secrets")


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """A current folder with modules that leave a mark when they are executed."""
    folder = tmp_path / "trap"
    folder.mkdir()
    for name in PLANTED:
        (folder / f"{name}.py").write_text(
            f"open({str(folder)!r} + '/executed', 'a').write('{name} ')\nraise SystemExit('executed')\n"
        )
    monkeypatch.chdir(folder)
    return folder


def executed(folder):
    mark = folder / "executed"
    return mark.read_text() if mark.exists() else ""


def run_command(*words, cwd):
    code = "import sys; sys.path[:] = filter(None, sys.path); from monai_unlearn.cli import main; main()"
    found = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*found, str(ROOT)])}
    words = [sys.executable, "-c", code, *map(str, words)]  # as the installed command does
    return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize(
    "options",
    [
        ("--workers", "2"),
        ("--workers", "2", "--reader", "gdcm"),
        ("--workers", "2", "--decode-check"),
        ("--dask", "local"),
    ],
    ids=lambda options: options[-1].strip("-"),
)
def test_index_workers_do_not_execute_modules_of_the_current_folder(trap, tmp_path, options):
    if "gdcm" in options:
        pytest.importorskip("gdcm", reason="python-gdcm is not installed")
    images = tmp_path / "images"
    images.mkdir()
    Image.new("L", (4, 4)).save(images / "0.png")
    for number in range(1, 1000 if "--reader" not in options and "--workers" in options[0] else 3):  # worth workers
        (images / f"{number}.png").write_bytes((images / "0.png").read_bytes())
    (images / "a.dcm").write_bytes(Path(get_testdata_file("CT_small.dcm")).read_bytes())
    done = run_command("index", "build", images, "--out", tmp_path / "index", *options, cwd=trap)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "index" / "index.json").is_file()
    assert executed(trap) == ""


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
@pytest.mark.parametrize("knows_variable", [True, False])
def test_processes_start_on_a_safe_path(trap, monkeypatch, method, knows_variable):
    if knows_variable and sys.version_info < (3, 11):
        pytest.skip("Python 3.10 does not know PYTHONSAFEPATH")
    monkeypatch.setattr(safe_path, "_KNOWS_VARIABLE", knows_variable)
    if not knows_variable:
        monkeypatch.setattr(safe_path, "_VARIABLE", "AS_IF_IT_WERE_NOT_KNOWN")
    program = (
        "import sys; sys.path[:] = filter(None, sys.path)\n"
        "from monai_unlearn import safe_path\n"
        f"safe_path._KNOWS_VARIABLE, safe_path._VARIABLE = {safe_path._KNOWS_VARIABLE}, {safe_path._VARIABLE!r}\n"
        "sys.path.insert(0, '')\n"
        "import multiprocessing as mp, os\n"
        "with safe_path.safe_start():\n"
        f"    process = mp.get_context({method!r}).Process(target=os.getcwd)\n"
        "    process.start()\n"
        "process.join(); sys.exit(process.exitcode)"
    )
    # The modules are imported before the trap is on the path, or the parent would execute them.
    program = program.replace(
        "sys.path.insert(0, '')\nimport multiprocessing as mp, os", "import multiprocessing as mp, os"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, executed(trap)) == (0, ""), done.stderr


UNGUARDED = """
import sys
from pathlib import Path
from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.index.scan import read
from monai_unlearn.index.scan.options import ScanOptions

with open("started", "a") as file:
    file.write("x")
read._WORTH_WORKERS = 1
scan = ScanOptions(decode_check=True, **OPTIONS)
report = build(BuildRequest(sources=(Path("images"),), out=Path("index"), scan=scan), track=iter)
print(report.index.frame()["fault"].isna().tolist())
"""


@pytest.mark.parametrize("options", [{"workers": 2}, {"dask": "local"}], ids=["workers", "dask"])
def test_index_workers_do_not_run_a_script_without_a_main_guard(tmp_path, options):
    if "dask" in options:
        pytest.importorskip("distributed", reason="dask.distributed is not installed")
    (tmp_path / "images").mkdir()
    for number in range(6):
        Image.new("L", (4, 4), number).save(tmp_path / "images" / f"{number}.png")
    (tmp_path / "script.py").write_text(UNGUARDED.replace("OPTIONS", str(options)))
    words = [sys.executable, "script.py"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, f"{[True] * 6}\n"), done.stderr
    assert (tmp_path / "started").read_text() == "x"


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_classes_of_the_script_reach_processes_that_keep_the_path(tmp_path, method):
    (tmp_path / "script.py").write_text(
        "import multiprocessing, sys\n"
        "from monai_unlearn.safe_path import safe_start\n"
        "def work():\n    sys.exit(3)\n"
        "if __name__ == '__main__':\n"
        f"    process = multiprocessing.get_context({method!r}).Process(target=work)\n"
        "    with safe_start(keep_path=True):\n        process.start()\n"
        "    process.join()\n    sys.exit(process.exitcode)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, str(tmp_path / "script.py")]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 3, done.stderr


def test_everything_is_put_back(monkeypatch):
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    before = sys.path[:], util._args_from_interpreter_flags, spawn.get_preparation_data
    with pytest.raises(ZeroDivisionError, match="zero"), safe_start():
        assert os.environ["PYTHONSAFEPATH"] == "1"
        raise ZeroDivisionError("zero")
    assert (sys.path[:], util._args_from_interpreter_flags, spawn.get_preparation_data) == before
    assert "PYTHONSAFEPATH" not in os.environ
    monkeypatch.setenv("PYTHONSAFEPATH", "yes")
    with safe_start():
        pass
    assert os.environ["PYTHONSAFEPATH"] == "yes"


def test_the_path_of_the_user_is_kept_on_request(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    with safe_start(keep_path=True):
        assert sys.path[0] == str(tmp_path)
    with safe_start():
        assert str(tmp_path) not in sys.path


def test_the_current_folder_leaves_the_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert without_current_folder(["", str(tmp_path), "/elsewhere", "."]) == ["/elsewhere"]
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert without_current_folder(["", "/elsewhere"]) == ["/elsewhere"]


def test_the_current_folder_comes_last_where_the_program_lies_in_it(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert without_current_folder(["", "/elsewhere"]) == ["/elsewhere", str(ROOT)]
    assert without_current_folder(["/elsewhere"]) == ["/elsewhere"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(tmp_path / "script.py"), raising=False)
    assert without_current_folder([str(tmp_path), "/elsewhere"]) == ["/elsewhere", str(tmp_path)]


def test_a_module_runs_as_by_its_name_on_a_safe_path(trap, tmp_path):
    bundle = tmp_path / "bundle"
    (bundle / "scripts").mkdir(parents=True)
    (bundle / "scripts" / "__init__.py").write_text("")
    (bundle / "scripts" / "__main__.py").write_text(
        "import dis, sys, random\nprint(__name__, sys.argv[1:])\nsys.exit(3)\n"
    )
    (bundle / "random.py").write_text("raise SystemExit('executed')\n")
    words = module_command("scripts", "run", "--a=1", folder=bundle)
    done = subprocess.run(words, env=safe_environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "__main__ ['run', '--a=1']\n"), done.stderr
    assert executed(trap) == ""
