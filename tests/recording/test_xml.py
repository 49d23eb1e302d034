from __future__ import annotations

import pytest

from workbench.errors import BadValue, RecordingFault
from workbench.recording.xml import document, from_xml, several, text_of, to_xml


def test_mappings_lists_and_texts_come_back():
    node = {"a": "x & <y>", "b": {"c": ["1", "2"]}, "e": ""}
    assert from_xml(document("info", node)) == node


def test_what_occurs_once_and_what_occurs_often_are_both_lists_for_several():
    one, two = from_xml("<i><c><n>1</n></c></i>"), from_xml("<i><c><n>1</n></c><c><n>2</n></c></i>")
    assert [text_of(c, "n") for c in several(one, "c")] == ["1"]
    assert [text_of(c, "n") for c in several(two, "c")] == ["1", "2"]
    assert several(one, "x", "y") == []
    assert text_of(one, "c") == ""


def test_numbers_and_truth_values_are_text():
    assert to_xml("a", 0.1) + to_xml("a", True) + to_xml("a", False) + to_xml("a", None) == (
        "<a>0.1</a><a>true</a><a>false</a><a></a>"
    )


def test_characters_that_xml_cannot_hold_are_replaced():
    assert from_xml(document("i", {"a": "x\x00y\x1b"})) == {"a": "x\ufffdy\ufffd"}


def test_a_key_that_is_no_xml_name_is_refused():
    with pytest.raises(BadValue, match="'2 b'"):
        to_xml("2 b", "")


def test_text_that_is_no_xml_is_a_fault():
    with pytest.raises(RecordingFault, match="not XML"):
        from_xml("<info><name>")


def test_a_header_without_elements_is_empty():
    assert from_xml("<info>text</info>") == {}
