"""The words of a spec: DICOM keywords, aliases, units, and which fields identify people."""
