"""What the service tells somebody blinded is the same, byte for byte, whatever arm a participant is in."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from tests.clinic.conftest import SECRET, copied, serving
from tests.clinic.test_hostile import post
from tests.clinic.test_service import raw
from tests.dashboard import trial
from tests.doors import SeededChance, SteppedClock
from workbench import outcomes, world
from workbench.clinic import _wire, questions
from workbench.clinic.asking import HISTORY_UNBLINDED, Seen, asked
from workbench.clinic.pages.forms import Assessments
from workbench.clinic.pages.overview import OverviewPage, VerifyRecord
from workbench.clinic.pages.participant import PersonHistory, PersonPage, PersonRow, PersonValues
from workbench.clinic.pages.safety import SafetyPage, SafetyRow
from workbench.clinic.questions import QUESTIONS
from workbench.clinic.readers import reader_of
from workbench.errors import Refused, UnknownName, WorkbenchError
from workbench.study import Study, allocations
from workbench.study.changes import (
    AnswerCriterion,
    GrantRole,
    MakeList,
    OpenQuery,
    Randomise,
    RecordDeviation,
    RecordFinding,
    ReportDeficiency,
    ReportEvent,
    RevokeRole,
    SetStatus,
    plain,
)
from workbench.study.changes import Implant as PutIn
from workbench.study.concealment import SAFETY, BlindRecord, Sight
from workbench.study.schema import DATA
from workbench.vocabulary import Assessment, Condition, Run, Session

TODAY = date(2026, 11, 25)
AWARE = {"aware": "2026-03-01T08:00Z", "zone": "Asia/Shanghai", "country": "CN"}


def reader(study: Study, login: str):
    (row,) = study.rows("person", login=login)
    found = reader_of(study, row["id"])
    assert found is not None
    return found


def every_question(study: Study) -> list[questions.Question]:
    """Every question that can be asked of the rows of a study, those of rows that are kept among them."""
    rows = {name: [row["id"] for row in study.rows(name)] for name in HISTORY_UNBLINDED}
    people, visits = rows["participant"], study.rows("visit")
    forms = [form["name"] for form in study.rows("protocol_version")[-1]["definition"]["form"]]
    return [
        questions.WhoAmI(), questions.Head(), questions.People(), questions.Worklist(), questions.StudyOverview(),
        questions.Participants(), questions.Visits(), OverviewPage(), SafetyPage(), VerifyRecord(),
        *(questions.Participant(one) for one in people),
        *(PersonPage(one) for one in people),
        *(Assessments(visit["id"], "arat") for visit in visits),
        *(
            kind(person, table, one)
            for kind in (PersonRow, PersonValues, PersonHistory)
            for person in people for table, ids in rows.items() for one in ids
        ),
        *(SafetyRow(table, one) for table in SAFETY for one in rows[table]),
        *(questions.FormToEnter(visit["id"], form) for visit in visits[::2] for form in forms[:2]),
        *(questions.Values(table, one) for table in ("form", "assessment") for one in rows[table]),
        *(questions.History(table, one) for table, ids in rows.items() for one in ids),
        *(questions.Bound(((table, one),)) for table, ids in rows.items() for one in ids),
        *(questions.Rows(table.name) for table in DATA),
    ]  # fmt: skip


def answer(study: Study, question: questions.Question, login: str = "blind") -> bytes:
    """What leaves the service for a question."""
    try:
        content = {"answer": asked(question, Seen(study, reader(study, login), TODAY))}
    except WorkbenchError as error:
        return _wire.answer(_wire.refusal(error), status=_wire.status_of(error), padded=True)
    return _wire.answer(content, padded=True)


# ------------------------------------------------------------------------------ what only one arm brings
def session(study: Study, doctor) -> None:
    visit = trial.visit_of(study, "Training")
    made = study.append(Session(visit, "Lin Q.", started="2026-10-01T09:00:00Z", plan={"participant": "P-041"}))
    study.append_run(Run(made, 1, "online", "grasp_rest", "finished", id=f"run-{study.head()[0]}"))


def with_device(study: Study, doctor) -> None:
    on = Condition(assisted=False, device_on=True, stimulation_on=False)
    scored = outcomes.score("arat", {"grasp_1": 2}).to_json()
    place = (trial.visit_of(study, "Screening"), "arat", "1981", on, {"grasp_1": 2}, scored, "Wu R.")
    study.append(Assessment(*place, side="right", repeat=study.head()[0]))


def asked_of_device(study: Study, doctor) -> None:
    row = next(row for row in study.rows("assessment") if row["device_on"])
    study.apply(OpenQuery("assessment", row["id"], "items", "so good with the device?"), doctor)


def deviated(study: Study, doctor) -> None:
    person = study.rows("participant", pseudonym="P-041")[0]["id"]
    study.apply(RecordDeviation(person, "limit", "stimulation limit was overridden"), doctor)


def harmed(study: Study, doctor) -> None:
    person = study.rows("participant", pseudonym="P-041")[0]["id"]
    facts = {
        "serious": False, "criteria": [], "severity": "mild", "device": "causal", "procedure": "not_related",
        "stimulation": "not_related", "expected": True,
    }  # fmt: skip
    study.apply(ReportEvent(person, "skin under the glove", "2026-02", facts, **AWARE), doctor)


def failed(study: Study, doctor) -> None:
    person = study.rows("participant", pseudonym="P-041")[0]["id"]
    unsafe = {"could_have_led_to_sae": False}
    study.apply(ReportDeficiency("stimulator", "reset", "", unsafe, **AWARE, participant_id=person), doctor)


def implanted(study: Study, doctor) -> None:
    person = study.rows("participant", pseudonym="P-041")[0]["id"]
    row = study.apply(PutIn(person, "NEO", "2026-02-01", "epidural", serial=str(study.head()[0])), doctor)
    study.apply(RecordFinding(row, "impedance", "2026-03-01", "all low", values={"1": 900.0}), doctor)


def typed(study: Study, doctor) -> None:
    on = Condition(assisted=False, device_on=True, stimulation_on=False)
    study.drafts.save(trial.visit_of(study, "Week 12"), "arat", on, "Lin Q.", {"grasp_1": 3})


def held(study: Study, doctor) -> None:
    person = study.rows("participant", pseudonym="P-041")[0]["id"]
    study.amend("participant", person, {"hold": f"the implant of {study.head()[0]}"}, reason="wound")
    study.amend("participant", person, {"hold": ""}, reason="healed")


BROUGHT = (session, with_device, asked_of_device, deviated, harmed, failed, implanted, typed, held)


class Control:
    """The trial before an arm brought anything.

    Attributes
    ----------
    folder : of the study.
    asks, answers : questions that it raises, and their answers to somebody blinded.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with Study.open(folder, actor="test") as study:
            self.asks = every_question(study)
            self.answers = [answer(study, one) for one in self.asks]


