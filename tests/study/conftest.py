"""A study record in which every table holds something."""

from __future__ import annotations

import hashlib
import os
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from tests.stimulation import worked
from tests.study import databases
from workbench import decoders, outcomes
from workbench.recording.session_ledger import append_rows
from workbench.study import Study, changes, deletion, protocol
from workbench.study.applying import bound_now
from workbench.study.changes import prices
from workbench.study.changes.fittings import STEPS
from workbench.vocabulary import (
    Approval,
    Assessment,
    Condition,
    FittedDecoder,
    LedgerRow,
    Montage,
    Note,
    Participant,
    Recording,
    Report,
    Run,
    Session,
    Trial,
    Visit,
)

EXAMPLE = Path(__file__).parents[2] / "data_samples" / "protocol_neo_hand.toml"


def trials(n=3):
    return [
        Trial(i, "grasp", 100 * i, 0.1 * i, 100 * i + 90, "correct", "grasp", latency_s=i / 7) for i in range(n)
    ]


def small_decoder(folder, digest):
    """``(hash, path)`` of a decoder on disk, fitted on noise of two kinds."""
    decoder = decoders.load("bandpower_lda")(fs=250.0)
    decoder.prepare(2)
    chance = np.random.default_rng(1)
    made = folder / "decoders" / "new"
    samples = chance.normal(size=(20, 2, 500))
    labels = np.array(["grasp", "rest"] * 10)
    samples[::2] *= 3.0
    decoder.fit(samples, labels)
    sha256 = decoders.save(decoder, made, montage=Montage(("C3", "C4"), 250.0), meta={"recordings": [digest]})
    made.rename(folder / "decoders" / sha256[:12])
    return sha256, f"decoders/{sha256[:12]}"


def fill(study):
    """Ids by table."""
    ids = {"participant": study.append(Participant("P01", simulated=True, injury_level="C6", ais="B"))}
    ids["visit"] = study.append(Visit(ids["participant"], "baseline"))
    ids["session"] = study.append(Session(ids["visit"], "therapist", simulated=True, plan={"speed": 2.0}))
    (study.folder / "recordings").mkdir()
    (study.folder / "recordings" / "r1.xdf").write_bytes(b"XDF: signal")
    digest = hashlib.sha256(b"XDF: signal").hexdigest()
    run = Run(ids["session"], 1, "online", "grasp_rest", "finished", id="run-1", summary={"p99_ms": 12.5})
    ledger = [LedgerRow("gap", 1.5, 2.5, 10, "ecog", "3 samples (12 ms)", "window not used", "high")]
    between = [LedgerRow("note", 0.5, 1.5, extent="before the first run")]
    append_rows(study.folder / "recordings" / f"{ids['session']}.ledger.jsonl", between)
    study.append_session_ledger(ids["session"], between)
    ids["recording_sha256"] = digest
    recording = Recording("run-1", "recordings/r1.xdf", digest, 11, 1000, 250.0, "finished")
    ids["run"] = study.append_run(run, trials=trials(), ledger=ledger, recordings=[recording])
    sha256, path = small_decoder(study.folder, digest)
    ids["decoder"] = study.append(FittedDecoder(sha256, "bandpower_lda", path, (digest,)))
    ids["sha256"] = sha256
    ids["person"] = study.add_person("dr-a", "Dr A", "correct horse", roles=("engineer",))
    ids["approval"] = study.append(
        Approval(
            sha256,
            ids["participant"],
            "glove",
            "approve",
            "Dr A",
            "password",
            "2026-03-01T09:30:00.000Z",
            ids["person"],
        )
    )
    ids["note"] = study.append(Note(ids["run"], "tired", "Dr A", tags=("fatigue",)))
    score = outcomes.score("arat", {"grasp_1": 2}).to_json()
    ids["assessment"] = study.append(
        Assessment(
            ids["visit"],
            "arat",
            "1981",
            Condition(False, False, False),
            {"grasp_1": 2},
            score,
            "rater",
            side="left",
        )
    )
    (study.folder / "reports").mkdir()
    (study.folder / "reports" / "s.html").write_bytes(b"<html>")
    seq, head = study.head()
    page = hashlib.sha256(b"<html>").hexdigest()
    ids["report"] = study.append(Report("session", "reports/s.html", page, seq, head))
    return ids | change(study, ids)


