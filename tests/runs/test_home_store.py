"""What was recorded at home reaches the site once, whole, with a receipt; and nothing is given up before it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from tests.doors import SteppedClock
from tests.runs.test_home_recalibration import Home
from workbench import world
from workbench.errors import BadValue, RecordingFault, Refused
from workbench.recording import RunWriter
from workbench.recording.hashing import file_sha256
from workbench.recording.session_ledger import append_rows
from workbench.runs import home_store
from workbench.study import Study
from workbench.study.changes.consents import GiveConsent
from workbench.study.keys import public_keys
from workbench.vocabulary import Command, LedgerRow, Participant, Recording, Run, Session, StreamSpec, Visit


def record(folder, *, consent=True):
    """The record of a home or a site: one participant, a visit, and a consent to uploads."""
    study = Study.create(folder, code="HOME", title="tests", actor="tests")
    person = study.append(Participant("P1", simulated=True))
    visit = study.append(Visit(person, "home"))
    if consent:
        study.apply(GiveConsent(person, ("upload",), "1.0", "2026-01-02"), study.script_signer("tests"))
    return study, visit


@pytest.fixture
def both(tmp_path, monkeypatch):
    """A home with one run and one file of rows, its site, and the folder between them."""
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
    home, visit = record(tmp_path / "home")
    site, _visit = record(tmp_path / "site")
    session = home.append(Session(visit, "home", id="s1", simulated=True, plan={"place": "home"}))
    folder = home.folder / "recordings"
    folder.mkdir()
    (folder / "r1.xdf").write_bytes(b"what the amplifier sent" * 1000)
    append_rows(folder / "s1.ledger.jsonl", [LedgerRow("note", 0.5, 1.5, extent="skin fine")])
    sha256 = file_sha256(folder / "r1.xdf")
    run = Run(session, 1, "online", "grasp_rest", "finished", id="r1")
    size = (folder / "r1.xdf").stat().st_size
    kept = Recording("r1", "recordings/r1.xdf", sha256, size, 1000, 250.0, "finished")
    home.append_run(run, trials=[], ledger=[], recordings=[kept])
    # A session at the clinic stays here.
    home.append(Session(visit, "clinic", id="s2", simulated=True, plan={"place": "clinic"}))
    append_rows(folder / "s2.ledger.jsonl", [LedgerRow("note", 0.5, 1.5, extent="clinic")])
    yield SimpleNamespace(home=home, site=site, box=tmp_path / "box", sha256=sha256, file=folder / "r1.xdf")
    home.close()
    site.close()


def receive(both):
    signer = both.site.script_signer("tests")
    return home_store.receive(both.site, both.box, recipient="Site 1", signer=signer)


def settle(both, key=""):
    newest = public_keys(both.site.folder)
    key = key or newest[max(newest)]
    return home_store.settle(both.home, both.box, site_key=key, signer=both.home.script_signer("tests"))


def test_what_was_recorded_at_home_arrives_whole_once_and_both_records_say_so(both):
    assert [one.name for one in home_store.offer(both.home, both.box)] == ["r1.xdf", "s1.ledger.jsonl"]
    assert home_store.offer(both.home, both.box) == []
    assert home_store.received(both.home) == []
    assert len(receive(both)) == 2
    kept = both.site.folder / home_store.STORE / "P1" / "r1.xdf"
    assert kept.read_bytes() == both.file.read_bytes()
    assert receive(both) == []
    assert both.sha256 in settle(both)
    assert settle(both) == []
    assert both.file in home_store.received(both.home)
    for study in (both.home, both.site):
        (row,) = study.rows("upload_receipt", sha256=both.sha256)
        assert (row["recipient"], row["n_bytes"]) == ("Site 1", both.file.stat().st_size)
    # Nothing is offered again, even when the box was lost with all that lay in it.
    world.disk.rmtree(both.box)
    assert home_store.offer(both.home, both.box) == []


def test_a_receipt_that_the_site_did_not_sign_or_of_other_bytes_gives_nothing_up(both):
    home_store.offer(both.home, both.box)
    receive(both)
    receipt = both.box / "receipts" / f"{both.sha256}.json"
    true = receipt.read_text(encoding="utf-8")
    forged = json.loads(true)
    forged["payload"]["n_bytes"] += 1
    receipt.write_text(json.dumps(forged), encoding="utf-8")
    with pytest.raises(Refused):
        settle(both)
    with pytest.raises(Refused):
        settle(both, key="0" * 64)
    assert home_store.received(both.home) == []
    receipt.write_text(true, encoding="utf-8")
    settle(both)
    # Whoever changed the file after it was sent has something that the site does not have.
    both.file.write_bytes(b"other")
    assert both.file not in home_store.received(both.home)


def test_a_parcel_that_was_cut_off_on_its_way_is_not_taken_and_is_offered_again(both):
    home_store.offer(both.home, both.box)
    parcel = both.box / "parcels" / both.sha256
    parcel.write_bytes(parcel.read_bytes()[:-1])
    assert [one.name for one in receive(both)] == ["s1.ledger.jsonl"]
    assert [one.name for one in home_store.offer(both.home, both.box)] == ["r1.xdf"]
    assert [one.name for one in receive(both)] == ["r1.xdf"]


@pytest.mark.parametrize("ended_at", ["replace", "save"])
def test_whoever_is_ended_before_a_file_or_a_receipt_is_named_does_the_rest_next_time(both, monkeypatch, ended_at):
    class Ended(Exception):
        pass

    def end(*_args, **_more):
        raise Ended

    for act in (lambda: home_store.offer(both.home, both.box), lambda: receive(both)):
        with monkeypatch.context() as patch:
            patch.setattr(world.disk, ended_at, end)
            with pytest.raises(Ended):
                act()
        assert home_store.received(both.home) == []
        act()
    assert len(settle(both)) == 2
    for study in (both.home, both.site):
        assert len(study.rows("upload_receipt")) == 2


def test_without_consent_to_uploads_or_for_somebody_else_nothing_is_received(both, tmp_path):
    home_store.offer(both.home, both.box)
    bare, _visit = record(tmp_path / "bare", consent=False)
    with bare, pytest.raises(Refused, match="consent"):
        home_store.receive(bare, both.box, recipient="x", signer=bare.script_signer("tests"))
    other = Study.create(tmp_path / "other", code="X", title="tests", actor="tests")
    with other, pytest.raises(Refused, match="no visit home of P1"):
        home_store.receive(other, both.box, recipient="x", signer=other.script_signer("tests"))


@pytest.mark.parametrize(
    "change",
    [{"participant": ".."}, {"name": "../../study.db"}, {"n_bytes": 0}, {"sha256": "a" * 64}, {"more": 1}],
)
def test_a_description_that_leads_elsewhere_is_refused_and_nothing_is_written(both, change):
    home_store.offer(both.home, both.box)
    about = both.box / "parcels" / f"{both.sha256}.json"
    about.write_text(json.dumps(json.loads(about.read_text(encoding="utf-8")) | change), encoding="utf-8")
    before = sorted(path for path in both.site.folder.rglob("*"))
    (both.box / "parcels" / f"{next(p.stem for p in about.parent.glob('*.json') if p != about)}.json").unlink()
    with pytest.raises(BadValue, match="describes no file of a home"):
        receive(both)
    assert sorted(path for path in both.site.folder.rglob("*")) == before


def test_the_sites_look_counts_minutes_activation_stops_and_faults_of_what_came(tmp_path):
    folder = tmp_path / home_store.STORE / "P1"
    folder.mkdir(parents=True)
    signal = StreamSpec("ecog", "ECoG", 250.0, ("C3",), source_id="x")
    plan = {"run": "r1", "session": "s", "participant": "P1", "started": "2026-03-01T09:00:00Z"}
    writer = RunWriter(folder / "r1.xdf", plan=plan, stamp=10.0, signal=signal)
    writer.signal(np.zeros((15_000, 1), np.float32), 10.0 + np.arange(15_000) / 250.0)
    for seq, (stamp, level) in enumerate([(11.0, 1.0), (14.0, 0.0)], start=1):
        writer.command(Command(seq, stamp, stamp, -1, "glove", "glove", "close", (level,), 0, 250, "ACTIVE"))
    writer.ledger(LedgerRow("estop", 15.0, 15.0, 1, "", "STOP", "", "high"))
    writer.close(state="finished")
    (line,) = home_store.looked_at(tmp_path, "P1")
    assert line == {
        "started": "2026-03-01T09:00:00Z", "minutes": 1.0, "active_s": 3.0, "stops": 1, "faults": 0,
        "state": "finished",
    }  # fmt: skip
    assert home_store.looked_at(tmp_path, "P2") == []


def test_a_box_that_cannot_be_written_is_said_in_one_sentence(both):
    both.box.write_text("a file", encoding="utf-8")
    with pytest.raises(RecordingFault, match="cannot be written"):
        home_store.offer(both.home, both.box)


def test_the_site_sees_each_decoder_that_was_made_at_home_used_kept_or_given_up_with_its_figures(tmp_path):
    clock = SteppedClock(1e7)
    with world.entered(clock=clock):
        made = Home(tmp_path / "home", clock)
        signer = made.study.script_signer("tests")
        made.study.apply(GiveConsent(made.person, ("upload",), "1.0", "2026-01-02"), signer)
        made.pass_days(3)
        assert made.decide(made.fitted()).taken
        made.clock.now_s += 1.0
        assert not made.decide(made.fitted(correct=20)).taken
        made.clock.now_s += 1.0
        made.back()
        site, _visit = record(tmp_path / "site")
        box = tmp_path / "box"
        assert len([one for one in home_store.offer(made.study, box) if one.name.endswith(".decision.json")]) == 3
        assert home_store.offer(made.study, box) == []
        # Lost with the box, and written again as they were.
        world.disk.rmtree(box)
        world.disk.rmtree(made.study.folder / home_store.DECISIONS)
        assert len(home_store.offer(made.study, box)) == 3
        home_store.receive(site, box, recipient="Site 1", signer=site.script_signer("tests"))
        lines = home_store.recalibrations(site.folder, "P1")
        assert [one["outcome"] for one in lines] == ["used", "kept", "went_back"]
        assert lines[0]["figures"]["least"] == ("36 of 40 (90.0 %)", "at least 80 %")
        assert "Too few of the practised periods were recognised." in lines[1]["reason"]
        forged = site.folder / home_store.STORE / "P1" / f"x{home_store.DECISION}"
        forged.write_text('{"checks": 3}', encoding="utf-8")
        with pytest.raises(BadValue, match="describes no decision"):
            home_store.recalibrations(site.folder, "P1")
        made.study.close()
        site.close()
