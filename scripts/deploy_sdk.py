"""Set up MONAI Deploy in an environment of its own, and run the tests that need it: `make deploy-sdk`.

MONAI Deploy installs below `monai`, and `import monai` then loads Holoscan too, so it does not go into `.venv`. It runs
on the CPU: Holoscan's build for CUDA 12 needs the runtime of CUDA, and no GPU. Where it cannot be installed, this says
so and ends with 0.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version

from own_environment import ROOT, environment

TESTS = ["tests/bundles/test_deploy_sdk.py"]

# Without their dependencies: monai-deploy-app-sdk asks for the build for CUDA 13, holoscan-cu12 for cupy. `monai` must
# stand in one folder with what MONAI Deploy adds to it. Holoscan's wheel unpacks itself with filelock.
ALONE = [
    *(f"{name}=={version(name)}" for name in ("monai", "filelock")),
    "monai-deploy-app-sdk==4.0.0",
    "holoscan-cu12==4.3.0",
    "nvidia-cuda-runtime-cu12==12.9.79",
    "wheel-axle-runtime==0.0.13",
]
WHOLE = ["colorama==0.4.6", "tritonclient[all]==2.73.0", "typeguard==4.6.1"]


def main() -> int:
    python = environment("deploy_sdk", alone=ALONE, whole=WHOLE)
    if python is None:
        return 0
    settings = {**os.environ, "MONAI_UNLEARN_DEPLOY_PYTHON": str(python)}
    return subprocess.run([sys.executable, "-m", "pytest", *TESTS], cwd=ROOT, env=settings, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
