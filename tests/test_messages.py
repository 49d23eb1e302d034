"""Messages: code and arguments, one catalogue, two languages."""

from __future__ import annotations

import ast
import copy
import json
import string
from functools import cache
from pathlib import Path

import pytest

from tests import house
from workbench import messages, recording
from workbench.errors import RecordingFault, Refused
from workbench.messages import Message, carried, catalogue, restored, translate


def places(sentence):
    return {name for _, name, *_ in string.Formatter().parse(sentence) if name is not None}


OWN = {"words.own": {"en", "zh"}}
"""Codes whose places are the languages themselves: texts that a system's own file gives in both."""


def test_no_code_stands_in_the_catalogue_twice():
    """JSON keeps the last of two, so that the sentence of the first would be another's."""
    path = Path(messages.__file__).with_name("messages.json")
    codes = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=lambda pairs: [key for key, _ in pairs])
    assert len(codes) == len(set(codes))


def test_every_code_has_both_languages_with_the_same_places():
    for code, texts in catalogue().items():
        assert set(texts) == set(messages.LANGUAGES), code
        assert code in OWN or places(texts["en"]) == places(texts["zh-CN"]), code


def test_every_chinese_sentence_is_chinese_unless_it_is_made_of_places_and_units():
    same = {code for code, texts in catalogue().items() if texts["en"] == texts["zh-CN"]}
    assert same == {"amount.hz", "file.named", "engine.notes", "engine.two_reasons", "stream.problems"}


PACKAGE = Path(messages.__file__).parent
SPOKEN = ("extent", "consequence", "what", "means", "do")
"""Arguments of a ledger row and of an alarm that a screen shows."""
BY_PLACE = {"LedgerRow": (5, 6), "_row": (1, 2)}
IN_CONTROL = {"enter": (1, 2), "refuse": (0,)}


def calls(*rooms):
    """Every call in these rooms: where it stands, its name, the call."""
    for path in sorted(path for room in rooms for path in PACKAGE.glob(room)):
        for node in house.nodes(house.syntax(path)):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", name, node


@cache
def made():
    """Every message that the package makes: where, its code (None where it is not written down), its arguments."""
    return list(_made())


def _made():
    for where, name, call in calls("**/*.py"):
        # In the last metre a bare Message is one on the wire.
        wire = where.startswith("devices/_last_metre.py") and isinstance(call.func, ast.Name)
        if name == "Message" and not where.startswith("messages.py") and not wire:
            code = call.args[0].value if isinstance(call.args[0], ast.Constant) else None
            yield where, code, {keyword.arg for keyword in call.keywords}


def test_every_message_has_its_code_in_the_catalogue_and_an_argument_for_each_place():
    wrong = [
        (where, code)
        for where, code, arguments in made()
        if code not in catalogue() or OWN.get(code, places(catalogue()[code]["en"])) != arguments
    ]
    assert wrong == []


def test_every_code_of_the_catalogue_is_said_somewhere():
    assert set(catalogue()) == {code for _, code, _ in made()}


def written(value):
    """Whether an expression can give a text that is written in place, which has no code."""
    if isinstance(value, ast.IfExp):
        return written(value.body) or written(value.orelse)
    if isinstance(value, ast.BoolOp):
        return any(written(part) for part in value.values)
    return isinstance(value, ast.JoinedStr) or (isinstance(value, ast.Constant) and bool(value.value))


@pytest.mark.parametrize("room", ["engine/*.py", "control/*.py", "recording/*.py"])
def test_what_a_row_and_an_alarm_say_has_a_code(room):
    by_place = BY_PLACE | (IN_CONTROL if room.startswith("control") else {})
    asked = [
        (where, value)
        for where, name, call in calls(room)
        for value in (
            *(keyword.value for keyword in call.keywords if keyword.arg in SPOKEN),
            *(value for place in by_place.get(name, ()) for value in call.args[place : place + 1]),
        )
    ]
    assert asked
    assert [where for where, value in asked if written(value)] == []


def test_a_message_is_its_english_sentence_and_is_told_in_another_language_with_its_arguments():
    message = Message("alarm.thread_lost", why=Message("amount.s", n=3))
    assert message == "Part of the engine failed: 3 s."
    assert translate(message, language="zh-CN") == "引擎的一部分发生故障：3 秒。"
    assert translate("a note 3 s long", language="zh-CN") == "a note 3 s long"


