"""`python -m monai_unlearn` is `monai-unlearn`."""

from monai_unlearn.cli import main

main()