def change(study, ids):
    """Changes of the trial's data; ids by table."""
    someone = study.script_signer("Dr B")

    def made(change, reason="visit 1"):
        return study.apply(change, someone, reason)

    definition = protocol.read(EXAMPLE).definition()
    study.apply(changes.AdoptProtocol(definition), [study.script_signer(n).confirm() for n in ("Dr B", "Dr C")])
    other = study.append(Participant("SIM-02", simulated=True))
    made(changes.MakeList("1.0.0"))
    made(changes.Enrol(other, "S-001"))
    made(changes.SetAnchor(other, "implant", "2026-03-01"))
    for criterion, answer in (("I1", "yes"), ("I2", "yes"), ("E1", "no")):
        made(changes.AnswerCriterion(other, criterion, answer, "MRI of 3 March"))
    made(changes.GiveConsent(other, ("participation", "neural_data_use"), "1.0", "2026-03-01"))
    made(changes.SetStatus(other, "enrolled"))
    made(changes.Randomise(other, {"side": "left"}))
    made(changes.RecordGuess(other, "assessor", "timed", "somewhat"))
    study.apply(changes.Unblind(other, "SIM-02", "Dr D", ("Dr D",)), someone.confirm(), "must know before surgery")
    values = {"state": "closed"}
    made(changes.SaveForm(study.rows("visit", name="Wound check")[0]["id"], "wound", values))
    nurse = study.add_person("nurse", "Nurse N", "correct horse", roles=("coordinator",))
    assessment = ("assessment", ids["assessment"])
    query = made(changes.OpenQuery(*assessment, "items", "2 on grasp_1?"))
    made(changes.AnswerQuery(query, "seen twice"))
    made(changes.Freeze("visit", ids["visit"]))
    made(changes.Unfreeze("visit", ids["visit"]))
    signed = changes.Sign((assessment,), "I reviewed this", bound_now(study, [assessment])[1])
    study.apply(signed, someone.confirm())
    two = [study.script_signer(name).confirm() for name in ("Dr B", "Dr C")]
    deleted(study, made)
    made(changes.RecordTreatment(ids["participant"], "drug", "baclofen", "spasticity", "10 mg", "2026-01-05"))
    made(changes.RecordRehabilitation(ids["participant"], "hand", "2026-02-01", 45, "therapist"))
    made(changes.RegisterConsentDocument("2.1", "c" * 64, "zh-CN"))
    signers = [study.script_signer(name).confirm() for name in ("Dr A", "Dr B")]
    limits = study.apply(changes.AdoptStimulationLimits(worked.definition()), signers, "the surgeon's paddle")
    source = {"simulated": True, "stimulator": "simulated_epidural"}
    mapped = changes.RecordContactMap(ids["visit"], worked.limits().sha256, worked.LEAD_MAP, source)
    return {
        "stimulation_limits": limits,
        "contact_map": made(mapped),
        "snapshot": study.apply(changes.CutData("interim"), two, "for the safety board"),
        **safety(study, ids["participant"], made),
        "role_grant": made(changes.GrantRole(nurse, "monitor", "GCP 2026-02")),
        "consent": made(changes.GiveConsent(ids["participant"], ("upload",), "2.1", "2026-03-01")),
        "query": query,
        "deviation": made(changes.RecordDeviation(ids["participant"], "other", "came late", "none")),
        **fitted(made, ids),
    }


def deleted(study, made):
    """Somebody who withdrew, and whose one file was deleted."""
    person = study.append(Participant("SIM-03", simulated=True))
    session = study.append(Session(study.append(Visit(person, "first visit")), "therapist", simulated=True))
    rows = [LedgerRow("note", 0.5, 1.5, extent="her dog is called Rex")]
    append_rows(study.folder / "recordings" / f"{session}.ledger.jsonl", rows)
    study.append_session_ledger(session, rows)
    made(changes.GiveConsent(person, ("participation",), "1.0", "2026-03-01"))
    made(changes.WithdrawConsent(person, ("participation",), "2026-03-01"))
    made(changes.RequestDeletion(person, "2026-03-01", "the site's policy"))
    manager = study.script_signer("Dr C")
    study.apply(changes.CutData("early"), [study.script_signer(n).confirm() for n in ("Dr B", "Dr C")], "board")
    plan = deletion.plan(study, person)
    begun = study.apply(changes.BeginDeletion(plan), manager.confirm(), "asked for by the participant")
    deletion.carry_out(study, begun, manager)


