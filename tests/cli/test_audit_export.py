"""`workbench export --form audit|queries|deviations` and `workbench schedule`: whole, safe to open, no arm."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path

import pytest

from workbench import delimited
from workbench.study import Study, changes, protocol
from workbench.vocabulary import Participant

EXAMPLE = Path(__file__).parents[2] / "data_samples" / "protocol_neo_hand.toml"


@pytest.fixture
def folder(run, tmp_path):
    """Two simulated participants under the example protocol; with a reason that is a formula, and a redaction."""
    with Study.create(tmp_path / "study", code="N", title="t", actor="a") as study:
        someone = study.script_signer("Dr B")
        adopt = changes.AdoptProtocol(protocol.read(EXAMPLE).definition())
        study.apply(adopt, [study.script_signer(name).confirm() for name in ("Dr B", "Dr C")])
        people = [study.append(Participant(name, simulated=True)) for name in ("SIM-01", "SIM-02")]
        for number, person in enumerate(people):
            study.apply(changes.Enrol(person, f"S-{number}"), someone)
        study.apply(changes.SetAnchor(people[0], "implant", "2026-03-01"), someone, "as planned")
        study.apply(changes.SetAnchor(people[0], "randomisation", "2026-03-01"), someone, "as planned")
        study.amend("participant", people[0], {"hold": "pain"}, reason="=HYPERLINK(evil)")
        query = study.apply(changes.OpenQuery("participant", people[0], "ais", "+1 grade?"), someone)
        study.apply(changes.AnswerQuery(query, "as examined"), someone)
        study.apply(changes.RecordDeviation(people[1], "rater", "another rater"), someone)
        given = changes.GiveConsent(people[1], ("data_sharing",), "1.0", "2026-01-01")
        study.apply(given, someone)
        study.apply(changes.WithdrawConsent(people[1], ("data_sharing",), "2026-01-02"), someone)
        study.redact("participant", people[1], {"hold": ""}, reason="a name stood there")
    return tmp_path / "study"


def table(path):
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: delimited.original(cell) for name, cell in row.items()} for row in csv.DictReader(file)]


def test_the_audit_trail_is_exported_whole_and_its_printed_number_is_that_of_the_entries(run, folder, tmp_path):
    out = tmp_path / "audit.csv"
    code, said, _ = run("export", folder, "--form", "audit", "--out", out)
    with Study.open(folder, actor="x") as study:
        entries = study.entries()
    assert code == 0
    assert f"{out}: {len(entries)} rows, one for each entry" in said
    assert "not for sharing: SIM-02 took back the consent to share data on 2026-01-02" in said
    rows = table(out)
    assert [(int(row["entry"]), row["hash"]) for row in rows] == [(one.seq, one.hash) for one in entries]
    assert {row["redacted"] for row in rows if row["participant"] == "SIM-01"} == {"False"}
    assert [row["redacted"] for row in rows if row["table"] == "participant"].count("True") == 1


def test_no_cell_of_it_becomes_a_formula(run, folder, tmp_path):
    out = tmp_path / "audit.csv"
    run("export", folder, "--form", "audit", "--out", out)
    text = out.read_text(encoding="utf-8")
    assert "'=HYPERLINK(evil)" in text
    assert ",=HYPERLINK" not in text
    assert [row["reason"] for row in table(out) if "HYPERLINK" in row["reason"]] == ["=HYPERLINK(evil)"]


def test_the_trail_of_one_participant_holds_theirs_alone_and_one_who_is_not_there_is_refused(
    run, folder, tmp_path
):
    code, said, _ = run(
        "export", folder, "--form", "audit", "--participant", "SIM-01", "--out", tmp_path / "a.csv"
    )
    rows = table(tmp_path / "a.csv")
    assert (code, {row["participant"] for row in rows}) == (0, {"SIM-01"})
    assert f"{len(rows)} rows" in said
    assert "not for sharing" not in said
    for form in ("audit", "queries", "deviations"):
        gone = tmp_path / f"{form}.csv"
        code, said, err = run("export", folder, "--form", form, "--participant", "P-9", "--out", gone)
        assert (code, said, gone.exists(), "P-9" in err) == (2, "", False, True)
    code, _, err = run("export", folder, "--form", "core", "--participant", "SIM-01", "--out", tmp_path / "c.csv")
    assert (code, "--participant goes with --form audit" in err) == (2, True)


def test_queries_and_deviations_are_exported_with_what_came_of_them(run, folder, tmp_path):
    assert run("export", folder, "--form", "queries", "--out", tmp_path / "q.csv")[0] == 0
    assert run("export", folder, "--form", "deviations", "--out", tmp_path / "d.csv")[0] == 0
    (query,) = table(tmp_path / "q.csv")
    assert (query["participant"], query["text"], query["state"], query["answer"]) == (
        "SIM-01", "+1 grade?", "answered", "as examined",
    )  # fmt: skip
    assert "'+1 grade?" in (tmp_path / "q.csv").read_text(encoding="utf-8")
    (deviation,) = table(tmp_path / "d.csv")
    assert (deviation["participant"], deviation["category"], deviation["state"]) == ("SIM-02", "rater", "open")


def test_a_file_that_is_there_is_never_replaced(run, folder, tmp_path):
    out = tmp_path / "audit.csv"
    out.write_text("mine")
    code, _, err = run("export", folder, "--form", "audit", "--out", out)
    assert (code, out.read_text(), "an export is never replaced" in err) == (2, "mine", True)


def test_the_schedule_of_a_participant_is_printed_from_the_record_and_tells_no_arm(run, folder):
    code, said, _ = run("schedule", folder, "SIM-01", "--on", "2026-03-02")
    assert code == 0
    assert "SIM-01, as of 2026-03-02" in said
    assert "Week 12: 2026-05-24 (2026-05-17 to 2026-06-07)" in said
    with Study.open(folder, actor="x") as study:
        arms = protocol.Protocol.from_definition(study.rows("protocol_version")[0]["definition"]).arms
    assert not any(arm.name in said or arm.title in said for arm in arms)
    answer = json.loads(run("schedule", folder, "SIM-01", "--on", "2026-03-02", "--json")[1])
    assert (answer["command"], answer["ok"], answer["result"]["participant"]) == ("schedule", True, "SIM-01")
    weeks = {visit["visit"]: visit["planned"] for visit in answer["result"]["visits"]}
    assert weeks["Week 12"] == "2026-05-24"
    assert weeks["Baseline"] is None
    assert not any(arm.name in json.dumps(answer) for arm in arms)


def test_a_schedule_is_refused_for_nobody_and_for_a_day_that_is_none(run, folder):
    for arguments, words in (
        (("P-9",), "no participant 'P-9' in this study; there are SIM-01, SIM-02"),
        (("SIM-01", "--on", "soon"), "--on must be a date"),
    ):
        code, said, err = run("schedule", folder, *arguments)
        assert (code, said, len(err.splitlines())) == (2, "", 1)
        assert words in err
    assert run("schedule", folder, "SIM-02")[0] == 0
    assert date.today().isoformat() in run("schedule", folder, "SIM-02")[1]
