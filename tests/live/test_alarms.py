"""An alarm is journalled before it is shown, and stays until somebody has acknowledged it."""

from __future__ import annotations

import json
import threading

import pytest

from workbench.engine import alarms as _alarms
from workbench.engine.alarms import Alarms
from workbench.errors import BadValue
from workbench.messages import Message, translate

WORDS = {"priority": "high", "what": "It broke.", "means": "Nothing moves.", "do": "Look."}


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "alarms.jsonl"


def opened(journal, rows=None):
    alarms = Alarms()
    alarms.open(journal, lambda kind, **row: None if rows is None else rows.append((kind, row)))
    return alarms


def test_an_alarm_whose_cause_has_gone_stays_until_it_is_acknowledged(journal):
    alarms = opened(journal)
    alarms.raise_alarm("stream_lost:eeg", key="stream_lost", **WORDS)
    (shown,) = alarms.shown()
    assert (shown["key"], shown["cleared"], shown["acknowledged"]) == ("stream_lost", False, None)
    alarms.clear("stream_lost:eeg")
    (shown,) = alarms.shown()
    assert shown["cleared"] is True
    alarms.acknowledge(shown["id"], by="Dr. A")
    assert alarms.shown() == []


def test_an_acknowledged_alarm_stays_while_its_cause_lasts(journal):
    alarms = opened(journal)
    alarms.raise_alarm("disk", **WORDS)
    alarms.acknowledge("a1", by="Dr. A")
    alarms.raise_alarm("disk", **WORDS)
    (shown,) = alarms.shown()
    assert shown["acknowledged"]["by"] == "Dr. A"
    alarms.clear("disk")
    assert alarms.shown() == []


def test_raising_and_acknowledging_are_rows_of_the_ledger(journal):
    rows = []
    alarms = opened(journal, rows)
    alarms.raise_alarm("disk", **WORDS)
    alarms.acknowledge("a1", by="Dr. A")
    assert [kind for kind, _ in rows] == ["alarm", "alarm_acknowledged"]
    assert rows[0][1]["extent"] == "alarm a1: It broke."
    assert rows[1][1]["consequence"] == "acknowledged by Dr. A"


def test_what_was_not_acknowledged_outlives_the_engine(journal):
    first = opened(journal)
    first.raise_alarm("estop", **WORDS)
    first.raise_alarm("disk", **WORDS)
    first.acknowledge("a2", by="Dr. A")
    first.clear("disk")
    with journal.open("ab") as file:
        file.write(b'{"id": "a9", "cau')  # cut off by a power failure
    second = opened(journal)
    (shown,) = second.shown()
    assert (shown["id"], shown["earlier"], shown["cleared"]) == ("a1", True, True)
    second.raise_alarm("estop", **WORDS)
    assert [alarm["id"] for alarm in second.shown()] == ["a3", "a1"]
    second.acknowledge("a1", by="Dr. B")
    assert [alarm["id"] for alarm in opened(journal).shown()] == ["a3"]


def test_what_was_acknowledged_does_not_outlive_the_engine_although_its_cause_lasted(journal):
    first = opened(journal)
    first.raise_alarm("estop", **WORDS)
    first.acknowledge("a1", by="Dr. A")
    assert [alarm["id"] for alarm in first.shown()] == ["a1"]
    second = opened(journal)
    assert second.shown() == []
    second.raise_alarm("disk", **WORDS)
    assert [alarm["id"] for alarm in second.shown()] == ["a2"]


def test_an_alarm_of_an_engine_before_is_told_in_another_language(journal):
    age = Message("amount.s", n="1.2")
    opened(journal).raise_alarm("loss", **WORDS | {"what": Message("alarm.stream_lost", stream="EEG", age=age)})
    (shown,) = opened(journal).shown()
    assert shown["what"] == "EEG stopped 1.2 s ago."
    assert translate(shown["what"], language="zh-CN") == "EEG 已中断 1.2 秒。"


def test_an_alarm_journalled_before_messages_had_codes_keeps_its_english_text(journal):
    line = {"id": "a4", "cause": "disk", "key": "disk", **WORDS, "args": {"free": "12 MB"}, "raised": 1.0}
    journal.write_text(json.dumps(line) + "\n", encoding="utf-8")
    (shown,) = opened(journal).shown()
    assert (shown["id"], shown["what"], shown["earlier"]) == ("a4", "It broke.", True)


def test_a_disk_that_hangs_while_an_alarm_is_journalled_keeps_nobody_from_seeing_the_others(journal, monkeypatch):
    alarms = opened(journal)
    alarms.raise_alarm("estop", **WORDS)
    hanging, end = threading.Event(), threading.Event()

    def hang(_descriptor):
        hanging.set()
        end.wait()

    monkeypatch.setattr(_alarms.os, "fsync", hang)
    raising = threading.Thread(target=lambda: alarms.raise_alarm("disk", **WORDS))
    raising.start()
    hanging.wait()
    shown = []
    asking = threading.Thread(target=lambda: shown.extend(alarms.shown()), daemon=True)
    asking.start()
    asking.join(20.0)
    end.set()
    raising.join()
    assert [alarm["key"] for alarm in shown] == ["estop"]


def test_a_line_that_a_full_disk_cut_off_costs_no_later_alarm(journal):
    first = opened(journal)
    first.raise_alarm("disk", **WORDS)
    with journal.open("ab") as file:
        file.write(b'{"id": "a9", "cau')
    first.raise_alarm("estop", **WORDS)
    assert [alarm["id"] for alarm in opened(journal).shown()] == ["a2", "a1"]


def test_however_often_alarms_come_and_go_the_journal_is_read_to_its_end(journal, monkeypatch):
    monkeypatch.setattr(_alarms, "MAX_JOURNAL", 20_000)
    first = opened(journal)
    first.raise_alarm("estop", **WORDS)
    for _ in range(50):
        first.raise_alarm("disk", **WORDS)
        first.clear("disk")
        first.acknowledge(first.shown()[-1]["id"], by="Dr. A")
    first.raise_alarm("door", **WORDS)
    assert journal.stat().st_size <= 20_000
    assert {alarm["key"] for alarm in opened(journal).shown()} == {"estop", "door"}


def test_a_stop_stands_before_every_other_alarm(journal):
    alarms = opened(journal)
    alarms.raise_alarm("estop", **WORDS | {"priority": "low"})
    alarms.raise_alarm("disk", **WORDS | {"priority": "medium"})
    alarms.raise_alarm("thread_lost:door", key="thread_lost", **WORDS)
    assert [alarm["key"] for alarm in alarms.shown()] == ["estop", "thread_lost", "disk"]


def test_a_cause_that_returns_before_the_acknowledgement_is_the_same_alarm(journal):
    alarms = opened(journal)
    alarms.raise_alarm("disk", **WORDS)
    alarms.clear("disk")
    alarms.raise_alarm("disk", **WORDS)
    (shown,) = alarms.shown()
    assert (shown["id"], shown["cleared"]) == ("a1", False)


def test_an_alarm_that_is_not_there_cannot_be_acknowledged(journal):
    with pytest.raises(BadValue, match="no alarm 'a7'"):
        opened(journal).acknowledge("a7", by="Dr. A")


def test_a_full_disk_does_not_silence_an_alarm(journal):
    alarms = opened(journal)
    journal.unlink()
    journal.mkdir()
    alarms.raise_alarm("disk", **WORDS)
    assert [alarm["key"] for alarm in alarms.shown()] == ["disk"]
