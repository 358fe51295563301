from __future__ import annotations

from archive_example import report_of

from monai_unlearn.pacs.items import tag_of
from monai_unlearn.release.results.algorithm import Algorithm, algorithms, images
from monai_unlearn.release.sr import read_source


def test_the_algorithm_and_the_images_of_a_report(scans):
    report = report_of(scans[0], "0.1.0").to_json_dict()
    (found,) = algorithms(report)
    assert found == Algorithm(name="MRI classifier", version="0.1.0", parameters=("weights sha256:" + "ab" * 32,))
    assert images(report) == [read_source(scans[0]).SOPInstanceUID]


def test_other_documents_name_no_algorithm():
    content = tag_of("ContentSequence")
    assert (
        algorithms({}) == algorithms({content: {"vr": "SQ"}}) == algorithms({content: {"vr": "SQ", "Value": [7]}}) == []
    )
    nested = {content: {"vr": "SQ", "Value": []}}
    nested[content]["Value"].append(nested)  # no document, but nobody must recurse without end
    assert algorithms(nested) == []
