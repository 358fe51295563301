"""Sources of rows other than files: the metadata that an image archive sends as DICOM JSON."""