@pytest.fixture(scope="module")
def control(template, tmp_path_factory):
    return Control(copied(template, tmp_path_factory.mktemp("control")))


@pytest.mark.job
@settings(max_examples=3, phases=(Phase.explicit, Phase.generate))
@given(brought=st.lists(st.sampled_from(BROUGHT), min_size=2, max_size=5))
@example(brought=BROUGHT)
def test_whatever_one_arm_brings_changes_no_answer_to_somebody_blinded(control, tmp_path_factory, brought):
    other = copied(control.folder, tmp_path_factory.mktemp("other"))
    with Study.open(other, actor="test") as study:
        doctor = study.sign_in("okafor", SECRET)
        for bring in brought:
            bring(study, doctor)
        now = [answer(study, one) for one in control.asks]
        assert [type(ask) for ask, a, b in zip(control.asks, now, control.answers, strict=True) if a != b] == []
        # Rows that came with it are as unknown as rows that there are not.
        for question in [one for one in every_question(study) if one not in control.asks]:
            status = answer(study, question).splitlines()[0]
            assert b"403" in status or b"404" in status, question
    shutil.rmtree(other)


@pytest.mark.job
def test_each_thing_that_one_arm_brings_changes_an_answer_to_somebody_who_is_not_blinded(control, tmp_path):
    """So that the test above cannot pass because nothing is looked at."""
    tables = ("session", "assessment", "query", "deviation", "adverse_event", "device_deficiency", "implant")
    asks = [*map(questions.Rows, tables), *(one for one in control.asks if isinstance(one, questions.History))]
    with Study.open(copied(control.folder, tmp_path), actor="test") as study:
        doctor = study.sign_in("okafor", SECRET)
        for bring in BROUGHT:
            before = [answer(study, one, "okafor") for one in asks]
            bring(study, doctor)
            changed = [answer(study, one, "okafor") for one in asks] != before
            assert changed != (bring is typed), bring.__name__  # drafts are on nobody's page but that of Desk mode


