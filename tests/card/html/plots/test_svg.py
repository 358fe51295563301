from __future__ import annotations

from xml.etree import ElementTree as ET

from monai_unlearn.card.html.plots.svg import bar, frame, line, place, text


def test_a_frame_is_xml_with_its_text_alternative():
    found = frame([line(x1="0%", x2="5%", y1=0, y2=1, css="x")], name="p", title="A <b>", description="“&”", height=9.6)
    root = ET.fromstring(str(found))  # noqa: S314 - made here
    assert root.attrib["aria-labelledby"] == "p-title p-text"
    assert root.attrib["height"] == "10"
    assert [child.text for child in root][:2] == ["A <b>", "“&”"]


def test_places_are_shares_of_the_axis_and_stay_on_it():
    assert place(0.5, left=10, width=80) == "50.0%"
    assert place(-1, left=10, width=80) == place(0, left=10, width=80)
    assert place(2, left=10, width=80) == "90.0%"


def test_texts_are_escaped():
    assert "&lt;i&gt;" in text("<i>", x="0%", y=1)


def test_a_bar_reaches_from_place_to_place():
    assert 'x="10.0%"' in bar(start="10.0%", stop="25.0%", y=0, height=4, css="band")
    assert 'width="15.0%"' in bar(start="10.0%", stop="25.0%", y=0, height=4, css="band")
