"""The experiment that looks for the arm in what somebody blinded hears, in a small size and without its times."""

from __future__ import annotations

import dataclasses
import random
import re

import pytest

from workbench.stress import concealment
from workbench.stress.concealment import DEVICE, Reading, judge, make_trial, read
from workbench.study import Study, verify

pytestmark = pytest.mark.job

MADE = rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[0-9:.]+Z|C-\d{3}|S-\d{3}"
"""Ids, moments, pseudonyms and screening numbers, which differ between any two participants."""


def test_of_a_pair_everything_is_equal_but_what_differs_between_any_two_participants():
    heard = read(3, 1)
    assert {size for one in heard for size in one.sizes} == {16_384}
    for pair in range(3):
        first, second = (one for one in heard if one.pair == pair)
        assert {first.device, second.device} == {True, False}
        texts = [[re.sub(MADE, b"x", content) for content in one.contents] for one in (first, second)]
        assert texts[0] == texts[1]


@pytest.mark.release
def test_the_same_answers_tell_the_arm_to_somebody_who_is_not_blinded():
    heard = [dataclasses.replace(one, seconds=()) for one in read(8, 1, login="doctor")]
    found = judge("doctor", heard)
    assert (found.pairs, found.value) == (8, 1.0)


def test_a_trial_of_the_experiment_has_one_of_each_arm_in_a_pair_and_verifies(tmp_path):
    arms = make_trial(tmp_path / "study", 4, random.Random(1))
    assert [sorted(pair.values()) for pair in arms] == [["device", "usual"]] * 4
    with Study.open(tmp_path / "study", actor="test") as study:
        visits = {row["id"]: row["participant_id"] for row in study.rows("visit")}
        with_sessions = {visits[row["visit_id"]] for row in study.rows("session")}
        assert with_sessions == {person for pair in arms for person, arm in pair.items() if arm == DEVICE}
    assert verify(tmp_path / "study").ok


def reading(pair: int, *, device: bool, seconds: float, extra: bytes = b"") -> Reading:
    return Reading(pair, device, (b'{"a":1}' + extra,), (16_384,), (seconds,))


def made(leak):
    chance = random.Random(3)
    return [leak(pair, device, chance.gauss(0.05, 0.002)) for pair in range(60) for device in (False, True)]


def test_a_leak_of_time_or_content_is_found_and_where_there_is_none_none_is():
    none = judge("none", made(lambda pair, device, s: reading(pair, device=device, seconds=s)))
    slow = judge("time", made(lambda pair, device, s: reading(pair, device=device, seconds=s + 0.02 * device)))
    byte = judge(
        "byte", made(lambda pair, device, s: reading(pair, device=device, seconds=s, extra=b"!" * device))
    )
    assert none.low <= 0.5 <= none.high
    assert slow.low > 0.9
    assert byte.low > 0.9


def test_ranks_of_equal_values_share_their_mean():
    assert concealment._ranks([3.0, 1.0, 3.0, 2.0]).tolist() == [3.5, 1.0, 3.5, 2.0]