# ------------------------------------------------------------------------------ two arms
def twin(folder: Path, keys: Path, *, seed: int, monkeypatch) -> Path:
    """A trial in which everything but the list and so the arm is the same, down to every id."""
    monkeypatch.setenv("WORKBENCH_KEYS", str(keys))
    clock = SteppedClock()
    with world.entered(clock=clock, chance=SeededChance(1)):
        trial.begin(folder)
        with Study.open(folder, actor="test") as study:
            who = {login: study.sign_in(login, SECRET) for login in ("okafor", "he")}
            for login, role, blinded in (("stat", "statistician", False), ("blind", "assessor", True)):
                person = study.add_person(login, login.title(), SECRET, ("operator",))
                study.apply(GrantRole(person, role, "GCP 2026", blinded=blinded), who["he"], "joins")
            with world.entered(chance=SeededChance(seed)):
                study.apply(MakeList("1.0.0"), study.sign_in("stat", SECRET), "before the first")
            person = study.rows("participant", pseudonym="P-041")[0]["id"]
            for criterion, said in (("I1", "yes"), ("I2", "yes"), ("E1", "no")):
                study.apply(AnswerCriterion(person, criterion, said, "MRI"), who["okafor"])
            study.apply(SetStatus(person, "enrolled"), who["okafor"], "eligible")
            study.apply(Randomise(person, {"side": "left"}), who["okafor"])
    folder.chmod(0o700)
    keys.chmod(0o700)
    return folder


@pytest.mark.job
def test_over_real_sockets_every_answer_to_somebody_blinded_is_the_same_in_two_arms(tmp_path, monkeypatch):
    arms: dict[str, tuple[Path, Path]] = {}
    for seed in range(2, 12):
        folder, keys = tmp_path / str(seed) / "study", tmp_path / f"keys-{seed}"
        twin(folder, keys, seed=seed, monkeypatch=monkeypatch)
        with Study.open(folder, actor="test") as study:
            person = study.rows("participant", pseudonym="P-041")[0]["id"]
            arm = allocations.arm_of(study, person, study.sign_in("stat", SECRET), "to see that they differ")
            asks = every_question(study)
        arms.setdefault(arm, (folder, keys))
        if len(arms) == 2:
            break
    assert len(arms) == 2
    heard = []
    for folder, keys in arms.values():
        monkeypatch.setenv("WORKBENCH_KEYS", str(keys))
        with serving(folder) as served:
            token = served.client("blind")._token
            # Told once that they may not, which is an entry of the chain.
            few = [*asks[:8], *asks[8::11]]
            asks_now = [*few, questions.Arm(person), *few[:8]]
            heard.append([
                raw(served.socket, post("/ask", json.dumps(
                    {"question": type(one).__name__, "about": plain(one)}
                ).encode(), b"Authorization: Bearer " + token.encode()))
                for one in asks_now
            ])  # fmt: skip
    assert heard[0] == heard[1]
    assert {len(one.partition(b"\r\n\r\n")[2]) for one in heard[0]} <= {2**n * 1024 for n in (4, 5, 6, 7)}


@pytest.mark.job
# ------------------------------------------------------------------------------ the view
def test_a_table_that_nobody_thought_of_is_kept_from_who_is_blinded(control):
    with Study.open(control.folder, actor="test") as study:
        record = BlindRecord(study, Sight(concealed=True, reader="Blind B."))
        for table in DATA:
            try:
                rows = record.rows(table.name)
            except Refused:
                continue
            assert table.name in (
                "study", "participant", "visit", "enrolment", "anchor_day", "eligibility", "protocol_version",
                "consent", "form", "assessment", "query", "query_event", "deviation", "signature",
            )  # fmt: skip
            assert not any(row.get("device_on") or row.get("stimulation_on") for row in rows)
        on = next(row for row in study.rows("assessment") if row["device_on"])
        with pytest.raises(UnknownName):
            record.get("assessment", on["id"])
        with pytest.raises(UnknownName) as caught:
            record.get("assessment", "Ω" * 5000)
        assert str(caught.value).count("Ω") < 100


@pytest.mark.job
def test_whoever_is_blinded_is_told_no_number_of_an_entry(control):
    with Study.open(control.folder, actor="test") as study:
        assert set(QUESTIONS) == {type(one).__name__ for one in control.asks} | {
            "Arm", "DiscardDraft", "KeepDraft", "SafetyRow",
        }  # fmt: skip
        for question in control.asks:
            body = json.loads(answer(study, question).partition(b"\r\n\r\n")[2])
            assert '"seq"' not in json.dumps(body)
            assert study.head()[1] not in json.dumps(body)


def test_somebody_blinded_gives_and_takes_no_role(shared):
    client = shared.client("blind")
    with pytest.raises(Refused, match="nor while blinded"):
        client.apply(RevokeRole(client.person["person_id"], "assessor"), "x")


def test_answers_to_who_is_blinded_and_to_nobody_have_one_of_few_sizes():
    sizes = {len(_wire.answer({"answer": "x" * n}, padded=True)) for n in range(0, 70_000, 997)}
    bodies = {
        len(_wire.answer({"answer": "x" * n}, padded=True).partition(b"\r\n\r\n")[2]) for n in (0, 16_000, 16_384)
    }
    assert len(sizes) == 4
    assert bodies == {16_384, 32_768}
