"""`workbench safety`: the verdict first, then what it rests on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.doors import SteppedClock
from workbench import world
from workbench.study import Study, protocol
from workbench.study.changes import AdoptProtocol, Implant, MarkSent, RecordFinding, ReportEvent, TellSomebody
from workbench.vocabulary import Participant

EXAMPLE = Path(__file__).parents[2] / "data_samples" / "protocol_neo_hand.toml"
FACTS = {
    "serious": True, "criteria": ["hospitalisation"], "severity": "severe", "device": "possible",
    "procedure": "not_related", "stimulation": "not_related", "expected": True,
}  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A simulated study in China on 1 March 2026: two events, one of them reported, and an implant."""
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
    clock = SteppedClock()
    with (
        world.entered(clock=clock),
        Study.create(tmp_path / "study", code="NEO", title="Grasp trial", actor="tests") as study,
    ):
        ward = study.script_signer("ward")
        signers = [study.script_signer(name).confirm() for name in ("a", "b")]
        study.apply(AdoptProtocol(protocol.read(EXAMPLE).definition()), signers)
        people = [study.append(Participant(f"SIM-{n}", simulated=True)) for n in (1, 2)]
        rows = [
            study.apply(
                ReportEvent(person, "fever", "2026-02", FACTS, "2026-03-01T08:00Z", "Asia/Shanghai", "CN"), ward
            )
            for person in people
        ]
        study.apply(MarkSent("adverse_event", rows[1], "cn.sae.other", "NMPA-1"), ward)
        study.apply(TellSomebody("adverse_event", rows[0], "Dr D", "phone", "looks at it"), ward)
        implant = study.apply(Implant(people[0], "NEO", "2026-02-01", "epidural", serial="12"), ward)
        study.apply(RecordFinding(implant, "wound", "2026-03-01", "red", notable=True), ward)
    return study.folder


def test_the_verdict_comes_first_and_the_record_is_not_changed(run, folder):
    with Study.open(folder, actor="tests") as study:
        before = study.head()
    code, out, err = run("safety", folder, "--on", "2026-03-02T08:00Z")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "No report is due this week."
    assert "as of 2026-03-02T08:00:00.000Z" in lines
    for said in (
        "running: SIM-1, fever, cn.sae.other. 14 d 8 h left.",
        "- sponsor to authority by the end of 2026-03-16 in Asia/Shanghai, day 1 of 15",
        "- told Dr D (phone) on 2026-03-01T09:30:00.000Z: not seen yet; next: looks at it",
        "sent: SIM-2, fever, cn.sae.other. Sent in time.",
        "- sent on 2026-03-01T09:30:00.000Z (NMPA-1)",
        "could be met: infections, 0 of 2 participants, 2 pending (Participants with an infection at the implant)",
        "SIM-1, NEO 12, epidural: 29 days",
        "- 2026-03-01 wound: red",
    ):
        assert said in lines
    assert "rule cn.sae.investigator (24 h) would apply but is off" in out
    with Study.open(folder, actor="tests") as study:
        assert study.head() == before


@pytest.mark.parametrize(
    ("on", "verdict"),
    [
        ("2026-03-16T12:00Z", "1 report is due this week: SIM-1 cn.sae.other."),
        ("2026-03-16T17:15Z", "1 report is overdue: SIM-1 cn.sae.other."),
    ],
)
def test_the_verdict_follows_the_moment(run, folder, on, verdict):
    code, out, _ = run("safety", folder, "--on", on)
    assert (code, out.splitlines()[0]) == (0, verdict)
    assert ("Overdue by 1 h 15 min. Send it now; record why it is late." in out) == ("overdue" in verdict)


def test_a_term_with_control_characters_is_one_line_that_moves_no_cursor(run, folder):
    with Study.open(folder, actor="tests") as study:
        person = study.rows("participant")[0]["id"]
        hostile = ReportEvent(
            person, "fe\x1b[2Jver\n\nNo report", "", FACTS, "2026-03-01T08:00Z", "Asia/Shanghai", "CN"
        )
        study.apply(hostile, study.script_signer("ward"))
    code, out, _ = run("safety", folder, "--on", "2026-03-02T08:00Z")
    assert (code, "\x1b" in out) == (0, False)
    assert "running: SIM-1, fe\N{REPLACEMENT CHARACTER}[2Jver No report, cn.sae.other. 14 d 8 h left." in out


def test_a_program_reads_the_same_desk(inside, folder):
    desk = inside("safety", folder, "--on", "2026-03-16T12:00Z", "--json").answer("safety")
    assert set(desk) == {
        "on", "verdict", "obligations", "withheld", "stopping", "surveillance", "implant_days",
    }  # fmt: skip
    first, second = desk["obligations"]
    assert (first["participant"], first["state"], first["due"]) == (
        "SIM-1",
        "due_soon",
        "2026-03-16T16:00:00.000Z",
    )
    assert (second["participant"], second["state"], second["reference"]) == ("SIM-2", "sent", "NMPA-1")
    assert first["days"][1] == {"date": "2026-03-02", "counts": True, "why": None}
    assert desk["implant_days"][0]["days"] == 43


def test_an_event_is_reported_and_revised_as_it_is_typed(run, folder):
    with Study.open(folder, actor="tests") as study:
        study.add_person("lin", "Dr Lin", "correct horse", ("safety_officer",))
    aware = ("aware=2026-03-01T08:00Z", "zone=Asia/Shanghai", "--as", "lin", "--reason", "more is known")
    event = ("participant_id=SIM-1", "term=rash, left arm", "onset=", "country=CN", f"facts={json.dumps(FACTS)}")
    code, out, err = run("apply", folder, "ReportEvent", *event, *aware, stdin="correct horse\n")
    assert (code, err) == (0, "")
    row = out.split("entered as ")[1].split()[0]
    more = (f"event_id={row}", "jurisdictions=CN,US", "country=", 'coding={"code": "1", "term": "Rash"}')
    assert run("apply", folder, "ReviseEvent", *more, *aware, stdin="correct horse\n")[0] == 0
    lost = ("device=lead", "text=broke", "onset=2026-02", "country=CN", 'facts={"could_have_led_to_sae": true}')
    assert run("apply", folder, "ReportDeficiency", *lost, *aware, stdin="correct horse\n")[0] == 0
    with Study.open(folder, actor="tests") as study:
        kept = study.get("adverse_event", row)
        assert (kept["term"], kept["jurisdictions"], kept["country"]) == ("rash, left arm", ["CN", "US"], "CN")
        assert study.rows("device_deficiency")[0]["participant_id"] is None


def test_a_study_without_events_says_so(run, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
    Study.create(tmp_path / "study", code="NEO", title="t", actor="tests").close()
    code, out, _ = run("safety", tmp_path / "study", "--on", "2026-03-02T08:00Z")
    assert (code, out) == (0, "No report is due this week.\nas of 2026-03-02T08:00:00.000Z\n")


@pytest.mark.parametrize(
    "on", ["tomorrow", "2026-03-02", "2026-03-02T08:00", "2026-03-02T08:00+08:00", "9999-99-99T00:00Z"]
)
def test_a_moment_that_is_not_in_utc_is_one_sentence(inside, folder, on):
    inside("safety", folder, "--on", on).refused("a moment is in UTC, as 2026-03-01T09:30Z")
