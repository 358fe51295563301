"""Run `monai-unlearn` as `python -m monai_unlearn`."""

from monai_unlearn.cli import main

main()
