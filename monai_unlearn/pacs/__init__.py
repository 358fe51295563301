"""Clients of image archives: DICOMweb (PS3.18) and DIMSE (PS3.7). They know nothing of indexes, cohorts or models.

>>> from monai_unlearn.pacs.access import Access
>>> Access(url="https://pacs.example/dicom-web/").url
'https://pacs.example/dicom-web'
"""