def test_a_message_takes_whatever_was_given_in_the_place_of_a_number():
    message = Message("signal.order", got=4.5)
    assert message == "order must be 1 to 8, got 4.5"
    assert json.loads(json.dumps(carried({"why": message})))["said"]["why"]["args"] == {"got": "4.5"}


@pytest.mark.parametrize("again", [copy.deepcopy, copy.copy])
def test_a_copied_message_keeps_its_code(again):
    message = again(Message("amount.ms", n=3))
    assert (message, message.code, message.arguments) == ("3 ms", "amount.ms", {"n": 3})


def test_a_message_goes_through_json_beside_its_english_text():
    held = {"what": Message("alarm.thread_lost", why=Message("amount.s", n=3)), "n": 1, "rows": [{"by": "Lin Q."}]}
    wire = json.loads(json.dumps(carried(held)))
    assert wire["what"] == "Part of the engine failed: 3 s."
    assert wire["said"]["what"]["args"]["why"] == {"code": "amount.s", "args": {"n": 3}}
    back = restored(wire)
    assert back == held
    assert back["what"].code == "alarm.thread_lost"
    assert translate(back["what"], language="zh-CN") == translate(held["what"], language="zh-CN")


@pytest.mark.parametrize(
    "said",
    [
        {"what": {"code": "fault.of_a_later_version", "args": {}}},
        {"what": {"code": "amount.ms", "args": {"n": 4}}},
        {"what": {"code": "amount.ms", "args": {}}},
        {"what": {"code": "amount.ms"}},
        {"what": 3},
    ],
)
def test_a_text_whose_code_is_unknown_or_says_something_else_stays_the_text_that_was_recorded(said):
    back = restored({"what": "3 ms", "said": said})
    assert back == {"what": "3 ms"}
    assert type(back["what"]) is str


@pytest.mark.parametrize(
    "said", ["words", [], {}, {"factors": [1.0]}, {"what": {"code": "amount.ms"}, "unit": "V"}]
)
def test_a_field_that_is_called_said_and_is_about_none_of_those_beside_it_stays(said):
    assert restored({"what": "3 ms", "said": said}) == {"what": "3 ms", "said": said}


def test_a_space_stands_between_chinese_and_other_scripts_and_not_between_two_chinese_words():
    def of(stream):
        return translate(Message("chunk.of_stream", what=stream, stream=stream), language="zh-CN")

    assert of("ECoG") == "ECoG 的ECoG"
    assert of("皮层") == "皮层的皮层"
    assert of("") == " 的"
    assert translate(Message("check.percent_of", percent="3 %", all="全部"), language="zh-CN") == "全部的 3 %"


def test_a_list_of_words_has_commas_and_a_list_of_sentences_none():
    known = Message("alarm.unknown", id="'a9'", known=["a1", "a2"])
    assert known == "there is no alarm 'a9' to acknowledge; there are a1, a2"
    assert translate(known, language="zh-CN").endswith("a1、a2")
    parts = ["One is amiss.", "Another is."]
    assert translate(parts, language="en") == "One is amiss. Another is."
    assert translate(["一。", "二。"], language="zh-CN") == "一。二。"


def test_what_cannot_be_read_is_named_in_the_language_of_the_reader(tmp_path):
    with pytest.raises(RecordingFault) as raised:
        recording.read(tmp_path)
    said = translate(messages.of(raised.value), language="zh-CN")
    assert said == f"记录 {tmp_path} 无法读取（Is a directory）；请检查路径及权限"


def test_an_error_quotes_no_text_at_length_and_keeps_its_code_in_every_language():
    long = "Ω" * 5000
    within = Message("lock.there", what=long)
    for said, args in (("lock.absent", {"what": long}), ("lock.broken", {"n": 1, "why": within})):
        error = Refused(Message(said, **args))
        told = messages.of(error)
        assert (told.code, str(error)) == (said, told)
        assert len(told) < 400
        assert "Ω" * 200 + "…" in told
        assert "Ω" * 200 + "…" in translate(told, language="zh-CN")
    names = [f"problem {n}" for n in range(1000)]
    whole = Message("registry.no_entry", package="p", name="x", known=names)
    assert messages.of(Refused(whole)) == whole


def test_an_error_raised_with_a_message_gives_it_back():
    assert messages.of(ValueError(Message("amount.ms", n=3))).code == "amount.ms"
    assert messages.of(ValueError("plain")) == "plain"
