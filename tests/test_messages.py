"""Messages: code and arguments, one catalogue, two languages."""

from __future__ import annotations

import copy
import json
import string

import pytest

from workbench import messages
from workbench.messages import Message, carried, catalogue, restored, told


def places(sentence):
    return {name for _, name, *_ in string.Formatter().parse(sentence) if name is not None}


def test_every_code_has_both_languages_with_the_same_places():
    for code, texts in catalogue().items():
        assert set(texts) == set(messages.LANGUAGES), code
        assert places(texts["en"]) == places(texts["zh-CN"]), code


def test_a_message_is_its_english_sentence_and_is_told_in_another_language_with_its_arguments():
    message = Message("fault.engine_part", why=Message("amount.s", n=3))
    assert message == "Part of the engine failed: 3 s."
    assert told(message, language="zh-CN") == "引擎的一部分发生故障：3 秒。"
    assert told("a note 3 s long", language="zh-CN") == "a note 3 s long"


@pytest.mark.parametrize("again", [copy.deepcopy, copy.copy])
def test_a_copied_message_keeps_its_code(again):
    message = again(Message("amount.ms", n=3))
    assert (message, message.code, message.arguments) == ("3 ms", "amount.ms", {"n": 3})


def test_a_message_goes_through_json_beside_its_english_text():
    held = {"what": Message("fault.engine_part", why=Message("amount.s", n=3)), "n": 1, "rows": [{"by": "Lin Q."}]}
    wire = json.loads(json.dumps(carried(held)))
    assert wire["what"] == "Part of the engine failed: 3 s."
    assert wire["said"]["what"]["args"]["why"] == {"code": "amount.s", "args": {"n": 3}}
    back = restored(wire)
    assert back == held
    assert back["what"].code == "fault.engine_part"
    assert told(back["what"], language="zh-CN") == told(held["what"], language="zh-CN")


@pytest.mark.parametrize(
    "said",
    [
        {"what": {"code": "fault.of_a_later_version", "args": {}}},
        {"what": {"code": "amount.ms", "args": {"n": 4}}},
        {"what": {"code": "amount.ms", "args": {}}},
        {"what": {"code": "amount.ms"}},
        {"what": 3},
        [],
        "words",
    ],
)
def test_a_text_whose_code_is_unknown_or_says_something_else_stays_the_text_that_was_recorded(said):
    back = restored({"what": "3 ms", "said": said})
    assert back == {"what": "3 ms"}
    assert type(back["what"]) is str


def test_an_error_raised_with_a_message_gives_it_back():
    assert messages.of(ValueError(Message("amount.ms", n=3))).code == "amount.ms"
    assert messages.of(ValueError("plain")) == "plain"
