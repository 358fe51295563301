"""Set up MLflow in an environment of its own, and run the tests that need it there: `make mlflow`.

MLflow's requirements and our pins exclude each other, so it does not go into `.venv`. The tests start its own server on
loopback, and read what runs recorded with its own client; TensorBoard reads what MONAI's handler wrote. Where it cannot
be installed, this says so and ends with 0.
"""

from __future__ import annotations

import subprocess
import sys

from own_environment import ROOT, environment

TESTS = ["tests/bundles/test_mlflow_server.py"]
WHOLE = ["mlflow==3.17.2", "tensorboard==2.21.0"]


def main() -> int:
    python = environment("mlflow", whole=WHOLE)
    if python is None:
        return 0
    return subprocess.run([python, "-m", "pytest", *TESTS], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