def fitted(made, ids):
    """A fitting that is complete and charged; ids by table."""
    fitting = made(
        changes.BeginFitting(
            ids["visit"], "Therapist T", ids["session"], "Site 1", "Guangdong", "therapist", "(01)06900000000000",
            professional="yes", payer="research_fund", impedance_before_kohm={"C3": 12.0},
        )
    )  # fmt: skip
    for n, step in enumerate(STEPS):
        times = (f"2026-03-01T08:{5 * n:02d}:00Z", f"2026-03-01T08:{5 * n + 5:02d}:00Z")
        made(changes.TimeFittingStep(fitting, step, *times))
    recordings = (ids["recording_sha256"],)
    made(changes.CompleteFitting(fitting, ids["sha256"], recordings, 2, 250.0, 4.0, {"C3": 8.5}, "passed"))
    upload = changes.RecordUpload(
        ids["visit"], "EEG of the calibration", "2026-03-01T08:40:00Z", 11, "a" * 64, "registry", fitting
    )
    item = made(
        changes.AddPriceItem(
            "非侵入式脑机接口适配费", "fitting", "Guangdong", "price document", "2026", "CNY", cap="900",
            rules=(prices.GUANGDONG_DATA, prices.PROFESSIONAL_ONLY),
        )
    )  # fmt: skip
    return {
        "fitting": fitting,
        "upload_receipt": made(upload),
        "price_item": item,
        "charge": made(changes.Charge(item, "900", "2026-03-01", fitting, data_supplied=True)),
        "evidence_step": made(
            changes.RecordEvidenceStep("coding", "Product X", "2026-02-01", "decision 1", "b" * 64, "Guangdong")
        ),
    }


def safety(study, participant, made):
    """An event, a deficiency and an implant, with what follows from them; ids by table."""
    aware = {"aware": "2026-03-01T08:00Z", "zone": "Asia/Shanghai", "country": "CN"}
    facts = {
        "serious": True, "criteria": ["hospitalisation"], "severity": "severe", "device": "possible",
        "procedure": "not_related", "stimulation": "not_related", "expected": None,
    }  # fmt: skip
    event = made(changes.ReportEvent(participant, "wound infection", "2026-02", facts, **aware))
    sent = made(changes.MarkSent("adverse_event", event, "cn.sae.other", "NMPA-1", at="2026-03-01T09:00Z"))
    made(changes.TellSomebody("adverse_event", event, "Dr D", "phone", "sees the wound", at="2026-03-01T09:00Z"))
    unsafe = {"could_have_led_to_sae": None}
    made(changes.ReportDeficiency("stimulator", "reset", "", unsafe, **aware, participant_id=participant))
    confirmed = made(changes.ConfirmRule("cn.sae.investigator", "the Decree, 2026-03-01"))
    made(changes.MarkSent("adverse_event", event, "cn.sae.investigator", "mail 1", at="2026-03-01T09:00Z"))
    implant = made(changes.Implant(participant, "NEO", "2026-02-01", "epidural", serial="12"))
    return {
        "adverse_event": event,
        "obligation_event": sent,
        "rule_confirmation": confirmed,
        "implant": implant,
        "implant_finding": made(
            changes.RecordFinding(implant, "impedance", "2026-03-01", "all low", values={"1": 900.0})
        ),
    }


def pytest_collection_modifyitems(items):
    """What is about SQLite's file is not tried on a server."""
    for item in items if os.environ.get(databases.VARIABLE) else ():
        if mark := item.get_closest_marker("sqlite_file"):
            item.add_marker(pytest.mark.skip(reason=mark.args[0]))


@pytest.fixture(scope="session", autouse=True)
def _where_studies_are_kept():
    url = os.environ.get(databases.VARIABLE)
    with databases.studies_on(url) if url else nullcontext():
        yield


@pytest.fixture(autouse=True)
def _removed_afterwards():
    before = len(databases.made)
    yield
    databases.remove(before)


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """``(folder, ids)`` of a filled and closed record, to be copied."""
    with Study.create(
        tmp_path_factory.mktemp("template") / "study", code="NEO", title="Grasp trial", actor="tester"
    ) as s:
        return s.folder, fill(s)


@pytest.fixture
def study(template, tmp_path):
    folder, ids = template
    databases.copied(folder, tmp_path / "study")
    with Study.open(tmp_path / "study", actor="tester") as opened:
        opened.ids = ids
        yield opened


@pytest.fixture(scope="session")
def nothing(tmp_path_factory):
    """A closed record without a row, to be copied."""
    with Study.create(
        tmp_path_factory.mktemp("nothing") / "study", code="NEO", title="Grasp trial", actor="tester"
    ) as made:
        return made.folder


@pytest.fixture
def empty(nothing, tmp_path):
    with Study.open(databases.copied(nothing, tmp_path / "empty"), actor="tester") as opened:
        yield opened
