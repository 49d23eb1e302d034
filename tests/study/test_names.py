"""What a person may be called in the record, and what becomes of studies that called people otherwise."""

from __future__ import annotations

import unicodedata

import pytest

from workbench.errors import BadValue
from workbench.study import Study, nouns, verify
from workbench.vocabulary import Participant, Session, Visit

HOSTILE = (
    "P\0", "P\n1", "../../etc/passwd", "..", ".hidden", "-rf", "P/1", "P\\1", "<b>P</b>", "P 1", "P\t1", "=1+1",
    "+1", "@SUM(1)", "P'1", 'P"1', "P;1", "P|1", "P%41", "P\u202e1", "P\u200b1", "", " ", "P" * 41, "P" * 10_000,
    "P²", "😀",
)  # fmt: skip


@pytest.fixture
def study(tmp_path):
    with Study.create(tmp_path / "study", code="T", title="t", actor="tests") as made:
        yield made


@pytest.mark.parametrize("code", HOSTILE, ids=[ascii(code)[:20] for code in HOSTILE])
def test_a_participant_code_that_could_mean_more_than_itself_is_refused(study, code):
    with pytest.raises(BadValue):
        study.append(Participant(code))
    assert study.rows("participant") == []


@pytest.mark.parametrize("code", ["P1", "SIM-01", "S_001.2", "受试者01", "Zoë-1", "x" * 40, "_1", "ณัฐ"])
def test_letters_digits_and_three_marks_make_a_code(study, code):
    study.append(Participant(code))
    assert study.rows("participant")[0]["pseudonym"] == unicodedata.normalize("NFC", code)


def test_a_code_cannot_be_amended_into_a_refused_one(study):
    person = study.append(Participant("P1"))
    with pytest.raises(BadValue, match="a participant's code has 1 to 40 letters"):
        study.amend("participant", person, {"pseudonym": "../P1"}, reason="moved")


@pytest.mark.parametrize("name", ["a\0b", "a\nb", "a\u202eb", "a" * 201])
def test_no_name_holds_what_does_not_show_or_has_no_end(study, name):
    person = study.append(Participant("P1"))
    with pytest.raises(BadValue, match="name of a visit"):
        study.append(Visit(person, name))
    visit = study.append(Visit(person, "first visit (3 months) – a"))
    with pytest.raises(BadValue, match="operator of a session"):
        study.append(Session(visit, name))


def test_a_study_with_codes_of_an_earlier_version_opens_reads_and_verifies(tmp_path, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr(nouns, "_check_pseudonym", lambda value: None)
        with Study.create(tmp_path / "old", code="T", title="t", actor="tests") as study:
            study.append(Visit(study.append(Participant("Müller, <K.> /7")), "first"))
    with Study.open(tmp_path / "old", actor="tests") as study:
        (person,) = study.nouns("participant")
        assert person.pseudonym == "Müller, <K.> /7"
        study.append(Visit(person.id, "second"))
    assert verify(tmp_path / "old").ok
