"""Run `monai-unlearn` as `python -m monai_unlearn`."""

import sys

from monai_unlearn.safe_path import without_current_folder

sys.path[:] = without_current_folder(sys.path)  # `-m` has put it first

from monai_unlearn.cli import main  # noqa: E402 - on the safe path

main()
