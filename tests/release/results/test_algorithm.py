from __future__ import annotations

import pytest
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


def level(*said):
    """A level of content items, by code and value."""
    items = [
        {
            tag_of("ConceptNameCodeSequence"): {
                "vr": "SQ",
                "Value": [
                    {
                        tag_of("CodeValue"): {"vr": "SH", "Value": [code]},
                        tag_of("CodingSchemeDesignator"): {"vr": "SH", "Value": ["DCM"]},
                    }
                ],
            },
            tag_of("TextValue"): {"vr": "UT", "Value": [value]},
        }
        for code, value in said
    ]
    return {tag_of("ContentSequence"): {"vr": "SQ", "Value": items}}


NAME, VERSION = "111001", "111003"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([(VERSION, "1"), (NAME, "A")], [("A", "1")]),
        ([(VERSION, "1")], [(None, "1")]),
        ([(NAME, "A")], []),
        ([(NAME, "A"), (VERSION, "1"), (NAME, "B"), (VERSION, "2")], [("A", "1"), ("B", "2")]),
        ([(VERSION, "1"), (NAME, "A"), (VERSION, "2"), (NAME, "B")], [("A", "1"), ("B", "2")]),
        # Whose version is which cannot be told.
        ([(NAME, "A"), (NAME, "B"), (VERSION, "1"), (VERSION, "2")], [(None, "1"), (None, "2")]),
        ([(NAME, "A"), (NAME, "B"), (VERSION, "1")], [(None, "1")]),
    ],
)
def test_several_algorithms_side_by_side(said, expected):
    assert [(one.name, one.version) for one in algorithms(level(*said))] == expected
