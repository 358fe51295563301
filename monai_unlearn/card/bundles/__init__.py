"""Any two MONAI bundles side by side, ours or not: read as data, without running anything in them."""
