"""Limits of stimulation in the record: two people, version by version, and never changed."""

from __future__ import annotations

import sqlite3

import pytest

from tests.stimulation.worked import definition, limits
from workbench.errors import BadValue, RecordFault, Refused
from workbench.study import verify
from workbench.study.changes import AdoptStimulationLimits
from workbench.study.stimulation_limits import in_force

SECRET = "correct horse"
PEOPLE = {"inv": "investigator", "eng": "engineer", "stat": "statistician"}


@pytest.fixture
def study(empty):
    empty.who = {}
    for login, role in PEOPLE.items():
        empty.add_person(login, f"Dr {login}", SECRET, (role,))
        empty.who[login] = empty.sign_in(login, SECRET)
    return empty


def signers(study, *logins):
    return [study.who[login].confirm(SECRET) for login in logins]


def adopt(study, *logins, **changes):
    return study.apply(
        AdoptStimulationLimits(definition(**changes)), signers(study, *logins), "the paddle of the trial"
    )


def test_two_people_put_limits_into_force_and_the_record_gives_them_back_signed(study):
    assert in_force(study) == {}
    adopt(study, "eng", "inv")
    signed = in_force(study)["paddle-16"]
    assert signed.limits == limits()
    assert sorted(one.role for one in signed.signatures) == ["engineer", "investigator"]
    assert {one.sha256 for one in signed.signatures} == {limits().sha256}
    assert verify(study.folder).ok


@pytest.mark.parametrize(
    ("logins", "said"),
    [(("inv",), "needs 2 fresh signatures"), (("inv", "inv"), "different people"), (("inv", "stat"), "Dr stat"),
     (("eng", "stat"), "Dr ")],
)  # fmt: skip
def test_one_person_the_same_twice_or_somebody_in_another_role_puts_nothing_into_force(study, logins, said):
    with pytest.raises(Refused, match=said):
        adopt(study, *logins)
    assert study.rows("stimulation_limits") == []


def test_each_version_follows_the_one_before_and_what_it_raises_stays_in_the_record(study):
    adopt(study, "inv", "eng")
    wider = {"version": 2, "limits": {"burst_s": 12.0}}
    with pytest.raises(Refused, match="continue with version 2, which replaces " + limits().sha256):
        adopt(study, "inv", "eng", **wider, replaces="0" * 64)
    with pytest.raises(Refused, match="continue with version 2"):
        adopt(study, "inv", "eng")
    row = adopt(study, "inv", "eng", **wider, replaces=limits().sha256)
    assert study.get("stimulation_limits", row)["raised"] == ["burst_s"]
    assert in_force(study)["paddle-16"].limits["burst_s"] == 12.0
    with pytest.raises(RecordFault, match="append-only"):
        study.amend("stimulation_limits", row, {"version": 3}, reason="x")


def test_limits_that_are_none_are_not_adopted(study):
    with pytest.raises(BadValue, match="duty is a fraction"):
        adopt(study, "inv", "eng", limits={"duty": 2.0})
    assert study.rows("stimulation_limits") == []


@pytest.mark.sqlite_file("edits the file")
def test_limits_that_somebody_changed_in_the_file_are_found(study):
    adopt(study, "inv", "eng")
    study.close()
    with sqlite3.connect(study.folder / "study.db") as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            if "stimulation_limits" in name:
                connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("UPDATE stimulation_limits SET definition = replace(definition, '1.8', '9.8')")
    assert not verify(study.folder).ok
