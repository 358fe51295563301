"""Set up MONAI Deploy in an environment of its own, and run the tests that need it: `make deploy-sdk`.

MONAI Deploy installs below `monai`, and `import monai` then loads Holoscan too, so it does not go into `.venv`. The new
environment uses the packages of the one that runs this script, torch above all, and runs on the CPU: Holoscan's build
for CUDA 12 needs the runtime of CUDA, and no GPU. Where it cannot be installed, this says so and ends with 0.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "deploy_sdk"
TESTS = ["tests/bundles/test_deploy_sdk.py"]

# Without their dependencies: monai-deploy-app-sdk asks for the build for CUDA 13, holoscan-cu12 for cupy.
ALONE = [
    "monai-deploy-app-sdk==4.0.0",
    "holoscan-cu12==4.3.0",
    "nvidia-cuda-runtime-cu12==12.9.79",
    "wheel-axle-runtime==0.0.13",
]
WHOLE = ["colorama==0.4.6", "tritonclient[all]==2.73.0", "typeguard==4.6.1"]


def main() -> int:
    try:
        python = set_up()
    except subprocess.CalledProcessError as error:
        last = (error.stderr or str(error)).strip().splitlines()[-1]
        print(f"MONAI Deploy cannot be installed here, so its tests are left out: {last}")
        return 0
    environment = {**os.environ, "MONAI_UNLEARN_DEPLOY_PYTHON": str(python)}
    return subprocess.run([sys.executable, "-m", "pytest", *TESTS], cwd=ROOT, env=environment, check=False).returncode


def set_up() -> Path:
    """Return the Python of the environment, which is made where it does not exist."""
    python, done = FOLDER / "bin" / "python", FOLDER / "installed"
    wanted = "\n".join([sys.prefix, *ALONE, *WHOLE])
    if done.is_file() and done.read_text(encoding="utf-8") == wanted:
        return python
    print(f"Setting up {FOLDER} (once, about a minute) …", flush=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    call(sys.executable, "-m", "venv", FOLDER)
    # `monai` must stand in one folder with what MONAI Deploy adds to it. Holoscan's wheel unpacks itself with filelock.
    shared = [f"{name}=={version(name)}" for name in ("monai", "filelock")]
    call(*pip(python), "--no-deps", *shared, *ALONE)
    link = FOLDER / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix) / "shared.pth"
    link.write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    call(*pip(python), *WHOLE)
    done.write_text(wanted, encoding="utf-8")
    return python


def pip(python: Path) -> list[str | Path]:
    return [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def version(name: str) -> str:
    from importlib.metadata import version as installed

    return installed(name)


def call(*words: str | Path) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True)


if __name__ == "__main__":
    sys.exit(main())
