"""Images of a cohort from an archive: fetched now, or at first use, and bound to the index.

IMAGES/STUDY/SERIES/INSTANCE.dcm   the files, as the archive stores them
IMAGES/fetched.parquet             the digests of each: of the file, and of its pixels
"""
